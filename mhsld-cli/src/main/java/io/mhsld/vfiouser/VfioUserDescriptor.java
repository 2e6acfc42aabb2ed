package io.mhsld.vfiouser;

/**
 * The messages of vfio-user, as both sides see them in the order of bytes of this machine. Source: QEMU's {@code docs/interop/vfio-user.rst}; the
 * structures inside are those of {@code linux/vfio.h}.
 *
 * <pre>
 *    0               2               4                               8
 *   +---------------+---------------+-------------------------------+
 *   | id            | command       | size, with this header        |
 *   +---------------+---------------+-------------------------------+   16 bytes: the header, and all of a refusal
 *   | flags                         | error number                  |
 *   +-------------------------------+-------------------------------+
 *   | payload
 *
 *   payloads, offsets counted from their start:
 *
 *   VERSION          major u16 | minor u16 | JSON, ends with NUL
 *   DEVICE_GET_INFO  argsz | flags | regions | interrupt indexes
 *   GET_REGION_INFO  argsz | flags | index | capabilities at | size u64 | offset u64
 *   GET_REGION_IO_FDS
 *   GET_IRQ_INFO     argsz | flags | index | count
 *   SET_IRQS         argsz | flags | index | start | count | a byte for each, if the flags say so
 *   REGION_READ      offset u64 | region | count                 the answer has the data behind it
 *   REGION_WRITE     offset u64 | region | count | data          the answer is without the data
 *   WRITE_MULTI      count u64 | count times: offset u64 | region | count | data, 8 bytes
 *   DMA_MAP          argsz | flags | offset in the file u64 | address u64 | size u64
 *   DMA_UNMAP        argsz | flags | address u64 | size u64
 * </pre>
 *
 * What has no width here is a u32.
 */
final class VfioUserDescriptor {
    static final int ID_OFFSET = 0;
    static final int COMMAND_OFFSET = ID_OFFSET + Short.BYTES;
    static final int SIZE_OFFSET = COMMAND_OFFSET + Short.BYTES;
    static final int FLAGS_OFFSET = SIZE_OFFSET + Integer.BYTES;
    static final int ERROR_OFFSET = FLAGS_OFFSET + Integer.BYTES;
    static final int HEADER_LENGTH = ERROR_OFFSET + Integer.BYTES;

    // Flags of the header.
    static final int TYPE_MASK = 0x0F;
    static final int TYPE_COMMAND = 0;
    static final int TYPE_REPLY = 1;
    static final int NO_REPLY = 0x10;
    static final int ERROR = 0x20;

    static final int MAJOR_OFFSET = 0;
    static final int MINOR_OFFSET = MAJOR_OFFSET + Short.BYTES;
    static final int CAPABILITIES_OFFSET = MINOR_OFFSET + Short.BYTES;

    // All structures of linux/vfio.h begin with these two.
    static final int ARGSZ_OFFSET = 0;
    static final int ARG_FLAGS_OFFSET = ARGSZ_OFFSET + Integer.BYTES;
    static final int INDEX_OFFSET = ARG_FLAGS_OFFSET + Integer.BYTES;

    static final int REGION_COUNT_OFFSET = INDEX_OFFSET;
    static final int IRQ_INDEX_COUNT_OFFSET = REGION_COUNT_OFFSET + Integer.BYTES;
    static final int DEVICE_INFO_LENGTH = IRQ_INDEX_COUNT_OFFSET + Integer.BYTES;
    static final int DEVICE_FLAG_RESET = 1;
    static final int DEVICE_FLAG_PCI = 2;

    static final int REGION_CAPABILITIES_OFFSET = INDEX_OFFSET + Integer.BYTES;
    static final int REGION_SIZE_OFFSET = REGION_CAPABILITIES_OFFSET + Integer.BYTES;
    static final int REGION_FILE_OFFSET_OFFSET = REGION_SIZE_OFFSET + Long.BYTES;
    static final int REGION_INFO_LENGTH = REGION_FILE_OFFSET_OFFSET + Long.BYTES;
    static final int REGION_FLAG_READ = 1;
    static final int REGION_FLAG_WRITE = 2;

    static final int IO_FDS_COUNT_OFFSET = INDEX_OFFSET + Integer.BYTES;
    static final int IO_FDS_LENGTH = IO_FDS_COUNT_OFFSET + Integer.BYTES;

    static final int IRQ_COUNT_OFFSET = INDEX_OFFSET + Integer.BYTES;
    static final int IRQ_INFO_LENGTH = IRQ_COUNT_OFFSET + Integer.BYTES;
    static final int IRQ_FLAG_EVENTFD = 1;
    static final int IRQ_FLAG_NORESIZE = 8;

    static final int SET_IRQS_START_OFFSET = INDEX_OFFSET + Integer.BYTES;
    static final int SET_IRQS_COUNT_OFFSET = SET_IRQS_START_OFFSET + Integer.BYTES;
    static final int SET_IRQS_LENGTH = SET_IRQS_COUNT_OFFSET + Integer.BYTES;
    static final int DATA_MASK = 0x07;
    static final int DATA_NONE = 0x01;
    static final int DATA_BOOL = 0x02;
    static final int DATA_EVENTFD = 0x04;
    static final int ACTION_MASK = 0x08;
    static final int ACTION_UNMASK = 0x10;
    static final int ACTION_TRIGGER = 0x20;

    static final int ACCESS_OFFSET_OFFSET = 0;
    static final int ACCESS_REGION_OFFSET = ACCESS_OFFSET_OFFSET + Long.BYTES;
    static final int ACCESS_COUNT_OFFSET = ACCESS_REGION_OFFSET + Integer.BYTES;
    static final int ACCESS_LENGTH = ACCESS_COUNT_OFFSET + Integer.BYTES;

    static final int MULTI_COUNT_LENGTH = Long.BYTES;
    static final int MULTI_DATA_LENGTH = 8;
    static final int MULTI_ROW_LENGTH = ACCESS_LENGTH + MULTI_DATA_LENGTH;

    static final int MAP_FILE_OFFSET_OFFSET = ARG_FLAGS_OFFSET + Integer.BYTES;
    static final int MAP_ADDRESS_OFFSET = MAP_FILE_OFFSET_OFFSET + Long.BYTES;
    static final int MAP_SIZE_OFFSET = MAP_ADDRESS_OFFSET + Long.BYTES;
    static final int MAP_LENGTH = MAP_SIZE_OFFSET + Long.BYTES;
    static final int MAP_FLAG_READ = 1;
    static final int MAP_FLAG_WRITE = 2;

    static final int UNMAP_ADDRESS_OFFSET = ARG_FLAGS_OFFSET + Integer.BYTES;
    static final int UNMAP_SIZE_OFFSET = UNMAP_ADDRESS_OFFSET + Long.BYTES;
    static final int UNMAP_LENGTH = UNMAP_SIZE_OFFSET + Long.BYTES;
    static final int UNMAP_FLAG_ALL = 2;

    /** Base address registers, expansion ROM, configuration space, VGA. */
    static final int REGIONS = 9;

    /** Interrupt indexes: INTx, MSI, MSI-X, errors, requests to let go. */
    static final int IRQ_INTX = 0;

    static final int IRQ_MSI = 1;
    static final int IRQ_MSIX = 2;
    static final int IRQ_ERROR = 3;
    static final int IRQ_REQUEST = 4;
    static final int IRQ_INDEXES = 5;

    // Linux's generic error numbers, which is what the protocol has.
    static final int ENOENT = 2;
    static final int E2BIG = 7;
    static final int EEXIST = 17;
    static final int EINVAL = 22;
    static final int ENOSPC = 28;
    static final int ENOTSUP = 95;

    /** How much data a message may carry; the default of the protocol. */
    static final int TRANSFER_LIMIT = 1 << 20;

    /** How long a message may be: the longest write. */
    static final int MESSAGE_LENGTH_LIMIT = HEADER_LENGTH + ACCESS_LENGTH + TRANSFER_LIMIT;

    /** How many descriptors a message may carry. QEMU would not take an answer with more than 16. */
    static final int DESCRIPTORS_LIMIT = 16;

    static final int PAGE_LENGTH = 4096;

    private VfioUserDescriptor() {}
}
