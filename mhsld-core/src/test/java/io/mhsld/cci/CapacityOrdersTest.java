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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The fabric manager's orders as a head carries them out; addresses are absolute. */
class CapacityOrdersTest {
    private static final int FORCED = 1 << 4;
    private static final int SANITIZE = 1 << 5;
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

    private ReturnCode orderLength(int opcode, int policy, int region, long lengthBytes, String tag) {
        ByteBuffer payload = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
        payload.putShort((short) 0)
                .put((byte) policy)
                .put((byte) region)
                .putLong(lengthBytes)
                .put(hex(tag));
        return orders.execute(opcode, payload.array()).code();
    }

    private static DynamicCapacity.HostRange host(long[] range) {
        return new DynamicCapacity.HostRange(range[0], range[1]);
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
    void shouldRefuseExtentsOutsideEveryRegion() {
        long end = (2L << 30) / TestDevice.BLOCK;
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, order(0x5604, 2, 0, TAG, blocks(0, end, 1)));
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, order(0x5604, 2, 1, TAG, blocks(0, -1, 1)), "below them");
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, order(0x5604, 2, 0, TAG, blocks(0, end / 2 - 1, 2)), "two");
        assertEquals(
                ReturnCode.INVALID_PHYSICAL_ADDRESS,
                order(0x5604, 2, 0, TAG, new long[] {-TestDevice.BLOCK, 2 * TestDevice.BLOCK}),
                "wraps");
        assertEquals(ReturnCode.INVALID_EXTENT_LIST, order(0x5604, 2, 0, TAG, blocks(0, 0, 0)), "no length");
    }

    @Test
    void shouldFindTheRegionOfNamedExtentsByTheirAddresses() {
        assertEquals(ReturnCode.SUCCESS, order(0x5604, 2, 7, NO_TAG, blocks(1, 0, 1), blocks(0, 0, 1)));
        assertEquals(2, capacity.pending().get(0).extents().size());
    }

    @Test
    void shouldRefuseWhatOverlaps() {
        assertEquals(ReturnCode.INVALID_EXTENT_LIST, order(0x5604, 2, 0, NO_TAG, blocks(0, 0, 2), blocks(0, 1, 1)));
        assertEquals(ReturnCode.SUCCESS, order(0x5604, 2, 0, NO_TAG, blocks(0, 0, 2)));
        assertEquals(ReturnCode.INVALID_EXTENT_LIST, order(0x5604, 2, 0, NO_TAG, blocks(0, 1, 2)), "pending");
        capacity.addResponse(List.of(TestDevice.hostBlocks(0, 2)), false);
        assertEquals(ReturnCode.INVALID_EXTENT_LIST, order(0x5604, 2, 0, NO_TAG, blocks(0, 1, 2)), "accepted");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void shouldChooseCapacityOfALength(int policy) {
        assertEquals(ReturnCode.SUCCESS, orderLength(0x5604, policy, 1, 3 * TestDevice.BLOCK, TAG));
        Extent offered = capacity.pending().get(0).extents().get(0);
        assertEquals(3 * TestDevice.BLOCK, offered.lengthBytes());
        assertEquals(1, capacity.regionOf(offered.startDpa(), 1).orElseThrow().id());
        assertEquals(ReturnCode.INVALID_INPUT, orderLength(0x5604, policy, 1, TestDevice.BLOCK / 2, TAG), "length");
        assertEquals(ReturnCode.INVALID_INPUT, orderLength(0x5604, policy, 2, TestDevice.BLOCK, TAG), "region");
        assertEquals(ReturnCode.RESOURCES_EXHAUSTED, orderLength(0x5604, policy, 1, 1L << 40, TAG));
        assertEquals(ReturnCode.SUCCESS, orderLength(0x5604, policy, 1, 0, TAG), "nothing");
        assertEquals(1, capacity.pending().size());
    }

    @Test
    void shouldJoinOnlySharedCapacity() {
        assertEquals(ReturnCode.INVALID_INPUT, orderLength(0x5604, 3, 0, 0, TAG), "not shareable");
        assertEquals(ReturnCode.SUCCESS, orderLength(0x5604, 3, 0, 0, NO_TAG), "nothing");
        assertEquals(ReturnCode.INVALID_INPUT, orderLength(0x5604, 4, 0, 0, TAG), "no such policy");
    }

    @Test
    void shouldTakeBackByTag() {
        assertEquals(ReturnCode.SUCCESS, order(0x5604, 2, 0, TAG, blocks(0, 0, 2), blocks(1, 4, 2)));
        assertEquals(ReturnCode.INVALID_INPUT, orderLength(0x5605, 0, 0, 0, TAG), "only offered");
        capacity.addResponse(List.of(TestDevice.hostBlocks(0, 2), host(blocks(1, 4, 2))), false);
        assertEquals(ReturnCode.SUCCESS, orderLength(0x5605, 0, 0, 0, TAG));
        assertEquals(2, capacity.acceptedCount(), "until the host does");
        assertEquals(ReturnCode.INVALID_INPUT, orderLength(0x5605, FORCED, 0, 1L << 30, TAG), "more than there is");
        assertEquals(ReturnCode.INVALID_INPUT, orderLength(0x5605, FORCED, 0, 1, TAG), "no multiple of a block");
        assertEquals(ReturnCode.SUCCESS, orderLength(0x5605, FORCED, 0, TestDevice.BLOCK, TAG));
        assertEquals(
                3 * TestDevice.BLOCK,
                capacity.accepted().stream().mapToLong(Extent::lengthBytes).sum());
        assertEquals(ReturnCode.SUCCESS, orderLength(0x5605, FORCED | SANITIZE, 0, 0, TAG));
        assertEquals(0, capacity.acceptedCount());
        assertEquals(ReturnCode.INVALID_INPUT, orderLength(0x5605, FORCED, 0, 0, TAG), "unknown by now");
        assertEquals(ReturnCode.INVALID_INPUT, orderLength(0x5605, 2, 0, 0, TAG), "no such policy");
        assertEquals(ReturnCode.SUCCESS, orderLength(0x5605, 0, 0, 0, NO_TAG), "nothing");
    }

    @Test
    void shouldTakeBackAllOrNothing() {
        order(0x5604, 2, 0, NO_TAG, blocks(0, 0, 1));
        assertEquals(
                ReturnCode.INVALID_PHYSICAL_ADDRESS,
                order(0x5605, 1 | FORCED, 0, NO_TAG, blocks(0, 0, 1), blocks(1, 0, 1)));
        assertEquals(1, capacity.pending().size());
    }

    @Test
    void shouldLookAtTheRegionsWhenToldTo() {
        assertEquals(
                ReturnCode.SUCCESS,
                orders.execute(CapacityOrders.REGIONS_CHANGED, new byte[0]).code());
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
        assertEquals(
                ReturnCode.INVALID_PHYSICAL_ADDRESS, order(0x5605, 1, 0, NO_TAG, blocks(0, 0, 1)), "still pending");
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
