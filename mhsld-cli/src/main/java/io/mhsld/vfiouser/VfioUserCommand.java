package io.mhsld.vfiouser;

import static io.mhsld.vfiouser.VfioUserDescriptor.ACCESS_LENGTH;
import static io.mhsld.vfiouser.VfioUserDescriptor.CAPABILITIES_OFFSET;
import static io.mhsld.vfiouser.VfioUserDescriptor.DESCRIPTORS_LIMIT;
import static io.mhsld.vfiouser.VfioUserDescriptor.DEVICE_INFO_LENGTH;
import static io.mhsld.vfiouser.VfioUserDescriptor.EINVAL;
import static io.mhsld.vfiouser.VfioUserDescriptor.ENOTSUP;
import static io.mhsld.vfiouser.VfioUserDescriptor.IO_FDS_LENGTH;
import static io.mhsld.vfiouser.VfioUserDescriptor.IRQ_INFO_LENGTH;
import static io.mhsld.vfiouser.VfioUserDescriptor.MAP_LENGTH;
import static io.mhsld.vfiouser.VfioUserDescriptor.MULTI_COUNT_LENGTH;
import static io.mhsld.vfiouser.VfioUserDescriptor.REGION_INFO_LENGTH;
import static io.mhsld.vfiouser.VfioUserDescriptor.SET_IRQS_LENGTH;
import static io.mhsld.vfiouser.VfioUserDescriptor.UNMAP_LENGTH;

/** The commands, a row for each. A number that has none is refused with EINVAL, one that has no handler with ENOTSUP. */
enum VfioUserCommand {
    VERSION(1, CAPABILITIES_OFFSET, 0, VfioUserSession::version),
    DMA_MAP(2, MAP_LENGTH, 1, VfioUserSession::mapDma),
    DMA_UNMAP(3, UNMAP_LENGTH, 0, VfioUserSession::unmapDma),
    DEVICE_GET_INFO(4, DEVICE_INFO_LENGTH, 0, VfioUserSession::deviceInfo),
    DEVICE_GET_REGION_INFO(5, REGION_INFO_LENGTH, 0, VfioUserSession::regionInfo),
    DEVICE_GET_REGION_IO_FDS(6, IO_FDS_LENGTH, 0, VfioUserSession::regionIoDescriptors),
    DEVICE_GET_IRQ_INFO(7, IRQ_INFO_LENGTH, 0, VfioUserSession::interruptInfo),
    DEVICE_SET_IRQS(8, SET_IRQS_LENGTH, DESCRIPTORS_LIMIT, VfioUserSession::setInterrupts),
    REGION_READ(9, ACCESS_LENGTH, 0, VfioUserSession::readRegion),
    REGION_WRITE(10, ACCESS_LENGTH, 0, VfioUserSession::writeRegion),
    // What a server sends to its client.
    DMA_READ(11, 0, 0, null),
    DMA_WRITE(12, 0, 0, null),
    DEVICE_RESET(13, 0, 0, VfioUserSession::reset),
    REGION_WRITE_MULTI(15, MULTI_COUNT_LENGTH, 0, VfioUserSession::writeRegions),
    // Migration, and what is asked for it.
    DEVICE_FEATURE(16, 0, 0, null),
    MIG_DATA_READ(17, 0, 0, null),
    MIG_DATA_WRITE(18, 0, 0, null);

    /** Does what the message of the session says; an error number, or 0 when the answer is ready. */
    private interface Handler {
        int handle(VfioUserSession session);
    }

    private static final VfioUserCommand[] BY_NUMBER = byNumber();

    private final int number;
    private final int payloadLength;
    private final int descriptorsLimit;
    private final Handler handler;

    /**
     * One row.
     *
     * @param payloadLength at least so long
     * @param descriptorsLimit so many descriptors may come with it
     */
    VfioUserCommand(int number, int payloadLength, int descriptorsLimit, Handler handler) {
        this.number = number;
        this.payloadLength = payloadLength;
        this.descriptorsLimit = descriptorsLimit;
        this.handler = handler;
    }

    int number() {
        return number;
    }

    /** Does what a message says; an error number, or 0 when the answer is ready. */
    static int handle(int number, int payloadLength, int descriptorCount, VfioUserSession session) {
        VfioUserCommand command = number < BY_NUMBER.length ? BY_NUMBER[number] : null;
        if (command == null || (command != VERSION && !session.isNegotiated())) {
            return EINVAL;
        }
        if (command.handler == null) {
            return ENOTSUP;
        }
        if (payloadLength < command.payloadLength || descriptorCount > command.descriptorsLimit) {
            return EINVAL;
        }
        return command.handler.handle(session);
    }

    private static VfioUserCommand[] byNumber() {
        VfioUserCommand[] rows = new VfioUserCommand[MIG_DATA_WRITE.number + 1];
        for (VfioUserCommand command : values()) {
            rows[command.number] = command;
        }
        return rows;
    }
}
