package io.mhsld.cci;

import static io.mhsld.cci.Host.hex;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.Extent;
import io.mhsld.type3.TestDevice;
import io.mhsld.type3.Type3Device;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The fabric manager's orders as a head carries them out; addresses are absolute. */
class CapacityOrdersTest {
    private static final int FORCED = 1 << 4;
    private static final String TAG = "00112233445566778899aabbccddeeff";
    private static final String NO_TAG = "00".repeat(16);

    private final Type3Device device = TestDevice.withRegions(2);
    private final DynamicCapacity capacity = device.capacity();
    private final CapacityOrders orders = new CapacityOrders(device, error -> {
        throw new AssertionError("internal error", error);
    });

    private ReturnCode order(int opcode, int policy, int region, String tag, long[]... extents) {
        ByteBuffer payload = ByteBuffer.allocate(32 + 40 * extents.length).order(ByteOrder.LITTLE_ENDIAN);
        payload.putShort((short) 0)
                .put((byte) policy)
                .put((byte) region)
                .putLong(0)
                .put(hex(tag));
        payload.putInt(extents.length);
        for (long[] extent : extents) {
            payload.putLong(extent[0]).putLong(extent[1]).put(new byte[24]);
        }
        return orders.execute(opcode, payload.array()).code();
    }

    private static long[] blocks(int region, long first, long count) {
        return new long[] {TestDevice.BASE + (region << 30) + first * TestDevice.BLOCK, count * TestDevice.BLOCK};
    }

    @Test
    void shouldOfferByAbsoluteAddressAndTag() {
        assertEquals(ReturnCode.SUCCESS, order(0x5604, 2, 1, TAG, blocks(1, 3, 2)));
        List<Extent> offered = capacity.pending().get(0).extents();
        assertEquals(
                TestDevice.BASE + (1L << 30) + 3 * TestDevice.BLOCK,
                offered.get(0).startDpa());
        assertEquals(TestDevice.TAG, offered.get(0).tag());
    }

    @Test
    void shouldRefuseExtentsOutsideTheRegion() {
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, order(0x5604, 2, 0, TAG, blocks(1, 0, 1)));
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, order(0x5604, 2, 1, TAG, blocks(0, 0, 1)), "below it");
        assertEquals(
                ReturnCode.INVALID_PHYSICAL_ADDRESS,
                order(0x5604, 2, 0, TAG, new long[] {-TestDevice.BLOCK, 2 * TestDevice.BLOCK}),
                "wraps");
        assertEquals(ReturnCode.INVALID_INPUT, order(0x5604, 2, 2, TAG, blocks(0, 0, 1)), "no such region");
        assertEquals(ReturnCode.INVALID_EXTENT_LIST, order(0x5604, 2, 0, TAG, blocks(0, 0, 0)), "no length");
    }

    @Test
    void shouldTakeBackFromSeveralRegions() {
        assertEquals(ReturnCode.SUCCESS, order(0x5604, 2, 0, NO_TAG, blocks(0, 0, 1)));
        assertEquals(ReturnCode.SUCCESS, order(0x5604, 2, 1, NO_TAG, blocks(1, 0, 1)));
        assertEquals(ReturnCode.SUCCESS, order(0x5605, 1 | FORCED, 0, NO_TAG, blocks(1, 0, 1), blocks(0, 0, 1)));
        assertEquals(DynamicCapacity.MAX_EXTENTS, capacity.extentsAvailable());
    }

    @Test
    void shouldAskTheHostToRelease() {
        order(0x5604, 2, 0, NO_TAG, blocks(0, 0, 1));
        assertEquals(ReturnCode.INVALID_EXTENT_LIST, order(0x5605, 1, 0, NO_TAG, blocks(0, 0, 1)), "still pending");
        capacity.addResponse(List.of(TestDevice.hostBlocks(0, 1)), false);
        assertEquals(ReturnCode.SUCCESS, order(0x5605, 1, 0, NO_TAG, blocks(0, 0, 1)));
        assertEquals(1, capacity.acceptedCount(), "until the host does");
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, order(0x5605, 1, 0, NO_TAG, blocks(0, 8, 1)));
    }

    @Test
    void shouldHaveNoOtherCommands() {
        assertEquals(ReturnCode.UNSUPPORTED, orders.execute(0x5600, new byte[0]).code());
        assertEquals(
                ReturnCode.INVALID_PAYLOAD_LENGTH,
                orders.execute(0x5604, new byte[31]).code());
    }
}
