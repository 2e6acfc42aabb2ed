package io.mhsld.head;

import static io.mhsld.DeviceFixture.BLOCK;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.Device;
import io.mhsld.DeviceFixture;
import io.mhsld.state.Geometry;
import io.mhsld.state.OwnerMap;
import io.mhsld.state.PoisonTable.Run;
import io.mhsld.type3.Extent;
import io.mhsld.type3.MediaPoison;
import io.mhsld.type3.MediaPoison.Line;
import io.mhsld.type3.MediaPoison.Source;
import io.mhsld.type3.PoisonList;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Several heads in one JVM, and the poison of the media that they have together. */
@Timeout(120)
class SharedPoisonTest {
    private static final long REGION_1 = 256L << 20;
    private static final int BLOCKS = 20;
    private static final int LINE = MediaPoison.LINE_BYTES;
    private static final UUID TAG = new UUID(1, 1);
    private static final long EVERYTHING = REGION_1 + BLOCKS * BLOCK;

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
        fixture.assertSound();
    }

    private SharingHead head(int id) {
        return heads.get(id);
    }

    private MediaPoison poison(int id) {
        return head(id).poison();
    }

    private static void done(Optional<Refusal> refusal) {
        assertEquals(Optional.empty(), refusal);
    }

    private static void refused(Cause cause, Optional<Refusal> refusal) {
        assertEquals(Optional.of(cause), refusal.map(Refusal::cause), refusal.toString());
    }

    private void own(int id, long block, long count) {
        done(head(id).reserve(List.of(Extent.untagged(block * BLOCK, count * BLOCK))));
        head(id).accept();
    }

    private List<Line> list(int id) {
        return poison(id).lines(0, EVERYTHING);
    }

    private static Line injected(long dpa, long lengthBytes) {
        return new Line(dpa, lengthBytes, Source.INJECTED);
    }

    private static byte[] line(int value) {
        byte[] bytes = new byte[LINE];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    // ---- whose it is

    @Test
    void shouldShowAndChangeOnlyWhatIsOwnOrFree() {
        own(0, 2, 2);
        own(1, 4, 2);
        done(poison(0).inject(2 * BLOCK, LINE, Source.INJECTED));
        done(poison(1).inject(0, 2L * LINE, Source.INJECTED));
        assertEquals(List.of(injected(0, 2 * LINE), injected(2 * BLOCK, LINE)), list(0));
        assertEquals(List.of(injected(0, 2 * LINE)), list(1));
        assertEquals(list(1), poison(1).scan(0, EVERYTHING));

        refused(Cause.OWNED_BY_OTHER_HEAD, poison(1).inject(2 * BLOCK, LINE, Source.INJECTED));
        refused(Cause.OWNED_BY_OTHER_HEAD, poison(1).inject(2 * BLOCK + 640, LINE, Source.INTERNAL));
        refused(Cause.OWNED_BY_OTHER_HEAD, poison(0).inject(4 * BLOCK - LINE, 2 * LINE, Source.INJECTED));
        refused(Cause.OWNED_BY_OTHER_HEAD, poison(1).clear(2 * BLOCK, line(1)));
        assertTrue(poison(0).isPoisoned(2 * BLOCK + 63, 1));
        assertFalse(poison(0).isPoisoned(2 * BLOCK + 64, BLOCK - 64));
        refused(Cause.ALREADY_POISONED, poison(1).inject(0, LINE, Source.INJECTED));
        done(poison(1).clear(0, line(1)));
        assertEquals(List.of(injected(LINE, LINE)), list(1));
    }

    @Test
    void shouldCutPoisonThatReachesIntoBlocksOfOthers() {
        done(poison(2).inject(6 * BLOCK - LINE, 2 * BLOCK + 2 * LINE, Source.INTERNAL));
        Line whole = new Line(6 * BLOCK - LINE, 2 * BLOCK + 2 * LINE, Source.INTERNAL);
        assertEquals(List.of(whole), list(0));
        own(1, 7, 1);
        // The claim has cut it in two; what is in front of the block, and behind it.
        assertEquals(2, list(2).size());
        own(0, 5, 1);
        assertEquals(
                List.of(new Line(6 * BLOCK, BLOCK, Source.INTERNAL), new Line(8 * BLOCK, LINE, Source.INTERNAL)),
                list(2));
        assertFalse(poison(1).isPoisoned(7 * BLOCK, BLOCK));
        assertFalse(poison(0).isPoisoned(5 * BLOCK, BLOCK));

        done(poison(1).inject(7 * BLOCK, BLOCK, Source.INTERNAL));
        assertEquals(list(2), list(0));
        assertEquals(BLOCK, list(2).get(0).lengthBytes(), "the other head's is not shown");
        assertEquals(3, list(1).size());
    }

    @Test
    void shouldBeTheSameForAllWhoShare() {
        done(head(0).create(TAG, 1, 2, 8));
        head(0).accept();
        done(head(1).join(TAG, 1));
        head(1).accept();
        done(poison(0).inject(REGION_1 + 640, LINE, Source.INJECTED));
        assertTrue(poison(1).isPoisoned(REGION_1, BLOCK));
        assertEquals(List.of(injected(REGION_1 + 640, LINE)), list(1));
        assertEquals(List.of(), list(2));
        // Who comes later finds it, and so does who stays.
        done(head(2).join(TAG, 1));
        head(2).accept();
        assertEquals(list(1), list(2));
        head(0).release(TAG);
        assertEquals(List.of(), list(0));
        assertTrue(poison(1).isPoisoned(REGION_1 + 640, 1));
        done(poison(2).clear(REGION_1 + 640, line(5)));
        assertFalse(poison(1).isPoisoned(REGION_1 + 640, 1));
        byte[] bytes = new byte[LINE];
        head(1).hooks().read(REGION_1 + 640, bytes, 0, LINE);
        assertEquals(5, bytes[LINE - 1]);
        // The last one out takes it along.
        done(poison(1).inject(REGION_1, LINE, Source.INJECTED));
        head(1).release(TAG);
        assertEquals(1, list(2).size());
        head(2).release(TAG);
        assertEquals(List.of(), list(2));
    }

    @Test
    void shouldStayInWhatTheFabricManagerKeeps() {
        done(head(0).create(TAG, 1, 2, 8));
        head(0).accept();
        done(head(0).registry().addReference(TAG));
        done(poison(0).inject(REGION_1, LINE, Source.INJECTED));
        head(0).release(TAG);
        assertEquals(List.of(), list(0), "nobody's, and not free");
        refused(Cause.OWNED_BY_OTHER_HEAD, poison(0).inject(REGION_1 + BLOCK, LINE, Source.INJECTED));
        refused(Cause.OWNED_BY_OTHER_HEAD, poison(0).clear(REGION_1, line(0)));
        refused(Cause.OWNED_BY_OTHER_HEAD, head(1).reserve(List.of(new Extent(REGION_1, BLOCK, TAG, 0))));
        done(head(1).join(TAG, 1));
        head(1).accept();
        assertEquals(List.of(injected(REGION_1, LINE)), list(1));
        head(1).release(TAG);
        done(head(2).registry().removeReference(TAG));
        assertEquals(List.of(), head(2).state.poison().read().records(), "freed and scrubbed");
    }

    // ---- claims

    @Test
    void shouldTakePoisonOutOfWhatIsClaimed() {
        for (long block : new long[] {0, 1, 5}) {
            done(poison(0).inject(block * BLOCK + 128, LINE, Source.INJECTED));
        }
        own(1, 0, 1);
        assertEquals(2, list(1).size());
        done(head(1).addFree(0, BLOCKS - 1, false, 8));
        head(1).accept();
        assertEquals(List.of(), list(1));
        done(poison(1).inject(7 * BLOCK, LINE, Source.INJECTED));
        // One that is lost changes nothing for who has it.
        refused(Cause.OWNED_BY_OTHER_HEAD, head(2).reserve(List.of(Extent.untagged(6 * BLOCK, 2 * BLOCK))));
        assertTrue(poison(1).isPoisoned(7 * BLOCK, LINE));
        done(poison(0).inject(REGION_1 + 3 * BLOCK, LINE, Source.INJECTED));
        done(head(0).create(TAG, 1, BLOCKS, 8));
        head(0).accept();
        assertFalse(poison(0).isPoisoned(REGION_1, BLOCKS * BLOCK));
        head(1).releaseAll();
        assertEquals(List.of(), head(2).state.poison().read().records(), "given back");
    }

    @Test
    void shouldWriteTheLineThatIsCleared() {
        own(0, 0, 1);
        head(0).fill(Extent.NO_TAG, 7);
        done(poison(0).inject(256, 2L * LINE, Source.INJECTED));
        done(poison(0).clear(256, line(9)));
        assertEquals(List.of(injected(256 + LINE, LINE)), list(0));
        byte[] bytes = new byte[2 * LINE];
        head(0).hooks().read(256, bytes, 0, bytes.length);
        assertEquals(9, bytes[LINE - 1]);
        assertEquals(7, bytes[LINE]);
        done(poison(0).clear(1024, line(8)));
        head(0).hooks().read(1024, bytes, 0, LINE);
        assertEquals(8, bytes[0], "one that was not poisoned");
        done(poison(0).scrubbed(0, BLOCK));
        assertEquals(List.of(), list(0));
    }

    // ---- limits

    @Test
    void shouldRememberForAllWhatTheListHasNoRoomFor() {
        for (int i = 0; i < MediaPoison.MAX_RECORDS; i++) {
            done(poison(i % 3).inject(2L * i * LINE, LINE, Source.INJECTED));
        }
        long beyond = 2L * MediaPoison.MAX_RECORDS * LINE;
        refused(Cause.POISON_LIMIT, poison(0).inject(beyond, LINE, Source.INJECTED));
        assertFalse(poison(1).hasOverflowed());
        assertEquals(0, poison(1).overflowTimestampNs());
        done(poison(0).inject(beyond, LINE, Source.INTERNAL));
        assertTrue(poison(1).hasOverflowed());
        assertEquals(SharingHead.TIMESTAMP_NS, poison(1).overflowTimestampNs());
        assertTrue(poison(2).isPoisoned(beyond, 1));
        assertEquals(MediaPoison.MAX_RECORDS, list(1).size());
        assertEquals(MediaPoison.MAX_RECORDS + 1, poison(1).scan(0, EVERYTHING).size());
        // Also in other lives.
        heads.remove(2).close();
        heads.add(SharingHead.attach(fixture.files(), 2));
        assertEquals(List.of(new Line(beyond, LINE, Source.INTERNAL)), poison(2).scan(beyond, EVERYTHING));
        poison(2).recover();
        assertTrue(poison(0).hasOverflowed(), "there is still no room");
        done(poison(1).clear(0, line(0)));
        poison(2).recover();
        assertFalse(poison(0).hasOverflowed());
        assertEquals(MediaPoison.MAX_RECORDS, list(0).size());
        assertTrue(list(0).contains(new Line(beyond, LINE, Source.INTERNAL)));
    }

    @Test
    void shouldRefuseCutsThatCannotBeRemembered() {
        int room = MediaPoison.MAX_RECORDS + PoisonList.MAX_UNLISTED;
        done(poison(0).inject(10 * BLOCK, 3 * BLOCK, Source.INTERNAL));
        for (int i = 1; i < room; i++) {
            done(poison(0).inject(2L * i * LINE, LINE, Source.INTERNAL));
        }
        refused(Cause.POISON_LIMIT, poison(1).inject(0, LINE, Source.INTERNAL));
        List<Line> all = poison(0).scan(0, EVERYTHING);
        refused(Cause.POISON_LIMIT, poison(1).clear(11 * BLOCK, line(1)));
        refused(Cause.POISON_LIMIT, head(1).reserve(List.of(Extent.untagged(11 * BLOCK, BLOCK))));
        assertEquals(all, poison(2).scan(0, EVERYTHING));
        assertEquals(BLOCKS * 2, fixture.assertSound().freeBlocks());
        own(1, 10, 1);
        own(1, 0, 1);
        own(1, 11, 1);
        assertEquals(
                List.of(new Line(12 * BLOCK, BLOCK, Source.INTERNAL)), poison(1).scan(0, EVERYTHING));
    }

    // ---- the lock

    @Test
    void shouldBeBusyWhileAHolderOfTheLockIsStopped() {
        own(0, 0, 2);
        own(0, 3, 1);
        done(poison(0).inject(0, LINE, Source.INJECTED));
        done(poison(0).inject(8 * BLOCK, LINE, Source.INJECTED));
        Leases.Lease stopped = head(2).leases.tryTables().orElseThrow();
        refused(Cause.BUSY, poison(0).inject(640, LINE, Source.INJECTED));
        head(0).fill(Extent.NO_TAG, 3);
        refused(Cause.BUSY, poison(0).clear(0, line(1)));
        refused(Cause.BUSY, poison(0).scrubbed(0, BLOCK));
        byte[] bytes = new byte[1];
        head(0).hooks().read(0, bytes, 0, 1);
        assertEquals(3, bytes[0], "refused, and written all the same");
        // What has none comes and goes; what has some cannot come.
        own(1, 5, 1);
        head(1).releaseAll();
        refused(Cause.BUSY, head(1).reserve(List.of(Extent.untagged(7 * BLOCK, 2 * BLOCK))));
        assertEquals(0, fixture.lanes().get(7));
        head(0).release(head(0).accepted.stream().toList(), false);
        assertEquals(2, list(1).size(), "free, and still poisoned");
        stopped.release();
        own(1, 0, 1);
        own(1, 8, 1);
        assertEquals(List.of(), list(1));
    }

    @Test
    void shouldGoOnAfterOneThatDiedWhileItAddedPoison() {
        head(0).state.poison().beginAdding();
        assertEquals(List.of(), fixture.assertSound().findings());
        own(1, 3, 1);
        assertFalse(head(0).state.poison().isAddingVolatile(), "taken back by the next one with the lock");
        assertFalse(poison(1).isPoisoned(3 * BLOCK, BLOCK));
    }

    /** The other head has looked and found the block free, and then somebody claims it. */
    @Test
    void shouldWaitForPoisonThatIsBeingAddedToWhatIsClaimed() throws InterruptedException {
        PoisonRegistry registry = new PoisonRegistry(head(1).state, head(1).leases, Machine.REAL);
        AtomicReference<Optional<Refusal>> outcome = new AtomicReference<>();
        Thread claim = new Thread(() -> outcome.set(head(0).reserve(List.of(Extent.untagged(3 * BLOCK, BLOCK)))));
        done(registry.locked(
                0,
                () -> registry.add(new Line(3 * BLOCK, LINE, Source.INTERNAL), 0, () -> {
                    assertEquals(0, fixture.lanes().get(3));
                    claim.start();
                    long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(200);
                    while (System.nanoTime() - endNs < 0) {
                        LockSupport.parkNanos(1_000_000);
                    }
                    assertEquals(1, fixture.lanes().get(3), "claimed, and not offered yet");
                    assertEquals(null, outcome.get());
                    return Optional.empty();
                })));
        claim.join();
        assertEquals(Optional.empty(), outcome.get());
        head(0).accept();
        assertFalse(poison(0).isPoisoned(3 * BLOCK, BLOCK));
    }

    /** Whoever claims a block that another one is poisoning never finds it poisoned. */
    @Test
    void shouldNeverGiveAClaimedBlockThePoisonOfOthers() throws InterruptedException {
        AtomicBoolean isOver = new AtomicBoolean();
        AtomicReference<String> failure = new AtomicReference<>();
        int[] poisoned = new int[1];
        Thread other = new Thread(() -> {
            while (!isOver.get()) {
                Optional<Cause> cause =
                        poison(1).inject(BLOCK, LINE, Source.INTERNAL).map(Refusal::cause);
                poisoned[0] += cause.isEmpty() ? 1 : 0;
                if (cause.isPresent()
                        && cause.get() != Cause.OWNED_BY_OTHER_HEAD
                        && cause.get() != Cause.ALREADY_POISONED
                        && cause.get() != Cause.BUSY) {
                    failure.set(cause.toString());
                }
            }
        });
        other.start();
        // What a claim does, without the scrub, which takes so long that they would hardly ever meet.
        PoisonRegistry registry = new PoisonRegistry(head(0).state, head(0).leases, Machine.REAL);
        OwnerMap map = head(0).state.ownerMap();
        List<Extent> block = List.of(Extent.untagged(BLOCK, BLOCK));
        long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(3);
        int claimed = 0;
        while (System.nanoTime() - endNs < 0 && failure.get() == null) {
            assertEquals(OwnerMap.CLAIMED, map.claim(0, 1, 1));
            if (registry.removeFromClaimed(block).isEmpty()) {
                claimed++;
                for (int look = 0; look < 100; look++) {
                    if (poison(0).isPoisoned(BLOCK, BLOCK)) {
                        failure.set("poisoned: claim=" + claimed);
                    }
                }
            }
            map.clear(0, 1, 1);
            // So that it is free for as long.
            LockSupport.parkNanos(20_000);
        }
        isOver.set(true);
        other.join();
        assertEquals(null, failure.get());
        assertTrue(poisoned[0] > 10 && claimed > 10, "poisoned=" + poisoned[0] + " claimed=" + claimed);
    }

    // ---- damage

    @Test
    void shouldMendRecordsThatNobodyCanHaveMeant() {
        Run sound = new Run(BLOCK, 128, 3);
        head(0).state
                .poison()
                .writeRelease(
                        List.of(new Run(64, 63, 1), sound, new Run(Long.MAX_VALUE - 63, 64, 3), new Run(0, -64, 9)),
                        List.of(new Run(REGION_1 - 64, 128, 2), new Run(2 * BLOCK, LINE, 2)),
                        true,
                        77);
        assertEquals(List.of(injected(BLOCK, 128)), list(0), "what makes no sense poisons nothing");
        assertFalse(Device.inspect(fixture.files()).isSound());
        Repairer.Recovery recovery = Device.recover(fixture.files(), 5_000);
        assertEquals(List.of(), recovery.refused());
        assertTrue(
                recovery.repaired().stream()
                        .allMatch(remedy -> remedy.remedy().equals("only records that can be are left")),
                recovery.repaired().toString());
        assertEquals(4, recovery.repaired().size(), recovery.repaired().toString());
        assertEquals(List.of(sound), head(1).state.poison().read().records());
        assertEquals(2, poison(1).scan(0, EVERYTHING).size());
        fixture.assertSound();
    }

    // ---- beside a model

    @Test
    void shouldBeAsAModelOfLines() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        int perBlock = (int) (BLOCK / LINE);
        BitSet model = new BitSet();
        int[] owner = new int[BLOCKS];
        Arrays.fill(owner, -1);
        for (int step = 0; step < 3_000; step++) {
            String which = "seed=" + seed + " step=" + step;
            int id = random.nextInt(3);
            int block = random.nextInt(BLOCKS);
            int first = block * perBlock + random.nextInt(perBlock);
            int count = Math.min(1 + random.nextInt(1 << random.nextInt(16)), BLOCKS * perBlock - first);
            switch (random.nextInt(6)) {
                case 0 -> {
                    Optional<Refusal> refusal = head(id).reserve(List.of(Extent.untagged(block * BLOCK, BLOCK)));
                    assertEquals(owner[block] < 0, refusal.isEmpty(), which + refusal);
                    if (refusal.isEmpty()) {
                        head(id).accept();
                        owner[block] = id;
                        model.clear(block * perBlock, (block + 1) * perBlock);
                    }
                }
                case 1 -> {
                    if (owner[block] >= 0) {
                        SharingHead holder = head(owner[block]);
                        holder.release(List.of(Extent.untagged(block * BLOCK, BLOCK)), random.nextBoolean());
                        owner[block] = -1;
                        model.clear(block * perBlock, (block + 1) * perBlock);
                    }
                }
                case 2 -> {
                    boolean isVisible = owner[block] < 0 || owner[block] == id;
                    Optional<Refusal> refusal = poison(id).clear((long) first * LINE, line(step));
                    assertEquals(isVisible, refusal.isEmpty(), which + refusal);
                    if (isVisible) {
                        model.clear(first);
                    }
                }
                default -> {
                    boolean isVisible = LongStream.rangeClosed(block, (first + count - 1) / perBlock)
                            .allMatch(one -> owner[(int) one] < 0 || owner[(int) one] == id);
                    Optional<Cause> cause = poison(id)
                            .inject((long) first * LINE, (long) count * LINE, Source.INJECTED)
                            .map(Refusal::cause);
                    boolean isPoisoned = !model.get(first, first + count).isEmpty();
                    Optional<Cause> expected = !isVisible
                            ? Optional.of(Cause.OWNED_BY_OTHER_HEAD)
                            : isPoisoned ? Optional.of(Cause.ALREADY_POISONED) : Optional.empty();
                    assertEquals(expected, cause, which);
                    if (cause.isEmpty()) {
                        model.set(first, first + count);
                    }
                }
            }
            int looking = random.nextInt(3);
            BitSet visible = (BitSet) model.clone();
            for (int one = 0; one < BLOCKS; one++) {
                if (owner[one] >= 0 && owner[one] != looking) {
                    visible.clear(one * perBlock, (one + 1) * perBlock);
                }
            }
            BitSet shown = new BitSet();
            poison(looking)
                    .scan(0, EVERYTHING)
                    .forEach(line -> shown.set((int) (line.dpa() / LINE), (int) (line.endDpa() / LINE)));
            assertEquals(visible, shown, which);
            assertEquals(
                    !model.get(first, first + count).isEmpty(),
                    poison(looking).isPoisoned((long) first * LINE, (long) count * LINE),
                    which);
        }
    }
}
