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

import java.util.List;

/**
 * A row of the table of commands.
 *
 * @param payloadLength at least so long
 * @param descriptorsLimit so many descriptors may come with it
 * @param handler null: part of the protocol, but not of this server
 */
record VfioUserCommand(String name, int number, int payloadLength, int descriptorsLimit, Handler handler) {
    /** Does what the message of the session says; an error number, or 0 when the answer is ready. */
    interface Handler {
        /** Within a turn. */
        int handle(VfioUserSession session);
    }

    private static final int VERSION = 1;

    /** A number that has no row is refused with EINVAL, a row that has no handler with ENOTSUP. */
    static final List<VfioUserCommand> ALL = List.of(
            new VfioUserCommand("VERSION", VERSION, CAPABILITIES_OFFSET, 0, VfioUserSession::version),
            new VfioUserCommand("DMA_MAP", 2, MAP_LENGTH, 1, VfioUserSession::mapDma),
            new VfioUserCommand("DMA_UNMAP", 3, UNMAP_LENGTH, 0, VfioUserSession::unmapDma),
            new VfioUserCommand("DEVICE_GET_INFO", 4, DEVICE_INFO_LENGTH, 0, VfioUserSession::deviceInfo),
            new VfioUserCommand("DEVICE_GET_REGION_INFO", 5, REGION_INFO_LENGTH, 0, VfioUserSession::regionInfo),
            new VfioUserCommand("DEVICE_GET_REGION_IO_FDS", 6, IO_FDS_LENGTH, 0, VfioUserSession::regionIoDescriptors),
            new VfioUserCommand("DEVICE_GET_IRQ_INFO", 7, IRQ_INFO_LENGTH, 0, VfioUserSession::interruptInfo),
            new VfioUserCommand(
                    "DEVICE_SET_IRQS", 8, SET_IRQS_LENGTH, DESCRIPTORS_LIMIT, VfioUserSession::setInterrupts),
            new VfioUserCommand("REGION_READ", 9, ACCESS_LENGTH, 0, VfioUserSession::readRegion),
            new VfioUserCommand("REGION_WRITE", 10, ACCESS_LENGTH, 0, VfioUserSession::writeRegion),
            // What a server sends to its client.
            new VfioUserCommand("DMA_READ", 11, 0, 0, null),
            new VfioUserCommand("DMA_WRITE", 12, 0, 0, null),
            new VfioUserCommand("DEVICE_RESET", 13, 0, 0, VfioUserSession::reset),
            new VfioUserCommand("REGION_WRITE_MULTI", 15, MULTI_COUNT_LENGTH, 0, VfioUserSession::writeRegions),
            // Migration, and what is asked for it.
            new VfioUserCommand("DEVICE_FEATURE", 16, 0, 0, null),
            new VfioUserCommand("MIG_DATA_READ", 17, 0, 0, null),
            new VfioUserCommand("MIG_DATA_WRITE", 18, 0, 0, null));

    private static final VfioUserCommand[] BY_NUMBER = byNumber();

    /** Does what a message says; an error number, or 0 when the answer is ready. */
    static int handle(int number, int payloadLength, int descriptorCount, VfioUserSession session) {
        VfioUserCommand command = number < BY_NUMBER.length ? BY_NUMBER[number] : null;
        if (command == null || (number != VERSION && !session.isNegotiated())) {
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
        VfioUserCommand[] rows = new VfioUserCommand
                [1 + ALL.stream().mapToInt(VfioUserCommand::number).max().orElseThrow()];
        for (VfioUserCommand command : ALL) {
            rows[command.number] = command;
        }
        return rows;
    }
}
