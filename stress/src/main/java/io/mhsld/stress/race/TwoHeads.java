package io.mhsld.stress.race;

import io.mhsld.state.Geometry;
import io.mhsld.state.OwnerMap;
import io.mhsld.state.SharedSlots;
import org.agrona.concurrent.AtomicBuffer;

/**
 * The state of the races for blocks: an owner map of 16 blocks, seen by head A through one mapping and by head B through another, as two
 * processes see it. A is the first head that a lane has room for and B the last, so that both ends of a lane take part.
 */
abstract class TwoHeads {
    static final int BLOCKS = 16;

    /** The first head. */
    static final int A = 0;

    /** A third head, which owned its blocks before the race and does nothing. */
    static final int N = 1;

    private static final long BLOCK_SIZE_BYTES = 2L << 20;

    /** Indexed by the length of a lane in bytes. */
    private static final Geometry[] GEOMETRIES = new Geometry[Long.BYTES + 1];

    static {
        for (int laneBytes = 1; laneBytes <= Long.BYTES; laneBytes *= 2) {
            int headCount = laneBytes * Byte.SIZE;
            GEOMETRIES[laneBytes] = Geometry.of(headCount, BLOCKS * BLOCK_SIZE_BYTES, 1, BLOCK_SIZE_BYTES);
        }
    }

    final SharedSlots.Slot slot;

    /** The last head. */
    final int b;

    final OwnerMap mapOfA;
    final OwnerMap mapOfB;

    /** Room for 8 bytes of a block's memory. */
    final AtomicBuffer memoryOfA;

    final AtomicBuffer memoryOfB;

    TwoHeads(int laneBytes) {
        Geometry geometry = GEOMETRIES[laneBytes];
        int mapLength = BLOCKS * laneBytes;
        slot = SharedSlots.next(mapLength + Long.BYTES);
        b = geometry.headCount() - 1;
        mapOfA = slot.ownerMap(0, 0, geometry);
        mapOfB = slot.ownerMap(1, 0, geometry);
        memoryOfA = slot.memory(0, mapLength, Long.BYTES);
        memoryOfB = slot.memory(1, mapLength, Long.BYTES);
    }

    /** Before the race: a head owns blocks. */
    final void given(int head, int first, int count) {
        if (mapOfA.claim(head, first, count) != OwnerMap.CLAIMED) {
            throw new IllegalStateException("block is owned already: first=" + first + " count=" + count);
        }
    }

    /** After the race: the owners of the first blocks, as a picture. */
    final String picture(int blocks) {
        return Lanes.picture(mapOfA, b, blocks);
    }
}
