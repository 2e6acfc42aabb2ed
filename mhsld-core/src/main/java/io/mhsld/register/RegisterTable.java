package io.mhsld.register;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The registers of the function as one table: every row of every layout, where a host finds it. */
public final class RegisterTable {
    /** Ranges of addresses in which a host finds registers. */
    public enum Space {
        CONFIGURATION("configuration"),
        COMPONENT("bar" + ConfigurationSpace.COMPONENT_BAR),
        DEVICE("bar" + ConfigurationSpace.DEVICE_BAR);

        private final String word;

        Space(String word) {
            this.word = word;
        }

        @Override
        public String toString() {
            return word;
        }
    }

    /**
     * One block of registers.
     *
     * @param offset where it begins in its space
     */
    public record Place(Space space, long offset, RegisterLayout layout) {
        /** Where the register of a row begins in the space. */
        public long offsetOf(RegisterField field) {
            return offset + field.offset();
        }
    }

    private RegisterTable() {}

    /**
     * All blocks by ascending addresses.
     *
     * @param serial as the function shows it
     * @param dataBarBytes length of its data BAR, 0 when it has none
     */
    public static List<Place> places(long serial, long dataBarBytes) {
        List<Place> places = new ArrayList<>();
        add(places, Space.CONFIGURATION, ConfigurationSpace.layouts(serial, dataBarBytes));
        add(places, Space.COMPONENT, ComponentRegisters.layouts());
        Map<Long, RegisterLayout> device = new TreeMap<>(DeviceRegisters.layouts());
        device.put((long) ConfigurationSpace.MSIX_TABLE_OFFSET, MsixTable.TABLE);
        device.put((long) ConfigurationSpace.MSIX_PENDING_OFFSET, MsixTable.PENDING);
        add(places, Space.DEVICE, device);
        return places;
    }

    private static void add(List<Place> places, Space space, Map<Long, RegisterLayout> layouts) {
        layouts.forEach((offset, layout) -> places.add(new Place(space, offset, layout)));
    }
}
