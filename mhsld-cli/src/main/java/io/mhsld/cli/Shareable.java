package io.mhsld.cli;

import io.mhsld.state.Geometry;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Which regions are to be shareable, as a person says it: {@code 0,2} or {@code all}.
 *
 * @param all every region
 * @param regions these regions, when not all
 */
record Shareable(boolean all, Set<Integer> regions) {
    /** No region. */
    static final Shareable NONE = new Shareable(false, Set.of());

    private static final String ALL = "all";

    /**
     * Reads region numbers between commas, or {@code all}.
     *
     * @throws IllegalArgumentException when it is neither
     */
    static Shareable parse(String text) {
        if (text.equals(ALL)) {
            return new Shareable(true, Set.of());
        }
        Set<Integer> regions = new TreeSet<>();
        for (String part : text.split(",", -1)) {
            if (!part.matches("[0-9]")) {
                throw new IllegalArgumentException(
                        "not regions: \"" + text + "\" (numbers between commas, as 0,2, or " + ALL + ")");
            }
            regions.add(Integer.parseInt(part));
        }
        return new Shareable(false, Set.copyOf(regions));
    }

    /** The geometry with these regions shareable. */
    Geometry in(Geometry geometry) {
        return geometry.withShareable(
                all ? geometry.regions().stream().map(Geometry.Region::id).collect(Collectors.toSet()) : regions);
    }
}
