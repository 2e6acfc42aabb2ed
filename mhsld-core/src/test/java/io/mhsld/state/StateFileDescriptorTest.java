package io.mhsld.state;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.state.StateFileDescriptor.Section;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class StateFileDescriptorTest {
    private static final long SEED = Long.getLong("mhsld.seed", 20_240_318L);

    /** Every number of the layout, by hand: whoever changes one changes the format, and must raise its version. */
    private static final Map<String, Long> LAYOUT = Map.ofEntries(
            Map.entry("MAGIC", 0x3176_6544_4C53_484DL),
            Map.entry("VERSION", 2L),
            Map.entry("HEADER_LENGTH", 4096L),
            Map.entry("SECTION_ALIGNMENT", 4096L),
            Map.entry("MAGIC_OFFSET", 0L),
            Map.entry("VERSION_OFFSET", 8L),
            Map.entry("CHECKSUM_OFFSET", 12L),
            Map.entry("FILE_LENGTH_OFFSET", 16L),
            Map.entry("DEVICE_ID_OFFSET", 24L),
            Map.entry("CREATED_MS_OFFSET", 40L),
            Map.entry("SERIAL_OFFSET", 48L),
            Map.entry("BLOCK_SIZE_OFFSET", 56L),
            Map.entry("BLOCK_COUNT_OFFSET", 64L),
            Map.entry("HEAD_COUNT_OFFSET", 72L),
            Map.entry("LANE_BYTES_OFFSET", 76L),
            Map.entry("REGION_COUNT_OFFSET", 80L),
            Map.entry("MEDIA_SPACE_OFFSET", 84L),
            Map.entry("SECTIONS_OFFSET", 88L),
            Map.entry("SECTION_ENTRY_LENGTH", 16L),
            Map.entry("REGIONS_OFFSET", 224L),
            Map.entry("REGION_ENTRY_LENGTH", 40L),
            Map.entry("MEDIA_PATH_LENGTH_OFFSET", 544L),
            Map.entry("MEDIA_PATH_OFFSET", 548L),
            Map.entry("MAX_MEDIA_PATH_BYTES", 988L),
            Map.entry("CHECKSUMMED_END", 1536L),
            Map.entry("HEAD_ROW_LENGTH", 256L),
            Map.entry("INCARNATION_OFFSET", 0L),
            Map.entry("OPERATION_OFFSET", 8L),
            Map.entry("HEAD_STATE_OFFSET", 16L),
            Map.entry("PID_OFFSET", 24L),
            Map.entry("PROCESS_START_TICKS_OFFSET", 32L),
            Map.entry("ATTACHED_MS_OFFSET", 40L),
            Map.entry("SOCKET_LENGTH_OFFSET", 48L),
            Map.entry("SOCKET_OFFSET", 52L),
            Map.entry("MAX_SOCKET_BYTES", 124L),
            Map.entry("MAX_EXTENTS", 512L),
            Map.entry("EXTENT_TABLE_LENGTH", 36864L),
            Map.entry("SEQUENCE_OFFSET", 0L),
            Map.entry("EXTENT_COUNT_OFFSET", 8L),
            Map.entry("GENERATION_OFFSET", 12L),
            Map.entry("EXTENTS_OFFSET", 64L),
            Map.entry("EXTENT_ENTRY_LENGTH", 64L),
            Map.entry("EXTENT_DPA_OFFSET", 0L),
            Map.entry("EXTENT_LENGTH_OFFSET", 8L),
            Map.entry("EXTENT_TAG_HIGH_OFFSET", 16L),
            Map.entry("EXTENT_TAG_LOW_OFFSET", 24L),
            Map.entry("EXTENT_GROUP_OFFSET", 32L),
            Map.entry("EXTENT_SEQUENCE_OFFSET", 40L),
            Map.entry("TAG_TABLE_HEADER_LENGTH", 64L),
            Map.entry("TAG_ROWS", 128L),
            Map.entry("TAG_LIFE_OFFSET", 0L),
            Map.entry("TAG_HOLDERS_OFFSET", 8L),
            Map.entry("TAG_HIGH_OFFSET", 16L),
            Map.entry("TAG_LOW_OFFSET", 24L),
            Map.entry("TAG_REGION_OFFSET", 32L),
            Map.entry("TAG_EXTENT_COUNT_OFFSET", 36L),
            Map.entry("TAG_CHECKSUM_OFFSET", 40L),
            Map.entry("TAG_INCARNATIONS_OFFSET", 64L),
            Map.entry("TAG_EXTENTS_OFFSET", 576L),
            Map.entry("TAG_EXTENT_LENGTH", 16L),
            Map.entry("TAG_ROW_LENGTH", 8768L),
            Map.entry("TAG_TABLE_LENGTH", 1_122_368L),
            Map.entry("REGION_ROW_LENGTH", 64L),
            Map.entry("POISON_TABLE_HEADER_LENGTH", 64L),
            Map.entry("POISON_LISTS", 2L),
            Map.entry("POISON_ADDING_OFFSET", 8L),
            Map.entry("MAX_POISON_RECORDS", 256L),
            Map.entry("MAX_UNLISTED_POISON", 1024L),
            Map.entry("POISON_COUNT_OFFSET", 0L),
            Map.entry("POISON_FLAGS_OFFSET", 4L),
            Map.entry("POISON_OVERFLOW_NS_OFFSET", 8L),
            Map.entry("POISON_UNLISTED_OFFSET", 16L),
            Map.entry("POISON_RECORDS_OFFSET", 64L),
            Map.entry("POISON_RECORD_LENGTH", 24L),
            Map.entry("POISON_SOURCE_OFFSET", 16L),
            Map.entry("POISON_LIST_LENGTH", 30_784L),
            Map.entry("POISON_TABLE_LENGTH", 61_632L),
            Map.entry("COUNTER_ROW_LENGTH", 256L),
            Map.entry("ERROR_LOG_LENGTH", 8192L));

    @Test
    void shouldKeepEveryOffsetAndLength() throws IllegalAccessException {
        Map<String, Long> found = new TreeMap<>();
        for (Field field : StateFileDescriptor.class.getDeclaredFields()) {
            boolean isNumber = field.getType() == int.class || field.getType() == long.class;
            if (isNumber && Modifier.isStatic(field.getModifiers())) {
                found.put(field.getName(), ((Number) field.get(null)).longValue());
            }
        }
        assertEquals(new TreeMap<>(LAYOUT), found);
    }

    @Test
    void shouldKeepPlacesOfSectionsInHeader() {
        Map<String, Integer> found = Arrays.stream(Section.values())
                .collect(Collectors.toMap(Enum::name, Section::entryOffset, (a, b) -> a, TreeMap::new));
        assertEquals(
                new TreeMap<>(Map.of(
                        "HEAD_TABLE",
                        88,
                        "EXTENT_TABLES",
                        104,
                        "TAG_TABLE",
                        120,
                        "REGION_SETTINGS",
                        136,
                        "POISON_TABLE",
                        152,
                        "COUNTERS",
                        168,
                        "ERROR_LOGS",
                        184,
                        "OWNER_MAP",
                        200)),
                found);
    }

    @Test
    void shouldKeepPlacesOfCounters() {
        Map<String, Integer> found = Arrays.stream(Counter.values())
                .collect(Collectors.toMap(Enum::name, Counter::place, (a, b) -> a, TreeMap::new));
        Map<String, Integer> expected = new TreeMap<>(Map.ofEntries(
                Map.entry("BLOCKS_OWNED", 0),
                Map.entry("EXTENTS_HELD", 1),
                Map.entry("ADDS", 2),
                Map.entry("ADDS_REFUSED", 3),
                Map.entry("CLAIM_CONFLICTS", 4),
                Map.entry("BLOCKS_ACCEPTED", 5),
                Map.entry("BLOCKS_RECLAIMED", 6),
                Map.entry("BLOCKS_RELEASED", 7),
                Map.entry("HEADS_REAPED", 8),
                Map.entry("ACCESSES_REFUSED", 9),
                Map.entry("BYTES_READ", 10),
                Map.entry("BYTES_WRITTEN", 11)));
        assertEquals(expected, found);
    }

    @Test
    void shouldSpellMagicInAscii() {
        byte[] bytes = ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(StateFileDescriptor.MAGIC)
                .array();
        assertArrayEquals("MHSLDev1".getBytes(StandardCharsets.US_ASCII), bytes);
    }

    @Test
    void shouldLaySectionsOutInOrderAlignedAndApart() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int round = 0; round < 2_000; round++) {
            int heads = random.nextInt(1, 65);
            int regions = random.nextInt(1, 9);
            long blockSize = 4096L << random.nextInt(0, 10);
            Geometry geometry = Geometry.of(heads, blockSize * regions * random.nextInt(1, 5_000), regions, blockSize);
            String which = "seed=" + SEED + " " + geometry;

            long end = 4096;
            for (Section section : Section.values()) {
                long offset = section.offset(geometry);
                assertEquals(0, offset % 4096, which);
                assertTrue(offset >= end && offset - end < 4096, which + " " + section);
                end = offset + section.lengthBytes(geometry);
            }
            assertEquals(256L * heads, Section.HEAD_TABLE.lengthBytes(geometry), which);
            assertEquals(36_864L * heads, Section.EXTENT_TABLES.lengthBytes(geometry), which);
            assertEquals(1_122_368L, Section.TAG_TABLE.lengthBytes(geometry), which);
            assertEquals(64L * regions, Section.REGION_SETTINGS.lengthBytes(geometry), which);
            assertEquals(61_632L, Section.POISON_TABLE.lengthBytes(geometry), which);
            assertEquals(256L * heads, Section.COUNTERS.lengthBytes(geometry), which);
            assertEquals(8_192L * heads, Section.ERROR_LOGS.lengthBytes(geometry), which);
            long lanes = geometry.blockCount() * geometry.laneBytes();
            assertEquals(lanes + (8 - lanes % 8) % 8, Section.OWNER_MAP.lengthBytes(geometry), which);
            long length = StateFileDescriptor.fileLength(geometry);
            assertEquals(0, length % 4096, which);
            assertTrue(length >= end && length - end < 4096, which);
        }
    }

    @Test
    void shouldPutLargestOwnerMapWithinOneMapping() {
        Geometry largest = Geometry.of(64, (1L << 27) * 4096, 1, 4096);
        assertEquals(Geometry.MAX_OWNER_MAP_BYTES, Section.OWNER_MAP.lengthBytes(largest));
        assertTrue(StateFileDescriptor.fileLength(largest) < Integer.MAX_VALUE);
    }
}
