package io.mhsld.state;

/**
 * The layout of the state file, version 2. All numbers little-endian.
 *
 * <pre>
 *  +--------------------------+ 0
 *  |  header                  |  one page
 *  +--------------------------+ HEADER_LENGTH
 *  |  head table              |  one row for each head
 *  +--------------------------+
 *  |  extent tables           |  one table for each head
 *  +--------------------------+
 *  |  tag table               |  a header, one row for each tag of shared capacity
 *  +--------------------------+
 *  |  region settings         |  one row for each region
 *  +--------------------------+
 *  |  poison table            |  a header, two lists of which one counts
 *  +--------------------------+
 *  |  counters                |  one row for each head
 *  +--------------------------+
 *  |  error logs              |  one log for each head
 *  +--------------------------+
 *  |  owner map               |  one lane for each block; last, for it alone can be large
 *  +--------------------------+ file length
 *
 *  Every section starts at a multiple of SECTION_ALIGNMENT; where it starts and how long it is stands in the header.
 *
 *  Header
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +---------------------------------------------------------------+
 *   |  magic                                                        |    0
 *   |                                                               |
 *   +-------------------------------+-------------------------------+
 *   |  version: 0 until all else is written                         |    8
 *   +---------------------------------------------------------------+
 *   |  checksum: CRC-32C of bytes 16 to 1535                        |   12
 *   +---------------------------------------------------------------+
 *   |  file length                                                  |   16
 *   |                                                               |
 *   +---------------------------------------------------------------+
 *   |  device id: drawn at init, tells one life of a file name      |   24
 *   |  from the next                                     (16 bytes) |
 *   +---------------------------------------------------------------+
 *   |  created, milliseconds since 1970                             |   40
 *   |                                                               |
 *   +---------------------------------------------------------------+
 *   |  serial number                                                |   48
 *   |                                                               |
 *   +---------------------------------------------------------------+
 *   |  block size                                                   |   56
 *   |                                                               |
 *   +---------------------------------------------------------------+
 *   |  block count                                                  |   64
 *   |                                                               |
 *   +---------------------------------------------------------------+
 *   |  head count                                                   |   72
 *   +---------------------------------------------------------------+
 *   |  lane length in bytes                                         |   76
 *   +---------------------------------------------------------------+
 *   |  region count                                                 |   80
 *   +---------------------------------------------------------------+
 *   |  media space: 0 reserved before it is offered, 1 sparse       |   84
 *   +---------------------------------------------------------------+
 *   |  head table: offset, length (8 bytes each)                    |   88
 *   |  extent tables: offset, length                                |  104
 *   |  tag table: offset, length                                    |  120
 *   |  region settings: offset, length                              |  136
 *   |  poison table: offset, length                                 |  152
 *   |  counters: offset, length                                     |  168
 *   |  error logs: offset, length                                   |  184
 *   |  owner map: offset, length                                    |  200
 *   +---------------------------------------------------------------+
 *   |  8 reserved bytes                                             |  216
 *   +---------------------------------------------------------------+
 *   |  region: base DPA, decode length, length, first block, flags  |  224
 *   |  (8 bytes each)                          repeated to 8 regions|
 *   |  flags: bit 0 shareable                                       |
 *   +---------------------------------------------------------------+
 *   |  media path: length in bytes                                  |  544
 *   +---------------------------------------------------------------+
 *   |  media path, UTF-8                                (988 bytes) |  548
 *   +---------------------------------------------------------------+
 *   |  reserved to the end of the page                              | 1536
 *   +---------------------------------------------------------------+
 *
 *  Head row (256 bytes)
 *   +---------------------------------------------------------------+
 *   |  incarnation: grows with each lease and each reap             |    0
 *   |  operation: odd while extent table and owner map may disagree |    8
 *   |  state (4 bytes): 0 free, 1 starting, 2 serving, 3 reaping    |   16
 *   |  reserved (4 bytes)                                           |   20
 *   |  process id                                                   |   24
 *   |  process start, clock ticks since boot                        |   32
 *   |  attached, milliseconds since 1970                            |   40
 *   |  control socket: length in bytes (4 bytes)                    |   48
 *   |  control socket, path in UTF-8 (124 bytes)                    |   52
 *   |  80 reserved bytes                                            |  176
 *   +---------------------------------------------------------------+
 *
 *  Extent table (36864 bytes)
 *   +---------------------------------------------------------------+
 *   |  sequence: odd while the table is being written               |    0
 *   |  extent count (4 bytes)                                       |    8
 *   |  generation of the accepted list (4 bytes)                    |   12
 *   |  48 reserved bytes                                            |   16
 *   +---------------------------------------------------------------+
 *   |  entry (64 bytes):                     repeated to 512 entries|   64
 *   |    start DPA                                                  |   +0
 *   |    length in bytes                                            |   +8
 *   |    tag, most significant half                                 |  +16
 *   |    tag, least significant half                                |  +24
 *   |    pending group, 0 for an accepted extent                    |  +32
 *   |    shared sequence (4 bytes)                                  |  +40
 *   |    20 reserved bytes                                          |  +44
 *   +---------------------------------------------------------------+
 *
 *  Tag table (1122368 bytes)
 *   +---------------------------------------------------------------+
 *   |  sequence: odd while the table is being changed               |    0
 *   |  56 reserved bytes                                            |    8
 *   +---------------------------------------------------------------+
 *   |  row (8768 bytes):                        repeated to 128 rows|   64
 *   |    life: state (bits 1:0; 0 free, 1 live, 2 being freed),     |   +0
 *   |          FM reference (bit 2), epoch (bits 63:16)             |
 *   |    holders: bit h for head h                                  |   +8
 *   |    tag, most significant half                                 |  +16
 *   |    tag, least significant half                                |  +24
 *   |    region (4 bytes)                                           |  +32
 *   |    extent count (4 bytes)                                     |  +36
 *   |    checksum (4 bytes): CRC-32C of epoch, tag, region, extents |  +40
 *   |    20 reserved bytes                                          |  +44
 *   |    incarnation in which head h holds it   repeated to 64 heads|  +64
 *   |    extent: start DPA, length (8 bytes each)   repeated to 512 | +576
 *   +---------------------------------------------------------------+
 *
 *  Region settings: a row of 64 bytes for each region
 *   +---------------------------------------------------------------+
 *   |  setting: block size in doublings of the device's (bits 7:0), |    0
 *   |           sanitize on release (bit 8), 1 + proposed doublings |
 *   |           or 0 (bits 23:16), generation (bits 63:32)          |
 *   |  56 reserved bytes                                            |    8
 *   +---------------------------------------------------------------+
 *
 *  Poison table (61632 bytes)
 *   +---------------------------------------------------------------+
 *   |  current: which list counts (bit 0), generation (bits 63:1)   |    0
 *   |  1 while poison is being added, or whoever did so died        |    8
 *   |  48 reserved bytes                                            |   16
 *   +---------------------------------------------------------------+
 *   |  list (30784 bytes):                       repeated to 2 lists|   64
 *   |    record count (4 bytes)                                     |   +0
 *   |    flags (4 bytes): bit 0 overflow                            |   +4
 *   |    time of the overflow, nanoseconds since 1970               |   +8
 *   |    count of what the poison list had no room for (4 bytes)    |  +16
 *   |    44 reserved bytes                                          |  +20
 *   |    record: start DPA, length (8 bytes each), source (4 bytes),|  +64
 *   |            4 reserved bytes             repeated to 256       |
 *   |    record that the list had no room for, repeated to 1024     |+6208
 *   +---------------------------------------------------------------+
 * </pre>
 *
 * Checked when the class is loaded: sections and rows are aligned for their atomics, no field reaches into the next.
 */
public final class StateFileDescriptor {
    /** The bytes "MHSLDev1". */
    public static final long MAGIC = 0x3176_6544_4C53_484DL;

    /** Refused on open when different; a change of the layout raises it. */
    public static final int VERSION = 2;

    /** Length of the header: one page. */
    public static final int HEADER_LENGTH = 4096;

    /** Sections start at page boundaries. */
    public static final int SECTION_ALIGNMENT = 4096;

    static final int MAGIC_OFFSET = 0;
    static final int VERSION_OFFSET = MAGIC_OFFSET + Long.BYTES;
    static final int CHECKSUM_OFFSET = VERSION_OFFSET + Integer.BYTES;
    static final int FILE_LENGTH_OFFSET = CHECKSUM_OFFSET + Integer.BYTES;
    static final int DEVICE_ID_OFFSET = FILE_LENGTH_OFFSET + Long.BYTES;
    static final int CREATED_MS_OFFSET = DEVICE_ID_OFFSET + 2 * Long.BYTES;
    static final int SERIAL_OFFSET = CREATED_MS_OFFSET + Long.BYTES;
    static final int BLOCK_SIZE_OFFSET = SERIAL_OFFSET + Long.BYTES;
    static final int BLOCK_COUNT_OFFSET = BLOCK_SIZE_OFFSET + Long.BYTES;
    static final int HEAD_COUNT_OFFSET = BLOCK_COUNT_OFFSET + Long.BYTES;
    static final int LANE_BYTES_OFFSET = HEAD_COUNT_OFFSET + Integer.BYTES;
    static final int REGION_COUNT_OFFSET = LANE_BYTES_OFFSET + Integer.BYTES;
    static final int MEDIA_SPACE_OFFSET = REGION_COUNT_OFFSET + Integer.BYTES;
    static final int SECTIONS_OFFSET = MEDIA_SPACE_OFFSET + Integer.BYTES;
    static final int SECTION_ENTRY_LENGTH = 2 * Long.BYTES;
    static final int REGIONS_OFFSET = 224;
    static final int REGION_ENTRY_LENGTH = 5 * Long.BYTES;
    static final int MEDIA_PATH_LENGTH_OFFSET = REGIONS_OFFSET + Geometry.MAX_REGIONS * REGION_ENTRY_LENGTH;
    static final int MEDIA_PATH_OFFSET = MEDIA_PATH_LENGTH_OFFSET + Integer.BYTES;
    static final int CHECKSUMMED_END = 1536;

    /** Longest path of a media file, in bytes of UTF-8. */
    public static final int MAX_MEDIA_PATH_BYTES = CHECKSUMMED_END - MEDIA_PATH_OFFSET;

    static final int HEAD_ROW_LENGTH = 256;
    static final int INCARNATION_OFFSET = 0;
    static final int OPERATION_OFFSET = INCARNATION_OFFSET + Long.BYTES;
    static final int HEAD_STATE_OFFSET = OPERATION_OFFSET + Long.BYTES;
    static final int PID_OFFSET = HEAD_STATE_OFFSET + 2 * Integer.BYTES;
    static final int PROCESS_START_TICKS_OFFSET = PID_OFFSET + Long.BYTES;
    static final int ATTACHED_MS_OFFSET = PROCESS_START_TICKS_OFFSET + Long.BYTES;
    static final int SOCKET_LENGTH_OFFSET = ATTACHED_MS_OFFSET + Long.BYTES;
    static final int SOCKET_OFFSET = SOCKET_LENGTH_OFFSET + Integer.BYTES;
    static final int MAX_SOCKET_BYTES = 124;

    static final int MAX_EXTENTS = 512;
    static final int EXTENT_TABLE_LENGTH = 36864;
    static final int SEQUENCE_OFFSET = 0;
    static final int EXTENT_COUNT_OFFSET = SEQUENCE_OFFSET + Long.BYTES;
    static final int GENERATION_OFFSET = EXTENT_COUNT_OFFSET + Integer.BYTES;
    static final int EXTENTS_OFFSET = 64;
    static final int EXTENT_ENTRY_LENGTH = 64;
    static final int EXTENT_DPA_OFFSET = 0;
    static final int EXTENT_LENGTH_OFFSET = EXTENT_DPA_OFFSET + Long.BYTES;
    static final int EXTENT_TAG_HIGH_OFFSET = EXTENT_LENGTH_OFFSET + Long.BYTES;
    static final int EXTENT_TAG_LOW_OFFSET = EXTENT_TAG_HIGH_OFFSET + Long.BYTES;
    static final int EXTENT_GROUP_OFFSET = EXTENT_TAG_LOW_OFFSET + Long.BYTES;
    static final int EXTENT_SEQUENCE_OFFSET = EXTENT_GROUP_OFFSET + Long.BYTES;

    static final int TAG_TABLE_HEADER_LENGTH = 64;
    static final int TAG_ROWS = 128;
    static final int TAG_LIFE_OFFSET = 0;
    static final int TAG_HOLDERS_OFFSET = TAG_LIFE_OFFSET + Long.BYTES;
    static final int TAG_HIGH_OFFSET = TAG_HOLDERS_OFFSET + Long.BYTES;
    static final int TAG_LOW_OFFSET = TAG_HIGH_OFFSET + Long.BYTES;
    static final int TAG_REGION_OFFSET = TAG_LOW_OFFSET + Long.BYTES;
    static final int TAG_EXTENT_COUNT_OFFSET = TAG_REGION_OFFSET + Integer.BYTES;
    static final int TAG_CHECKSUM_OFFSET = TAG_EXTENT_COUNT_OFFSET + Integer.BYTES;
    static final int TAG_INCARNATIONS_OFFSET = 64;
    static final int TAG_EXTENTS_OFFSET = TAG_INCARNATIONS_OFFSET + Geometry.MAX_HEADS * Long.BYTES;
    static final int TAG_EXTENT_LENGTH = 2 * Long.BYTES;
    static final int TAG_ROW_LENGTH = TAG_EXTENTS_OFFSET + MAX_EXTENTS * TAG_EXTENT_LENGTH;
    static final int TAG_TABLE_LENGTH = TAG_TABLE_HEADER_LENGTH + TAG_ROWS * TAG_ROW_LENGTH;

    static final int REGION_ROW_LENGTH = 64;

    static final int POISON_TABLE_HEADER_LENGTH = 64;
    static final int POISON_LISTS = 2;
    static final int POISON_ADDING_OFFSET = Long.BYTES;
    static final int MAX_POISON_RECORDS = 256;
    static final int MAX_UNLISTED_POISON = 1024;
    static final int POISON_COUNT_OFFSET = 0;
    static final int POISON_FLAGS_OFFSET = POISON_COUNT_OFFSET + Integer.BYTES;
    static final int POISON_OVERFLOW_NS_OFFSET = POISON_FLAGS_OFFSET + Integer.BYTES;
    static final int POISON_UNLISTED_OFFSET = POISON_OVERFLOW_NS_OFFSET + Long.BYTES;
    static final int POISON_RECORDS_OFFSET = 64;
    static final int POISON_RECORD_LENGTH = 24;
    static final int POISON_SOURCE_OFFSET = 2 * Long.BYTES;
    static final int POISON_LIST_LENGTH =
            POISON_RECORDS_OFFSET + (MAX_POISON_RECORDS + MAX_UNLISTED_POISON) * POISON_RECORD_LENGTH;
    static final int POISON_TABLE_LENGTH = POISON_TABLE_HEADER_LENGTH + POISON_LISTS * POISON_LIST_LENGTH;

    static final int COUNTER_ROW_LENGTH = 256;

    static final int ERROR_LOG_LENGTH = 8192;

    /** The sections in the order in which they stand in the file. */
    enum Section {
        HEAD_TABLE(0),
        EXTENT_TABLES(1),
        TAG_TABLE(2),
        REGION_SETTINGS(3),
        POISON_TABLE(4),
        COUNTERS(5),
        ERROR_LOGS(6),
        OWNER_MAP(7);

        private final int position;

        Section(int position) {
            this.position = position;
        }

        /** Where this section's offset and length stand in the header. */
        int entryOffset() {
            return SECTIONS_OFFSET + position * SECTION_ENTRY_LENGTH;
        }

        /** Length in bytes for a device of that shape. */
        long lengthBytes(Geometry geometry) {
            return switch (this) {
                case HEAD_TABLE -> (long) geometry.headCount() * HEAD_ROW_LENGTH;
                case EXTENT_TABLES -> (long) geometry.headCount() * EXTENT_TABLE_LENGTH;
                case TAG_TABLE -> TAG_TABLE_LENGTH;
                case REGION_SETTINGS -> (long) geometry.regions().size() * REGION_ROW_LENGTH;
                case POISON_TABLE -> POISON_TABLE_LENGTH;
                case COUNTERS -> (long) geometry.headCount() * COUNTER_ROW_LENGTH;
                case ERROR_LOGS -> (long) geometry.headCount() * ERROR_LOG_LENGTH;
                case OWNER_MAP -> geometry.ownerMapBytes();
            };
        }

        /** Offset in the file for a device of that shape. */
        long offset(Geometry geometry) {
            long offset = HEADER_LENGTH;
            for (Section section : values()) {
                if (section == this) {
                    break;
                }
                offset = Geometry.roundUp(offset + section.lengthBytes(geometry), SECTION_ALIGNMENT);
            }
            return offset;
        }
    }

    /**
     * Whose part of a section a place is: whoever stores there must have that head's lease.
     *
     * @param section as a {@link SharedMemory.Step} is told
     * @return the head, or -1 when the place is nobody's own
     */
    public static int headOf(String section, long offset) {
        return (int)
                switch (section) {
                    case "HEAD_TABLE" -> offset / HEAD_ROW_LENGTH;
                    case "EXTENT_TABLES" -> offset / EXTENT_TABLE_LENGTH;
                    case "COUNTERS" -> offset / COUNTER_ROW_LENGTH;
                    default -> -1;
                };
    }

    /** Length of the whole file for a device of that shape. */
    public static long fileLength(Geometry geometry) {
        return Geometry.roundUp(
                Section.OWNER_MAP.offset(geometry) + Section.OWNER_MAP.lengthBytes(geometry), SECTION_ALIGNMENT);
    }

    static {
        require(
                Section.OWNER_MAP.entryOffset() + SECTION_ENTRY_LENGTH <= REGIONS_OFFSET,
                "sections reach into regions");
        require(MEDIA_PATH_OFFSET + MAX_MEDIA_PATH_BYTES <= HEADER_LENGTH, "media path reaches over the header");
        require(SOCKET_OFFSET + MAX_SOCKET_BYTES <= HEAD_ROW_LENGTH, "control socket reaches over the head row");
        require(
                EXTENTS_OFFSET + MAX_EXTENTS * EXTENT_ENTRY_LENGTH <= EXTENT_TABLE_LENGTH,
                "extents reach over the table");
        require(EXTENT_SEQUENCE_OFFSET + Integer.BYTES <= EXTENT_ENTRY_LENGTH, "extent fields reach over the entry");
        require(TAG_CHECKSUM_OFFSET + Integer.BYTES <= TAG_INCARNATIONS_OFFSET, "tag fields reach into incarnations");
        require(TAG_ROW_LENGTH % Long.BYTES == 0, "tag rows are not aligned for their atomics");
        require(POISON_UNLISTED_OFFSET + Integer.BYTES <= POISON_RECORDS_OFFSET, "poison fields reach into records");
        require(POISON_SOURCE_OFFSET + Integer.BYTES <= POISON_RECORD_LENGTH, "poison source reaches over its record");
        require(POISON_LIST_LENGTH % Long.BYTES == 0, "poison lists are not aligned");
        require(Counter.values().length * Long.BYTES <= COUNTER_ROW_LENGTH, "counters reach over their row");
        require(EXTENT_TABLE_LENGTH % SECTION_ALIGNMENT == 0, "extent tables are not page aligned");
    }

    private static void require(boolean condition, String failure) {
        if (!condition) {
            throw new ExceptionInInitializerError("state file layout: " + failure);
        }
    }

    private StateFileDescriptor() {}
}
