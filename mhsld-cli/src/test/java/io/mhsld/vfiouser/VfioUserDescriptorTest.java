package io.mhsld.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.reflect.Field;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The numbers of the protocol as others have them, so that a line out of its place is noticed. */
class VfioUserDescriptorTest {
    private static final Map<String, Integer> EXPECTED = Map.ofEntries(
            Map.entry("ID_OFFSET", 0),
            Map.entry("COMMAND_OFFSET", 2),
            Map.entry("SIZE_OFFSET", 4),
            Map.entry("FLAGS_OFFSET", 8),
            Map.entry("ERROR_OFFSET", 12),
            Map.entry("HEADER_LENGTH", 16),
            Map.entry("MAJOR_OFFSET", 0),
            Map.entry("MINOR_OFFSET", 2),
            Map.entry("CAPABILITIES_OFFSET", 4),
            Map.entry("ARGSZ_OFFSET", 0),
            Map.entry("ARG_FLAGS_OFFSET", 4),
            Map.entry("INDEX_OFFSET", 8),
            Map.entry("REGION_COUNT_OFFSET", 8),
            Map.entry("IRQ_INDEX_COUNT_OFFSET", 12),
            Map.entry("DEVICE_INFO_LENGTH", 16),
            Map.entry("REGION_CAPABILITIES_OFFSET", 12),
            Map.entry("REGION_SIZE_OFFSET", 16),
            Map.entry("REGION_FILE_OFFSET_OFFSET", 24),
            Map.entry("REGION_INFO_LENGTH", 32),
            Map.entry("IO_FDS_COUNT_OFFSET", 12),
            Map.entry("IO_FDS_LENGTH", 16),
            Map.entry("IRQ_COUNT_OFFSET", 12),
            Map.entry("IRQ_INFO_LENGTH", 16),
            Map.entry("SET_IRQS_START_OFFSET", 12),
            Map.entry("SET_IRQS_COUNT_OFFSET", 16),
            Map.entry("SET_IRQS_LENGTH", 20),
            Map.entry("ACCESS_OFFSET_OFFSET", 0),
            Map.entry("ACCESS_REGION_OFFSET", 8),
            Map.entry("ACCESS_COUNT_OFFSET", 12),
            Map.entry("ACCESS_LENGTH", 16),
            Map.entry("MULTI_COUNT_LENGTH", 8),
            Map.entry("MULTI_DATA_LENGTH", 8),
            Map.entry("MULTI_ROW_LENGTH", 24),
            Map.entry("MAP_FILE_OFFSET_OFFSET", 8),
            Map.entry("MAP_ADDRESS_OFFSET", 16),
            Map.entry("MAP_SIZE_OFFSET", 24),
            Map.entry("MAP_LENGTH", 32),
            Map.entry("UNMAP_ADDRESS_OFFSET", 8),
            Map.entry("UNMAP_SIZE_OFFSET", 16),
            Map.entry("UNMAP_LENGTH", 24));

    @Test
    void shouldPutEachFieldWhereOthersLookForIt() {
        Map<String, Integer> met = java.util.Arrays.stream(VfioUserDescriptor.class.getDeclaredFields())
                .filter(field ->
                        field.getName().endsWith("_OFFSET") || field.getName().endsWith("_LENGTH"))
                .filter(field -> !field.getName().startsWith("PAGE"))
                .collect(Collectors.toMap(Field::getName, VfioUserDescriptorTest::value));
        assertEquals(new java.util.TreeMap<>(EXPECTED), new java.util.TreeMap<>(met));
    }

    private static int value(Field field) {
        try {
            return field.getInt(null);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }
}
