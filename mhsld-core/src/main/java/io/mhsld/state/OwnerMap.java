package io.mhsld.state;

/**
 * Who may touch which block: one lane of 1, 2, 4 or 8 bytes for each block, bit <i>h</i> of a lane for head <i>h</i>. All heads change it at
 * the same time, by compare-and-swap on whole 64-bit words, so that 8, 4, 2 or 1 blocks are won or lost at once.
 *
 * <pre>
 *   word n, 1-byte lanes:   | block 8n+7 | ... | block 8n+1 | block 8n |      little-endian: block b is byte b
 *                            each lane:  h7 h6 h5 h4 h3 h2 h1 h0
 * </pre>
 *
 * <p>Every loop here ends: a compare-and-swap fails only because another head's succeeded.
 */
public final class OwnerMap {
    /** What {@link #claim} returns when every block was free and is now the caller's. */
    public static final long CLAIMED = -1;

    /** Is given runs of blocks, in ascending order. */
    public interface RunConsumer {
        /** A run of {@code count} blocks. */
        void run(long firstBlock, long count);
    }

    /** Is given runs of free blocks, in ascending order. */
    public interface FreeRunSearch {
        /** A run of {@code count} blocks; false to look no further. */
        boolean run(long firstBlock, long count);
    }

    private final SharedMemory words;
    private final long blockCount;
    private final int headCount;
    private final int laneBits;
    private final int lanesPerWord;
    private final int lanesPerWordLog2;

    /** All bits of the first lane of a word. */
    private final long lowLane;

    /** Bit 0 of every lane of a word. */
    private final long lowBits;

    /** The highest bit of every lane of a word. */
    private final long highBits;

    OwnerMap(SharedMemory words, Geometry geometry) {
        this.words = words;
        this.blockCount = geometry.blockCount();
        this.headCount = geometry.headCount();
        this.laneBits = geometry.laneBytes() * Byte.SIZE;
        this.lanesPerWord = Long.BYTES / geometry.laneBytes();
        this.lanesPerWordLog2 = Integer.numberOfTrailingZeros(lanesPerWord);
        this.lowLane = -1L >>> (Long.SIZE - laneBits);
        this.lowBits = Long.divideUnsigned(-1L, lowLane);
        this.highBits = lowBits << (laneBits - 1);
    }

    /** Number of blocks. */
    public long blockCount() {
        return blockCount;
    }

    /**
     * Takes blocks [first, first + count) for a head: all, when every one of them is free, else none. A lane that belongs to anybody, the same
     * head included, is left as it is, and what this call had set before it met that lane is taken back, nothing else.
     *
     * @return {@link #CLAIMED}, or the first block that was not free
     */
    public long claim(int head, long first, long count) {
        checkHead(head);
        checkRange(first, count);
        long bits = lowBits << head;
        long end = first + count;
        long block = first;
        while (block < end) {
            long next = swapWholeWords(block, end, 0, bits);
            if (next == block) {
                // A part of a word, or a word in which somebody has a lane.
                long mask = laneMask(block, end);
                long inTheWay = setFreeLanes(wordOffset(block), mask, bits & mask);
                if (inTheWay != 0) {
                    clear(head, first, block - first);
                    return block + lanesBefore(inTheWay) - laneOf(block);
                }
                next = nextWord(block);
            }
            block = next;
        }
        return CLAIMED;
    }

    /**
     * Sets a head's bit in blocks [first, first + count) beside whatever bits there are: the blocks are shared, and the tag table says that the head
     * may have them.
     *
     * @return how many of the blocks did not have the bit
     */
    public long share(int head, long first, long count) {
        checkHead(head);
        checkRange(first, count);
        long bits = lowBits << head;
        long end = first + count;
        long set = 0;
        for (long block = first; block < end; block = nextWord(block)) {
            set += setBits(wordOffset(block), laneMask(block, end) & bits);
        }
        return set;
    }

    /** Tells runs of free blocks within [first, first + count) until the search has enough; the map may change meanwhile. */
    public void searchFreeVolatile(long first, long count, FreeRunSearch search) {
        checkRange(first, count);
        long end = first + count;
        long runStart = -1;
        for (long block = first; block < end; block = nextWord(block)) {
            long word = words.getLongVolatile(wordOffset(block));
            // Most words of a search are all free: then no lane need be told from another.
            long looked = word == 0 ? 0 : laneMask(block, end) & highBits;
            long owned = ownedLanes(word) & looked;
            if (owned == 0) {
                runStart = runStart < 0 ? block : runStart;
                continue;
            }
            long wordFirst = block - laneOf(block);
            for (long lanes = looked; lanes != 0; lanes &= lanes - 1) {
                long at = wordFirst + lanesBefore(lanes);
                boolean isOwned = (owned & Long.lowestOneBit(lanes)) != 0;
                if (!isOwned) {
                    runStart = runStart < 0 ? at : runStart;
                } else if (runStart >= 0) {
                    if (!search.run(runStart, at - runStart)) {
                        return;
                    }
                    runStart = -1;
                }
                if (owned == looked) {
                    // No lane of the word is free: the first one has ended the run.
                    break;
                }
            }
        }
        if (runStart >= 0) {
            search.run(runStart, end - runStart);
        }
    }

    /** True when any of the blocks [first, first + count) is anybody's. */
    public boolean isAnyOwnedVolatile(long first, long count) {
        checkRange(first, count);
        long end = first + count;
        for (long block = first; block < end; block = nextWord(block)) {
            if ((words.getLongVolatile(wordOffset(block)) & laneMask(block, end)) != 0) {
                return true;
            }
        }
        return false;
    }

    /** Of each lane that is not zero the highest bit. */
    private long ownedLanes(long word) {
        return ((word & ~highBits) + ~highBits | word) & highBits;
    }

    /**
     * Takes a head's bit out of blocks [first, first + count); other heads' bits stay.
     *
     * @return how many of the blocks had the bit
     */
    public long clear(int head, long first, long count) {
        checkHead(head);
        checkRange(first, count);
        long bits = lowBits << head;
        long end = first + count;
        long cleared = 0;
        long block = first;
        while (block < end) {
            long next = swapWholeWords(block, end, bits, 0);
            cleared += next - block;
            if (next == block) {
                cleared += clearBits(wordOffset(block), laneMask(block, end) & bits);
                next = nextWord(block);
            }
            block = next;
        }
        return cleared;
    }

    /** True when the head's bit is set in each of the blocks [first, first + count). */
    public boolean ownsAllVolatile(int head, long first, long count) {
        checkHead(head);
        if (count == 1) {
            // Nearly every access lies in one block.
            return (ownersVolatile(first) >>> head & 1) != 0;
        }
        checkRange(first, count);
        long bits = lowBits << head;
        long end = first + count;
        for (long block = first; block < end; block = nextWord(block)) {
            long mask = laneMask(block, end) & bits;
            if ((words.getLongVolatile(wordOffset(block)) & mask) != mask) {
                return false;
            }
        }
        return true;
    }

    /**
     * The first of blocks [first, first + count) that has the head's bit, or has it not.
     *
     * @param owned which of the two is looked for
     * @return {@code first + count} when there is none
     */
    public long findFirstVolatile(int head, long first, long count, boolean owned) {
        checkHead(head);
        checkRange(first, count);
        long bits = lowBits << head;
        long ignored = owned ? 0 : bits;
        long end = first + count;
        for (long block = first; block < end; block = nextWord(block)) {
            long met = (words.getLongVolatile(wordOffset(block)) ^ ignored) & bits;
            if (met != 0 && (met & laneMask(block, end)) != 0) {
                return block + lanesBefore(met & laneMask(block, end)) - laneOf(block);
            }
        }
        return end;
    }

    /** The lane of one block: bit <i>h</i> is set when head <i>h</i> may touch it. */
    public long ownersVolatile(long block) {
        checkRange(block, 1);
        long word = words.getLongVolatile(wordOffset(block));
        return word >>> (laneOf(block) * laneBits) & lowLane;
    }

    /** Number of blocks with the head's bit. */
    public long countVolatile(int head) {
        checkHead(head);
        long bits = lowBits << head;
        long count = 0;
        for (long block = 0; block < blockCount; block += lanesPerWord) {
            count += Long.bitCount(words.getLongVolatile(wordOffset(block)) & bits);
        }
        return count;
    }

    /** Calls back for each longest run of blocks with the head's bit; the map may change meanwhile. */
    public void forEachRunVolatile(int head, RunConsumer consumer) {
        forEachRunVolatile(head, 0, blockCount, consumer);
    }

    /** The same within blocks [first, first + count). */
    public void forEachRunVolatile(int head, long first, long count, RunConsumer consumer) {
        checkHead(head);
        checkRange(first, count);
        long end = first + count;
        long runStart = -1;
        for (long block = first; block < end; block++) {
            if (laneOf(block) == 0 && runStart < 0 && words.getLongVolatile(wordOffset(block)) == 0) {
                block += lanesPerWord - 1;
                continue;
            }
            boolean owned = (ownersVolatile(block) >>> head & 1) != 0;
            if (owned && runStart < 0) {
                runStart = block;
            } else if (!owned && runStart >= 0) {
                consumer.run(runStart, block - runStart);
                runStart = -1;
            }
        }
        if (runStart >= 0) {
            consumer.run(runStart, end - runStart);
        }
    }

    /** Lanes beyond the last block: always zero in a sound file. */
    long padding() {
        long lanes = blockCount & (lanesPerWord - 1);
        return lanes == 0 ? 0 : words.getLongVolatile(wordOffset(blockCount - 1)) >>> (lanes * laneBits);
    }

    /**
     * Repair: takes out bits of heads that do not exist, and everything beyond the last block.
     *
     * @return how many bits that were
     */
    public long clearForeignBits() {
        long cleared = 0;
        for (long block = 0; block < blockCount; block = nextWord(block)) {
            cleared += clearForeignBits(block);
        }
        return cleared;
    }

    /**
     * The same for the word that a block is in. Harmless at any moment, under live heads too: nobody ever sets such a bit.
     *
     * @return how many bits that were
     */
    public long clearForeignBits(long block) {
        checkRange(block, 1);
        long laneHeads = headCount == Long.SIZE ? -1L : (1L << headCount) - 1;
        long sound = laneHeads * lowBits;
        return clearBits(wordOffset(block), ~(sound & laneMask(block - laneOf(block), blockCount)));
    }

    /**
     * The short way through whole words: what they must hold to be won or cleared is known without looking. It ends at the first word that
     * holds something else, or in which the range begins or ends.
     *
     * @return the first block that it did not come to
     */
    private long swapWholeWords(long first, long end, long expected, long update) {
        if (laneOf(first) != 0) {
            return first;
        }
        int offset = wordOffset(first);
        int endOffset = wordOffset(end);
        while (offset < endOffset && words.compareAndSetLong(offset, expected, update)) {
            offset += Long.BYTES;
        }
        return (long) (offset / Long.BYTES) << lanesPerWordLog2;
    }

    /** Sets {@code lanes} in a word if all lanes of {@code mask} are free; returns what is in the way, 0 when nothing was. */
    private long setFreeLanes(int offset, long mask, long lanes) {
        while (true) {
            long word = words.getLongVolatile(offset);
            if ((word & mask) != 0) {
                return word & mask;
            }
            if (words.compareAndSetLong(offset, word, word | lanes)) {
                return 0;
            }
        }
    }

    /** Sets bits of a word; returns how many of them were not set. */
    private long setBits(int offset, long bits) {
        while (true) {
            long word = words.getLongVolatile(offset);
            if ((word & bits) == bits) {
                return 0;
            }
            if (words.compareAndSetLong(offset, word, word | bits)) {
                return Long.bitCount(bits & ~word);
            }
        }
    }

    /** Takes bits out of a word; returns how many of them were set. */
    private long clearBits(int offset, long bits) {
        while (true) {
            long word = words.getLongVolatile(offset);
            if ((word & bits) == 0) {
                return 0;
            }
            if (words.compareAndSetLong(offset, word, word & ~bits)) {
                return Long.bitCount(word & bits);
            }
        }
    }

    /** The lanes from {@code block} to the end of its word, or to {@code end} when that comes first. */
    private long laneMask(long block, long end) {
        int low = laneOf(block);
        long wordEnd = nextWord(block);
        long mask = -1L << (low * laneBits);
        if (end < wordEnd) {
            mask &= -1L >>> ((wordEnd - end) * laneBits);
        }
        return mask;
    }

    private long nextWord(long block) {
        return (block | (lanesPerWord - 1)) + 1;
    }

    private int laneOf(long block) {
        return (int) (block & (lanesPerWord - 1));
    }

    private int lanesBefore(long lanes) {
        return Long.numberOfTrailingZeros(lanes) / laneBits;
    }

    private int wordOffset(long block) {
        return (int) (block >>> lanesPerWordLog2) * Long.BYTES;
    }

    private void checkHead(int head) {
        if (head < 0 || head >= headCount) {
            throw new IllegalArgumentException("no such head: head=" + head + " heads=" + headCount);
        }
    }

    private void checkRange(long first, long count) {
        if (first < 0 || count < 0 || first > blockCount - count) {
            throw new IllegalArgumentException(
                    "no such blocks: first=" + first + " count=" + count + " blocks=" + blockCount);
        }
    }
}
