package io.mhsld.head;

import static io.mhsld.DeviceFixture.BLOCK;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.Device;
import io.mhsld.DeviceFixture;
import io.mhsld.state.Counter;
import io.mhsld.state.Geometry;
import io.mhsld.state.Inspector;
import io.mhsld.state.TagTable;
import io.mhsld.type3.DcRegion;
import io.mhsld.type3.Extent;
import io.mhsld.type3.MediaPoison.Source;
import io.mhsld.type3.MultiHeadHooks.Selection;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Several heads in one JVM share capacity. */
@Timeout(120)
class TagRegistryTest {
    private static final long REGION_1 = 256L << 20;
    private static final int BLOCKS = 20;
    private static final UUID TAG = new UUID(1, 1);
    private static final UUID OTHER = new UUID(2, 2);

    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    private final List<SharingHead> heads = new ArrayList<>();

    @BeforeEach
    void attach() {
        Geometry geometry = Geometry.of(4, 2 * BLOCKS * BLOCK, 2, BLOCK).withShareable(Set.of(1));
        Device.initialise(fixture.files(), DeviceFixture.specification(geometry), 5_000);
        for (int id = 0; id < 3; id++) {
            heads.add(SharingHead.attach(fixture.files(), id));
        }
    }

    @AfterEach
    void leave() {
        heads.forEach(SharingHead::close);
        Inspector.Report report = fixture.assertSound();
        assertEquals(List.of(), report.notes());
        assertEquals(2 * BLOCKS, report.freeBlocks() + report.keptBlocks());
    }

    private SharingHead head(int id) {
        return heads.get(id);
    }

    private static void done(Optional<Refusal> refusal) {
        assertEquals(Optional.empty(), refusal);
    }

    private static void refused(Cause cause, Optional<Refusal> refusal) {
        assertEquals(Optional.of(cause), refusal.map(Refusal::cause), refusal.toString());
    }

    private void share(SharingHead first, UUID tag, long blocks) {
        done(first.create(tag, 1, blocks, 8));
        first.accept();
    }

    private void join(SharingHead next, UUID tag) {
        done(next.join(tag, 1));
        next.accept();
    }

    // ---- sharing

    @Test
    void shouldShareSameBytesUntilLastOneIsOut() {
        // A hole, so that the tag has two extents.
        done(head(2).reserve(List.of(Extent.untagged(REGION_1 + 2 * BLOCK, BLOCK))));
        head(2).accept();
        share(head(0), TAG, BLOCKS - 2);
        assertEquals(
                List.of(1, 2),
                head(0).accepted.stream().map(Extent::sharedSequence).toList());
        head(0).fill(TAG, 9);
        join(head(1), TAG);
        assertEquals(head(0).accepted, head(1).accepted);
        assertEquals(9, head(1).bytes(TAG));
        head(1).fill(TAG, 8);
        assertEquals(8, head(0).bytes(TAG));
        fixture.assertSound();
        assertEquals(0b011, fixture.lanes().get(BLOCKS));

        head(0).release(TAG);
        fixture.assertSound();
        assertEquals(8, head(1).bytes(TAG), "the first one out takes nothing along");
        join(head(2), TAG);
        head(1).release(TAG);
        assertEquals(8, head(2).bytes(TAG));
        List<Extent> last = head(2).accepted;
        byte[] bytes = new byte[1];
        head(2).release(TAG);
        head(2).media.read(head(2).state.geometry().mediaOffsetOfDpa(REGION_1), bytes, 0, 1);
        assertEquals(0, bytes[0], "the last one out gives it back");
        assertEquals(1, last.size());
        assertEquals(List.of(), head(0).registry().list());
        refused(Cause.TAG_UNKNOWN, head(0).join(TAG, 1));
        assertEquals(1, head(1).state.counters(0).getAcquire(Counter.ADDS));
        assertEquals(1, head(1).state.counters(0).getAcquire(Counter.ADDS_REFUSED));
        head(2).releaseAll();
    }

    @Test
    void shouldTellWhoHoldsWhat() {
        done(head(0).create(TAG, 1, 3, 8));
        done(head(1).join(TAG, 1));
        head(0).accept();
        done(head(2).registry().addReference(TAG));
        TagRegistry.Tag tag = head(2).registry().list().get(0);
        assertEquals(TAG, tag.tag());
        assertEquals(1, tag.region());
        assertEquals(0b11, tag.holders());
        assertEquals(0b10, tag.pendingHolders());
        assertTrue(tag.isReferenced());
        assertEquals(List.of(new TagTable.Range(REGION_1, 3 * BLOCK)), tag.extents());
        assertEquals(3 * BLOCK, tag.lengthBytes());
        int generation = head(2).registry().generation();
        done(head(2).registry().removeReference(TAG));
        assertTrue(head(2).registry().generation() > generation);
    }

    @Test
    void shouldRefuseWhatCannotBeShared() {
        share(head(0), TAG, 2);
        refused(Cause.TAG_IN_USE, head(1).create(TAG, 1, 1, 8));
        refused(Cause.TAG_IN_USE, head(1).reserve(List.of(new Extent(REGION_1 + 9 * BLOCK, BLOCK, TAG, 1))));
        refused(Cause.TAG_UNKNOWN, head(1).join(OTHER, 1));
        refused(Cause.OUTSIDE_REGION, head(1).join(TAG, 0));
        refused(Cause.ALREADY_ACCEPTED, head(0).join(TAG, 1));
        done(head(1).join(TAG, 1));
        refused(Cause.STILL_PENDING, head(1).join(TAG, 1));
        refused(Cause.OWNED_BY_OTHER_HEAD, head(2).reserve(List.of(Extent.untagged(REGION_1, BLOCK))));
        assertEquals(List.of(), fixture.blocksOf(2));
        head(1).reject();
        assertEquals(List.of(), fixture.blocksOf(1));
        assertEquals(2, fixture.blocksOf(0).size());
    }

    @Test
    void shouldRefuseMoreTagsThanThereAreRows() {
        heads.forEach(SharingHead::close);
        heads.clear();
        Geometry geometry = Geometry.of(2, 256 * 4096, 1, 4096).withShareable(Set.of(0));
        Device.initialise(fixture.files(), DeviceFixture.specification(geometry), 5_000);
        try (SharingHead head = SharingHead.attach(fixture.files(), 0)) {
            for (int i = 0; i < TagTable.ROWS; i++) {
                done(head.create(new UUID(7, i), 0, 1, 1));
            }
            refused(Cause.TAGS_EXHAUSTED, head.create(new UUID(8, 0), 0, 1, 1));
            head.reject();
            done(head.create(new UUID(8, 0), 0, 1, 1));
            fixture.assertSound();
        }
        assertEquals(256, fixture.assertSound().freeBlocks());
        attach();
    }

    // ---- references

    @Test
    void shouldKeepCapacityWithoutHeads() {
        share(head(0), TAG, 4);
        head(0).fill(TAG, 5);
        TagRegistry registry = head(2).registry();
        refused(Cause.TAG_UNKNOWN, registry.addReference(OTHER));
        refused(Cause.TAG_UNKNOWN, registry.removeReference(OTHER));
        done(registry.addReference(Extent.NO_TAG));
        done(registry.removeReference(Extent.NO_TAG));
        done(registry.addReference(TAG));
        done(registry.addReference(TAG));
        head(0).release(TAG);
        Inspector.Report report = fixture.assertSound();
        assertEquals(4, report.keptBlocks());
        assertEquals(2 * BLOCKS - 4, report.freeBlocks());
        refused(Cause.OWNED_BY_OTHER_HEAD, head(1).reserve(List.of(Extent.untagged(REGION_1 + 3 * BLOCK, BLOCK))));
        // What is chosen begins behind it.
        done(head(1).addFree(1, 2, true, 1));
        assertEquals(
                REGION_1 + 4 * BLOCK, head(1).groups.peek().extents().get(0).startDpa());
        head(1).reject();
        refused(Cause.NO_FREE_CAPACITY, head(1).addFree(1, BLOCKS - 3, false, 8));
        join(head(1), TAG);
        assertEquals(5, head(1).bytes(TAG));
        head(1).release(TAG);
        done(registry.removeReference(TAG));
        assertEquals(2 * BLOCKS, fixture.assertSound().freeBlocks());
        refused(Cause.TAG_UNKNOWN, head(1).join(TAG, 1));
        done(head(1).addFree(1, BLOCKS, true, 1));
        head(1).accept();
        assertEquals(0, head(1).bytes(Extent.NO_TAG));
    }

    @Test
    void shouldKeepCapacityOfHeadThatDies() {
        share(head(0), TAG, 4);
        head(0).fill(TAG, 5);
        share(head(0), OTHER, 2);
        done(head(1).registry().addReference(TAG));
        head(0).bury();
        head(1).tick();
        assertEquals(4, fixture.assertSound().keptBlocks());
        assertEquals(
                List.of(TAG),
                head(1).registry().list().stream().map(TagRegistry.Tag::tag).toList());
        refused(Cause.TAG_UNKNOWN, head(1).join(OTHER, 1));
        join(head(1), TAG);
        assertEquals(5, head(1).bytes(TAG));
        done(head(1).registry().removeReference(TAG));
    }

    // ---- the lock

    /** Somebody is stopped while he has the table lock (I5). */
    @Test
    void shouldReapAndReuseWithoutTheLock() {
        share(head(0), TAG, 4);
        share(head(1), OTHER, 4);
        join(head(2), OTHER);
        Leases.Lease stopped = head(1).leases.tryTables().orElseThrow();
        head(0).bury();
        long startNs = System.nanoTime();
        head(2).tick();
        // The dead one's blocks are anybody's at once, though its row cannot be made free.
        done(head(2).reserve(List.of(Extent.untagged(REGION_1, 4 * BLOCK))));
        assertTrue(System.nanoTime() - startNs < TimeUnit.SECONDS.toNanos(1));
        refused(Cause.BUSY, head(2).create(new UUID(3, 3), 1, 1, 1));
        refused(Cause.BUSY, head(2).registry().addReference(OTHER));
        // A leave comes to its end without the lock; the row is told later.
        head(2).release(OTHER);
        assertEquals(0b010, fixture.lanes().get(BLOCKS + 4));
        fixture.assertSound();
        stopped.release();
        head(2).tick();
        Inspector.Report report = fixture.assertSound();
        assertEquals(List.of(), report.notes());
        assertEquals(
                List.of(0b010L),
                head(1).registry().list().stream().map(TagRegistry.Tag::holders).toList());
        refused(Cause.TAG_UNKNOWN, head(2).join(TAG, 1));
        head(2).accept();
        assertEquals(4, fixture.blocksOf(2).size());
    }

    /** All that one process does on a device shares the lock, and what waiting for it has taught. */
    @Test
    void shouldWaitInVainOnlyOnceForAllThatWantTheLock() {
        share(head(0), TAG, 2);
        done(head(0).reserve(List.of(Extent.untagged(REGION_1 + 8 * BLOCK, BLOCK))));
        Leases.Lease stopped = head(1).leases.tryTables().orElseThrow();
        assertEquals(List.of(300L), waits(head(0).registry().addReference(TAG)));
        long startNs = System.nanoTime();
        List<Long> waited = new ArrayList<>();
        waited.addAll(waits(head(0).registry().removeReference(TAG)));
        waited.addAll(waits(head(2).join(TAG, 1)));
        waited.addAll(waits(new RegionSettings(head(0).state, head(0).leases).set(0, 0, true)));
        waited.addAll(waits(head(2).poison().inject(0, 64, Source.INJECTED)));
        // A choice that cannot be met at once would wait for longest.
        refused(Cause.NO_FREE_CAPACITY, head(2).addFree(1, BLOCKS, false, 4));
        long tookMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
        assertEquals(4, waited.size());
        assertTrue(waited.stream().allMatch(ms -> ms < 100), waited.toString());
        assertTrue(tookMs < 300, "tookMs=" + tookMs);
        stopped.release();
        done(head(0).registry().addReference(TAG));
        done(head(0).registry().removeReference(TAG));
        done(head(2).join(TAG, 1));
    }

    private static List<Long> waits(Optional<Refusal> refusal) {
        Matcher matcher =
                Pattern.compile("waitedMs=(\\d+)").matcher(refusal.orElseThrow().detail());
        assertTrue(matcher.find(), refusal.toString());
        long waitedMs = Long.parseLong(matcher.group(1));
        // On a busy machine everything is late.
        return List.of(waitedMs >= 300 && waitedMs < 400 ? 300 : waitedMs);
    }

    /** What it still owed to the row, its new hold of the same life has overtaken. */
    @Test
    void shouldStayHolderOfTagThatItLeftWithoutTheLockAndJoinedAgain() throws InterruptedException {
        share(head(0), TAG, 4);
        join(head(1), TAG);
        Leases.Lease busy = head(2).leases.tryTables().orElseThrow();
        head(1).release(TAG);
        // Until it waits for the lock with patience again.
        DeviceFixture.pause(1_100);
        Thread later = new Thread(() -> {
            DeviceFixture.pause(150);
            busy.release();
        });
        later.start();
        join(head(1), TAG);
        later.join();
        head(1).tick();
        head(1).tick();
        assertEquals(
                List.of(0b011L),
                head(2).registry().list().stream().map(TagRegistry.Tag::holders).toList());
        assertTrue(
                head(1).lines.stream().noneMatch(line -> line.startsWith("repaired")),
                head(1).lines.toString());
        fixture.assertSound();
    }

    @Test
    void shouldFreeWhatLastOneLeftWithoutTheLock() {
        share(head(0), TAG, 4);
        head(0).fill(TAG, 5);
        Leases.Lease stopped = head(1).leases.tryTables().orElseThrow();
        head(0).release(TAG);
        assertEquals(List.of(), fixture.blocksOf(0));
        // It still says that it holds the tag, so nobody may claim the blocks, or join when the lock is free.
        refused(Cause.OWNED_BY_OTHER_HEAD, head(1).reserve(List.of(Extent.untagged(REGION_1, BLOCK))));
        stopped.release();
        head(0).tick();
        assertEquals(2 * BLOCKS, fixture.assertSound().freeBlocks());
        assertEquals(List.of(), head(0).registry().list());
    }

    // ---- damage

    /** Who holds a tag puts its row back, whatever bit of it was flipped; nobody loses a byte. */
    @Test
    void shouldPutBackRowOfTagThatIsHeld() throws IOException {
        share(head(0), TAG, 4);
        head(0).fill(TAG, 5);
        join(head(1), TAG);
        List<Integer> bits = new ArrayList<>();
        IntStream.range(0, 44 * 8).filter(bit -> bit != 2).forEach(bits::add);
        IntStream.range(64 * 8, 80 * 8).forEach(bits::add);
        IntStream.range(576 * 8, 592 * 8).forEach(bits::add);
        int row = 0;
        for (int bit : bits) {
            row = rowOf(TAG);
            flip(row, bit);
            head(0).tick();
            head(1).tick();
            String which = "bit=" + bit;
            assertEquals(List.of(), Device.inspect(fixture.files()).findings(), which);
            List<TagRegistry.Tag> tags = head(2).registry().list();
            assertEquals(
                    List.of(0b11L), tags.stream().map(TagRegistry.Tag::holders).toList(), which);
            assertEquals(TAG, tags.get(0).tag(), which);
        }
        assertEquals(5, head(0).bytes(TAG));
        assertEquals(5, head(1).bytes(TAG));
    }

    @Test
    void shouldFreeRowThatNobodyCanHaveMeant() throws IOException {
        share(head(0), TAG, 4);
        done(head(0).registry().addReference(TAG));
        share(head(0), OTHER, 2);
        head(0).release(TAG);
        flip(rowOf(TAG), 576 * 8 + 21);
        assertFalse(Device.inspect(fixture.files()).isSound());
        Repairer.Recovery recovery = Device.recover(fixture.files(), 1_000);
        assertEquals(List.of(), recovery.refused());
        assertFalse(recovery.repaired().isEmpty());
        assertEquals(
                List.of(OTHER),
                head(1).registry().list().stream().map(TagRegistry.Tag::tag).toList());
        assertEquals(List.of(), Device.recover(fixture.files(), 1_000).repaired());
    }

    private int rowOf(UUID tag) {
        return head(2).state.tags().find(tag).orElseThrow().row();
    }

    private void flip(int row, int bit) throws IOException {
        try (RandomAccessFile file =
                new RandomAccessFile(fixture.files().stateFile().toFile(), "rw")) {
            file.seek(120);
            long at = Long.reverseBytes(file.readLong()) + 64 + row * 8768L + bit / 8;
            file.seek(at);
            int met = file.read();
            file.seek(at);
            file.write(met ^ 1 << bit % 8);
        }
    }

    // ---- choosing

    @Test
    void shouldChooseTheRunThatLeavesTheLeastAndElseTheFewest() {
        for (long taken : new long[] {1, 3, 7, 8, 13}) {
            done(head(2).reserve(List.of(Extent.untagged(taken * BLOCK, BLOCK))));
            head(2).accept();
        }
        // Free: 0, 2, 4-6, 9-12, 14-19.
        assertEquals(List.of(run(4, 2)), chosen(2, false, 8));
        assertEquals(List.of(run(9, 4)), chosen(4, false, 8));
        assertEquals(List.of(run(9, 4), run(14, 6)), chosen(10, false, 2));
        assertEquals(List.of(run(9, 3), run(14, 6)), chosen(9, false, 2));
        assertEquals(List.of(run(9, 4)), chosen(4, true, 8));
        assertEquals(List.of(run(14, 6)), chosen(6, true, 8));
        refused(Cause.NO_FREE_CAPACITY, head(0).addFree(0, 7, true, 8));
        refused(Cause.NO_FREE_CAPACITY, head(0).addFree(0, 16, false, 8));
        refused(Cause.TOO_MANY_EXTENTS, head(0).addFree(0, 11, false, 2));
        assertEquals(List.of(), fixture.blocksOf(0));
        assertEquals(
                15, chosen(15, false, 8).stream().mapToLong(Extent::lengthBytes).sum() / BLOCK);
    }

    private static Extent run(long first, long count) {
        return Extent.untagged(first * BLOCK, count * BLOCK);
    }

    private List<Extent> chosen(long blocks, boolean contiguous, int maxExtents) {
        done(head(0).addFree(0, blocks, contiguous, maxExtents));
        List<Extent> extents = head(0).groups.peek().extents();
        head(0).reject();
        return extents;
    }

    @Test
    void shouldKeepToBlockSizeOfRegion() {
        RegionSettings settings = new RegionSettings(head(0).state, head(0).leases);
        assertEquals(BLOCK | 2 * BLOCK | 4 * BLOCK, settings.supportedBlockSizes(0));
        done(head(1).reserve(List.of(run(5, 1))));
        refused(Cause.REGION_IN_USE, settings.set(0, 2 * BLOCK, false));
        refused(Cause.REGION_IN_USE, settings.set(0, 0, true));
        done(settings.set(0, BLOCK, false));
        done(settings.set(0, 0, false));
        head(1).reject();
        refused(Cause.BLOCK_SIZE_UNSUPPORTED, settings.set(0, 8 * BLOCK, false));
        refused(Cause.BLOCK_SIZE_UNSUPPORTED, settings.set(0, BLOCK / 2, false));
        refused(Cause.BLOCK_SIZE_UNSUPPORTED, settings.set(0, 3 * BLOCK, false));
        refused(Cause.REGION_UNKNOWN, settings.set(2, BLOCK, false));
        done(settings.set(0, 4 * BLOCK, true));
        DcRegion region = settings.current(0);
        assertEquals(4 * BLOCK, region.blockSizeBytes());
        assertTrue(region.sanitizeOnRelease());
        assertFalse(settings.current(1).sanitizeOnRelease());
        assertEquals(region, head(2).hooks().current(head(2).region(0)));
        // By a head that does not know of it yet, too.
        refused(Cause.UNALIGNED, head(1).reserve(List.of(run(5, 1))));
        refused(Cause.UNALIGNED, head(1).addFree(0, 5, false, 8));
        done(head(1).reserve(List.of(run(4, 4))));
        assertEquals(List.of(run(8, 12)), chosen(12, false, 8));
        assertEquals(List.of(run(0, 4), run(8, 12)), chosen(16, false, 8));
        head(1).reject();
        done(settings.set(0, BLOCK, false));
    }

    @Test
    void shouldNotRefuseBySettingThatNeverCameToItsEnd() {
        head(0).state.regionSettings().proposeVolatile(0, 4 * BLOCK);
        done(head(1).reserve(List.of(run(5, 1))));
        assertEquals(BLOCK, head(1).region(0).blockSizeBytes());
        assertFalse(head(1).state.regionSettings().isProposedVolatile(0));
    }

    /** Whatever they leave is given to somebody: of heads that all want more than their part, as many win as fit. */
    @Test
    void shouldNeverRefuseFreeWhileEnoughIsFree() throws InterruptedException {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<Thread> threads = new ArrayList<>();
        for (SharingHead head : heads) {
            Thread thread = new Thread(() -> {
                try {
                    for (int i = 0; i < 300; i++) {
                        // Six each, of twenty: there is always enough, in whatever pieces.
                        done(head.addFree(0, 6, false, 8));
                        if (i % 3 == 0) {
                            head.reject();
                        } else {
                            head.accept();
                            head.releaseAll();
                        }
                    }
                } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(null, failure.get());
    }

    @Test
    void shouldDoNothingForNothing() {
        Selection selection = head(0).hooks().select(head(0).region(0), 0, false, 8, Extent.NO_TAG, false);
        assertEquals(Selection.of(List.of()), selection);
    }
}
