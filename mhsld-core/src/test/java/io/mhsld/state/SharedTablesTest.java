package io.mhsld.state;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tags, region settings and poison as rows, and the lanes of shared blocks. */
class SharedTablesTest {
    private static final long SEED = Long.getLong("mhsld.seed", 31_415L);
    private static final long MIB = 1L << 20;
    private static final Geometry GEOMETRY =
            Geometry.of(4, 2 * 48 * MIB, 2, 2 * MIB).withShareable(Set.of(1));
    private static final UUID TAG = new UUID(5, 6);
    private static final List<TagTable.Range> EXTENTS =
            List.of(new TagTable.Range(256 * MIB, 4 * MIB), new TagTable.Range(264 * MIB, 2 * MIB));

    private static SharedMemory memory(int lengthBytes) {
        return new SharedMemory("test", new UnsafeBuffer(ByteBuffer.allocateDirect(lengthBytes)));
    }

    private final HeadTable heads = new HeadTable(memory(4 * 256), 4);
    private final TagTable tags = new TagTable(memory(StateFileDescriptor.TAG_TABLE_LENGTH), heads, GEOMETRY);

    private void create(int row, int head) {
        if (heads.incarnationAcquire(head) == 0) {
            heads.nextIncarnationRelease(head);
        }
        tags.beginChange();
        tags.fillPlain(row, TAG, 1, EXTENTS);
        tags.addHolder(row, head);
        tags.publish(row, false);
        tags.endChange();
    }

    @Test
    void shouldTellRowAsWritten() {
        assertEquals(Optional.empty(), tags.find(TAG));
        assertEquals(0, tags.findFree());
        create(0, 2);
        TagTable.Entry entry = tags.find(TAG).orElseThrow();
        assertEquals(List.of(entry), tags.readAll());
        assertEquals(TagTable.State.LIVE, entry.state());
        assertEquals(0b100, entry.holders());
        assertEquals(EXTENTS, entry.extents());
        assertEquals(6 * MIB, entry.lengthBytes());
        assertTrue(tags.isWhole(entry));
        assertEquals(1, tags.findFree());
        assertEquals(2, tags.sequenceVolatile());
        heads.nextIncarnationRelease(0);
        tags.addHolder(0, 0);
        tags.setReferenced(0, true);
        assertEquals(0b101, tags.holdersVolatile(0));
        assertTrue(tags.read(0).orElseThrow().isReferenced());
        assertTrue(tags.isWhole(tags.read(0).orElseThrow()));
    }

    @Test
    void shouldNotKnowHolderWhoseIncarnationIsOver() {
        create(0, 2);
        heads.nextIncarnationRelease(2);
        TagTable.Entry entry = tags.read(0).orElseThrow();
        assertEquals(0, entry.holders());
        assertEquals(0b100, entry.staleHolders());
        assertTrue(entry.isGone());
        assertEquals(Optional.empty(), tags.find(TAG), "what is gone is not found");
        tags.free(0);
        assertEquals(List.of(), tags.readAll());
        create(0, 1);
        assertEquals(1, tags.find(TAG).orElseThrow().epoch());
    }

    @Test
    void shouldNotFindWhatIsBeingFreed() {
        create(7, 2);
        tags.beginFreeing(7);
        assertEquals(Optional.empty(), tags.find(TAG));
        assertEquals(TagTable.State.FREEING, tags.read(7).orElseThrow().state());
        assertFalse(tags.read(7).orElseThrow().isGone());
        assertThrows(IllegalArgumentException.class, () -> tags.read(128));
        assertThrows(IllegalArgumentException.class, () -> tags.fillPlain(1, TAG, 1, List.of()));
    }

    /** Whatever stands in the table, reading it ends, and comes to nothing outside of it. */
    @Test
    void shouldReadAnyBytes() {
        SplittableRandom random = new SplittableRandom(SEED);
        UnsafeBuffer bytes = new UnsafeBuffer(ByteBuffer.allocateDirect(StateFileDescriptor.TAG_TABLE_LENGTH));
        TagTable damaged = new TagTable(new SharedMemory("test", bytes), heads, GEOMETRY);
        UnsafeBuffer poisonBytes = new UnsafeBuffer(ByteBuffer.allocateDirect(StateFileDescriptor.POISON_TABLE_LENGTH));
        PoisonTable poison = new PoisonTable(new SharedMemory("test", poisonBytes));
        UnsafeBuffer regionBytes = new UnsafeBuffer(ByteBuffer.allocateDirect(128));
        RegionTable regions = new RegionTable(new SharedMemory("test", regionBytes), GEOMETRY);
        for (int round = 0; round < 200; round++) {
            for (int i = 0; i < 2_000; i++) {
                bytes.putByte(random.nextInt(bytes.capacity()), (byte) random.nextInt());
                bytes.putLong(64 + 8768 * random.nextInt(128), random.nextLong() >>> random.nextInt(64));
            }
            for (int i = 0; i < 50; i++) {
                poisonBytes.putByte(random.nextInt(poisonBytes.capacity()), (byte) random.nextInt());
                regionBytes.putLong(64 * random.nextInt(2), random.nextLong() >>> random.nextInt(64));
            }
            for (TagTable.Entry entry : damaged.readAll()) {
                assertTrue(entry.extents().size() <= 512, "seed=" + SEED);
                damaged.isWhole(entry);
            }
            assertTrue(poison.read().records().size() <= 256, "seed=" + SEED);
            assertTrue(poison.read().unlisted().size() <= 1024, "seed=" + SEED);
            for (int region = 0; region < 2; region++) {
                long size = regions.readVolatile(region).blockSizeBytes();
                assertTrue((GEOMETRY.supportedBlockSizes(region) & size) != 0, "seed=" + SEED + " size=" + size);
            }
        }
    }

    @Test
    void shouldSetRegionAndDropProposal() {
        RegionTable regions = new RegionTable(memory(128), GEOMETRY);
        assertEquals(new RegionTable.Setting(2 * MIB, false, 2 * MIB, 0), regions.readVolatile(1));
        assertEquals(2 * MIB | 4 * MIB | 8 * MIB | 16 * MIB, GEOMETRY.supportedBlockSizes(1));
        regions.proposeVolatile(1, 8 * MIB);
        assertEquals(new RegionTable.Setting(2 * MIB, false, 8 * MIB, 0), regions.readVolatile(1));
        assertTrue(regions.dropProposalRelease(1));
        assertFalse(regions.dropProposalRelease(1));
        regions.setRelease(1, 16 * MIB, true);
        assertEquals(new RegionTable.Setting(16 * MIB, true, 16 * MIB, 1), regions.readVolatile(1));
        regions.setRelease(1, 2 * MIB, false);
        assertEquals(new RegionTable.Setting(2 * MIB, false, 2 * MIB, 2), regions.readVolatile(1));
        assertEquals(2 * MIB, regions.readVolatile(0).blockSizeBytes());
    }

    @Test
    void shouldKeepPoisonAsWritten() {
        PoisonTable poison = new PoisonTable(memory(StateFileDescriptor.POISON_TABLE_LENGTH));
        List<PoisonTable.Run> runs = new ArrayList<>();
        for (int i = 0; i <= PoisonTable.MAX_RECORDS; i++) {
            List<PoisonTable.Run> written = List.copyOf(runs);
            if (i < PoisonTable.MAX_RECORDS) {
                poison.writeRelease(written, List.of(), i % 2 == 1, i);
                assertEquals(new PoisonTable.Snapshot(written, List.of(), i % 2 == 1, i, i + 1L), poison.read());
                assertTrue(poison.isCurrentSound());
            }
            runs.add(new PoisonTable.Run(i * 64L, 64, i % 4));
        }
        assertThrows(IllegalArgumentException.class, () -> poison.writeRelease(runs, List.of(), false, 0));
        assertEquals(PoisonTable.MAX_RECORDS - 1, poison.read().records().size());
        for (int i = runs.size(); i <= PoisonTable.MAX_UNLISTED; i++) {
            List<PoisonTable.Run> unlisted = List.copyOf(runs);
            poison.writeRelease(runs.subList(0, 3), unlisted, true, 9);
            assertEquals(unlisted, poison.read().unlisted());
            assertEquals(runs.subList(0, 3), poison.read().records());
            runs.add(new PoisonTable.Run(i * 64L, 64, i % 4));
        }
        assertThrows(IllegalArgumentException.class, () -> poison.writeRelease(List.of(), runs, true, 0));
        assertFalse(poison.isAddingVolatile());
        poison.beginAdding();
        assertTrue(poison.isAddingVolatile());
        poison.endAdding();
        assertFalse(poison.isAddingVolatile());
    }

    // ---- lanes

    @ParameterizedTest
    @ValueSource(ints = {8, 16, 32, 64})
    void shouldFindFreeRunsAndShareAsModelDoes(int headCount) {
        SplittableRandom random = new SplittableRandom(SEED);
        int blocks = 3 * 61;
        Geometry geometry = Geometry.of(headCount, blocks * 4096L, 1, 4096);
        OwnerMap map = new OwnerMap(memory((int) geometry.ownerMapBytes()), geometry);
        long[] model = new long[blocks];
        for (int step = 0; step < 4_000; step++) {
            int first = random.nextInt(blocks);
            int count = random.nextInt(blocks - first) + 1;
            count = random.nextBoolean() ? Math.min(count, 5) : count;
            int head = random.nextInt(headCount);
            long changed = 0;
            boolean set = random.nextInt(3) == 0;
            for (int block = first; block < first + count; block++) {
                changed += (model[block] >>> head & 1) == (set ? 0 : 1) ? 1 : 0;
                model[block] = set ? model[block] | 1L << head : model[block] & ~(1L << head);
            }
            String which = "seed=" + SEED + " step=" + step;
            assertEquals(changed, set ? map.share(head, first, count) : map.clear(head, first, count), which);
            int from = random.nextInt(blocks);
            int length = random.nextInt(blocks - from + 1);
            List<List<Long>> expected = freeRuns(model, from, from + length);
            List<List<Long>> met = new ArrayList<>();
            map.searchFreeVolatile(from, length, (start, size) -> met.add(List.of(start, size)));
            assertEquals(expected, met, which);
            assertEquals(
                    !expected.equals(length == 0 ? List.of() : List.of(List.of((long) from, (long) length))),
                    map.isAnyOwnedVolatile(from, length),
                    which);
            List<List<Long>> two = new ArrayList<>();
            map.searchFreeVolatile(from, length, (start, size) -> {
                two.add(List.of(start, size));
                return two.size() < 2;
            });
            assertEquals(expected.subList(0, Math.min(2, expected.size())), two, which);
        }
        assertEquals(0, map.padding());
    }

    private static List<List<Long>> freeRuns(long[] model, int from, int end) {
        List<List<Long>> runs = new ArrayList<>();
        long start = -1;
        for (int block = from; block <= end; block++) {
            boolean isFree = block < end && model[block] == 0;
            if (isFree && start < 0) {
                start = block;
            } else if (!isFree && start >= 0) {
                runs.add(List.of(start, block - start));
                start = -1;
            }
        }
        return runs;
    }
}
