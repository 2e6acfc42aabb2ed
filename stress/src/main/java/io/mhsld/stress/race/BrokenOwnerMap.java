package io.mhsld.stress.race;

import io.mhsld.state.OwnerMap;
import org.agrona.concurrent.AtomicBuffer;

/** The owner map as it must not be written: each method has one defect, which its name tells. The broken twins run it. */
public final class BrokenOwnerMap {
    private final AtomicBuffer words;
    private final int laneBits;
    private final int lanesPerWord;

    /** Over the bare words of an owner map. */
    public BrokenOwnerMap(AtomicBuffer words, int laneBytes) {
        this.words = words;
        this.laneBits = laneBytes * Byte.SIZE;
        this.lanesPerWord = Long.BYTES / laneBytes;
    }

    /** Looks, then stores: between the two, another head may have done the same. */
    public long claimByReadThenWrite(int head, long first, long count) {
        for (long block = first; block < first + count; block++) {
            long word = words.getLongVolatile(offset(block));
            if ((word & lane(block)) != 0) {
                clear(head, first, block - first);
                return block;
            }
            words.putLongVolatile(offset(block), word | bit(head, block));
        }
        return OwnerMap.CLAIMED;
    }

    /** Keeps what it had won when it meets a block that is not free. */
    long claimWithoutRollBack(int head, long first, long count) {
        for (long block = first; block < first + count; block++) {
            if (!claimOne(head, block)) {
                return block;
            }
        }
        return OwnerMap.CLAIMED;
    }

    /** Rolls back by storing the words as they were when it came, with whatever its neighbours had in them then. */
    long claimWithRollBackOfWholeWords(int head, long first, long count) {
        long wordBefore = words.getLongVolatile(offset(first));
        for (long block = first; block < first + count; block++) {
            if (!claimOne(head, block)) {
                words.putLongVolatile(offset(first), wordBefore);
                return block;
            }
        }
        return OwnerMap.CLAIMED;
    }

    /** Rolls back the block that it failed at too, which may have been the head's own already (the reference does this). */
    long claimWithRollBackOfFailedBlock(int head, long first, long count) {
        for (long block = first; block < first + count; block++) {
            if (!claimOne(head, block)) {
                clear(head, first, block - first + 1);
                return block;
            }
        }
        return OwnerMap.CLAIMED;
    }

    /** Looks, then stores: what another head did to the word in between is lost. */
    long clearByReadThenWrite(int head, long first, long count) {
        long cleared = 0;
        for (long block = first; block < first + count; block++) {
            long word = words.getLongVolatile(offset(block));
            words.putLongVolatile(offset(block), word & ~bit(head, block));
            cleared += (word & bit(head, block)) == 0 ? 0 : 1;
        }
        return cleared;
    }

    /** Looks at one block after the other, so that it may see a block before another was lost, and the next after it was won. */
    boolean ownsEachInItsTurn(int head, long first, long count) {
        boolean owns = true;
        for (long block = first; block < first + count; block++) {
            owns &= (words.getLongVolatile(offset(block)) & bit(head, block)) != 0;
        }
        return owns;
    }

    /** Asks whether the block has an owner, not which. */
    boolean isOwned(long block) {
        return (words.getLongVolatile(offset(block)) & lane(block)) != 0;
    }

    private boolean claimOne(int head, long block) {
        while (true) {
            long word = words.getLongVolatile(offset(block));
            if ((word & lane(block)) != 0) {
                return false;
            }
            if (words.compareAndSetLong(offset(block), word, word | bit(head, block))) {
                return true;
            }
        }
    }

    private void clear(int head, long first, long count) {
        for (long block = first; block < first + count; block++) {
            long word;
            do {
                word = words.getLongVolatile(offset(block));
            } while (!words.compareAndSetLong(offset(block), word, word & ~bit(head, block)));
        }
    }

    private int offset(long block) {
        return (int) (block / lanesPerWord) * Long.BYTES;
    }

    private long bit(int head, long block) {
        return 1L << (block % lanesPerWord * laneBits + head);
    }

    private long lane(long block) {
        return -1L >>> (Long.SIZE - laneBits) << (block % lanesPerWord * laneBits);
    }
}
