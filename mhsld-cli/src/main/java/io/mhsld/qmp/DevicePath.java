package io.mhsld.qmp;

import java.util.Arrays;
import java.util.List;

/**
 * What the {@code path} of a command may call the device, as QEMU resolves it: its place in the object tree, whole from the root, or as much of its end
 * as names one object. There is one device here, and what stands above it in the tree.
 */
final class DevicePath {
    private static final List<String> PARENTS = List.of("machine", "peripheral");

    private final List<List<String>> places;

    /** @param ids what the device is called: QEMU's id, and perhaps a second name */
    DevicePath(String... ids) {
        this.places = Arrays.stream(ids)
                .map(id -> List.of(PARENTS.get(0), PARENTS.get(1), id))
                .toList();
    }

    /** True when it names the device. An empty path does: there is only one device of its type. */
    boolean isDevice(String path) {
        return places.stream().anyMatch(place -> names(path, place));
    }

    /** True when it names something, the device or another object. An empty path could be any object, and names none. */
    boolean isObject(String path) {
        boolean isRoot = path.startsWith("/") && elements(path).isEmpty();
        return isRoot
                || (!elements(path).isEmpty()
                        && (isDevice(path) || names(path, PARENTS) || names(path, PARENTS.subList(0, 1))));
    }

    private static boolean names(String path, List<String> place) {
        List<String> elements = elements(path);
        return path.startsWith("/")
                ? elements.equals(place)
                : elements.size() <= place.size()
                        && elements.equals(place.subList(place.size() - elements.size(), place.size()));
    }

    private static List<String> elements(String path) {
        return Arrays.stream(path.split("/", -1))
                .filter(element -> !element.isEmpty())
                .toList();
    }
}
