package io.mhsld.type3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random requests of both sides, some of them wrong, against a model that knows of each block only its state, the number of the extent that
 * it belongs to and its tag. Extents are what is left when neighbouring blocks of one number are taken together.
 */
@Tag("one-java")
class DynamicCapacityModelTest {
    private static final long MIB = TestDevice.MIB;

    private static final byte FREE = 0;
    private static final byte PENDING = 1;
    private static final byte ACCEPTED = 2;

    /** Blocks of different sizes, a region that does not fill its decode length, and one that begins where another ends. */
    private static final List<DcRegion> REGIONS = List.of(
            new DcRegion(0, 256 * MIB, 256 * MIB, 96 * MIB, 2 * MIB),
            new DcRegion(1, 512 * MIB, 256 * MIB, 256 * MIB, MIB),
            new DcRegion(2, 768 * MIB, 512 * MIB, 320 * MIB, 8 * MIB));

    static LongStream seeds() {
        return Seeds.of(60);
    }

    /** One run of the two side by side. */
    private static final class Run {
        private final SplittableRandom random;
        private final ModelHooks hooks = new ModelHooks();
        private final ModelHooks.Events announced = new ModelHooks.Events(Integer.MAX_VALUE);
        private final Journal journal = new Journal();
        private final DynamicCapacity capacity = new DynamicCapacity(REGIONS, hooks, journal, announced);

        // The model. Blocks are of one MiB, whatever the block size; index 0 is the first MiB of region 0.
        private final byte[] state = new byte[1024];
        private final int[] extentNumber = new int[state.length];
        private final UUID[] tag = new UUID[state.length];
        private final List<Group> fifo = new ArrayList<>();
        private int lastExtentNumber;
        private int generation;
        private long lastGroup;

        Run(long seed) {
            random = new SplittableRandom(seed);
        }

        private record Group(long id, List<int[]> offered) {}

        /** Sees that the lists are told with every change, between begin and end. */
        private static final class Journal implements ExtentJournal {
            private int depth;
            private List<Extent> accepted = List.of();
            private List<PendingGroup> pending = List.of();
            private int generation;

            @Override
            public void begin(Operation operation) {
                assertEquals(1, ++depth);
            }

            @Override
            public void record(List<Extent> nowAccepted, List<PendingGroup> nowPending, int nowGeneration) {
                assertEquals(1, depth);
                accepted = nowAccepted;
                pending = nowPending;
                generation = nowGeneration;
            }

            @Override
            public void end() {
                assertEquals(0, --depth);
            }
        }

        private static final int FIRST_MIB = 256;

        private static int index(long dpa) {
            return (int) (dpa / MIB) - FIRST_MIB;
        }

        private boolean all(int from, int to, byte... wanted) {
            for (int i = from; i < to; i++) {
                boolean found = false;
                for (byte one : wanted) {
                    found |= state[i] == one;
                }
                if (!found) {
                    return false;
                }
            }
            return true;
        }

        private boolean any(int from, int to, byte wanted) {
            for (int i = from; i < to; i++) {
                if (state[i] == wanted) {
                    return true;
                }
            }
            return false;
        }

        private void mark(int from, int to, byte newState, int number, UUID newTag) {
            Arrays.fill(state, from, to, newState);
            Arrays.fill(extentNumber, from, to, number);
            Arrays.fill(tag, from, to, newTag);
        }

        /** Runs of blocks in this state and of one extent number. */
        private int extents(byte wanted) {
            int count = 0;
            for (int i = 0; i < state.length; i++) {
                boolean continues = i > 0 && state[i - 1] == state[i] && extentNumber[i - 1] == extentNumber[i];
                count += state[i] == wanted && !continues ? 1 : 0;
            }
            return count;
        }

        private boolean isLive(Group group) {
            return group.offered.stream().anyMatch(o -> any(o[0], o[1], PENDING) && numbered(o));
        }

        /** Offers keep their extent number until they are answered or withdrawn; later offers of the same blocks have others. */
        private boolean numbered(int[] offer) {
            for (int i = offer[0]; i < offer[1]; i++) {
                if (state[i] == PENDING && extentNumber[i] == offer[2]) {
                    return true;
                }
            }
            return false;
        }

        private boolean offers(Group group, int from, int to) {
            return group.offered.stream().anyMatch(o -> o[0] <= from && to <= o[1]);
        }

        /** All of it pending, as one extent, in this group. */
        private boolean stillOffers(Group group, int from, int to) {
            return group.offered.stream().anyMatch(o -> {
                for (int i = from; i < to; i++) {
                    if (state[i] != PENDING || extentNumber[i] != o[2]) {
                        return false;
                    }
                }
                return true;
            });
        }

        // ---- requests

        private DcRegion anyRegion() {
            return REGIONS.get(random.nextInt(REGIONS.size()));
        }

        private Range randomRange(DcRegion region) {
            long blocks = region.lengthBytes() / region.blockSizeBytes();
            long first = random.nextLong(blocks);
            long count = 1 + random.nextLong(Math.min(12, blocks - first));
            long offset = first * region.blockSizeBytes();
            long length = count * region.blockSizeBytes();
            return switch (random.nextInt(60)) {
                case 0 -> new Range(offset, 0);
                case 1 -> new Range(offset + 4096, length);
                case 2 -> new Range(offset, length + region.blockSizeBytes() / 2);
                case 3 -> new Range(offset, region.lengthBytes());
                case 4 -> new Range(-region.blockSizeBytes(), length);
                case 5 -> new Range(offset, -region.blockSizeBytes());
                default -> new Range(offset, length);
            };
        }

        private List<Range> randomRanges(DcRegion region) {
            List<Range> ranges = new ArrayList<>();
            for (int i = random.nextInt(1 + random.nextInt(6)); i >= 0; i--) {
                ranges.add(randomRange(region));
            }
            return ranges;
        }

        private interface Held {
            Cause check(int from, int to);
        }

        private Cause expectedOfRequest(DcRegion region, List<Range> ranges, Held held) {
            boolean[] seen = new boolean[state.length];
            for (Range range : ranges) {
                if (range.lengthBytes() == 0) {
                    return Cause.LENGTH_ZERO;
                }
                if (range.offsetBytes() % region.blockSizeBytes() != 0
                        || range.lengthBytes() % region.blockSizeBytes() != 0) {
                    return Cause.UNALIGNED;
                }
                boolean inside = range.offsetBytes() >= 0
                        && range.lengthBytes() > 0
                        && range.offsetBytes() + range.lengthBytes() <= region.lengthBytes();
                if (!inside) {
                    return Cause.OUTSIDE_REGION;
                }
                int from = index(region.baseDpa() + range.offsetBytes());
                int to = from + (int) (range.lengthBytes() / MIB);
                for (int i = from; i < to; i++) {
                    if (seen[i]) {
                        return Cause.OVERLAP_IN_REQUEST;
                    }
                }
                Arrays.fill(seen, from, to, true);
                Cause cause = held.check(from, to);
                if (cause != null) {
                    return cause;
                }
            }
            return null;
        }

        private static List<int[]> spans(DcRegion region, List<Range> ranges) {
            return ranges.stream()
                    .map(r -> {
                        int from = index(region.baseDpa() + r.offsetBytes());
                        return new int[] {from, from + (int) (r.lengthBytes() / MIB)};
                    })
                    .toList();
        }

        private void add() {
            Group again = fifo.isEmpty() ? null : fifo.get(random.nextInt(fifo.size()));
            boolean offersAgain = again != null && random.nextInt(4) == 0;
            DcRegion region = offersAgain ? regionAt(again.offered.get(0)[0]) : anyRegion();
            List<Range> ranges = offersAgain ? ranges(region, again) : randomRanges(region);
            UUID newTag = new UUID(random.nextInt(3), 0);
            Cause expected = expectedOfRequest(
                    region,
                    ranges,
                    (from, to) -> any(from, to, ACCEPTED)
                            ? Cause.ALREADY_ACCEPTED
                            : any(from, to, PENDING) ? Cause.STILL_PENDING : null);
            boolean ownedElsewhere = expected == null && random.nextInt(20) == 0;
            if (ownedElsewhere) {
                expected = Cause.OWNED_BY_OTHER_HEAD;
                hooks.refuseNext(new Refusal(expected, ""));
            }
            check(expected, capacity.add(region.id(), ranges, newTag), DcEvent.Type.ADD, ranges.size());
            if (expected == null) {
                List<int[]> offered = new ArrayList<>();
                for (int[] span : spans(region, ranges)) {
                    mark(span[0], span[1], PENDING, ++lastExtentNumber, newTag);
                    offered.add(new int[] {span[0], span[1], lastExtentNumber});
                }
                fifo.add(new Group(++lastGroup, offered));
            }
        }

        private void requestRelease() {
            DcRegion region = anyRegion();
            List<Range> ranges = random.nextInt(3) == 0 ? randomRanges(region) : held(region, ACCEPTED);
            Cause expected = expectedOfRequest(
                    region,
                    ranges,
                    (from, to) -> any(from, to, PENDING)
                            ? Cause.STILL_PENDING
                            : all(from, to, ACCEPTED) ? null : Cause.NOT_ACCEPTED);
            check(expected, capacity.requestRelease(region.id(), ranges), DcEvent.Type.RELEASE, ranges.size());
        }

        private void forceRelease() {
            DcRegion region = anyRegion();
            List<Range> ranges = random.nextInt(3) == 0 ? randomRanges(region) : held(region, ACCEPTED, PENDING);
            if (!fifo.isEmpty() && random.nextBoolean()) {
                Group withdrawn = fifo.get(random.nextInt(fifo.size()));
                region = regionAt(withdrawn.offered.get(0)[0]);
                ranges = ranges(region, withdrawn);
            }
            Cause expected = expectedOfRequest(
                    region, ranges, (from, to) -> all(from, to, ACCEPTED, PENDING) ? null : Cause.NOT_ACCEPTED);
            check(expected, capacity.forceRelease(region.id(), ranges), DcEvent.Type.FORCED_RELEASE, ranges.size());
            if (expected == null) {
                for (int[] span : spans(region, ranges)) {
                    generation += any(span[0], span[1], ACCEPTED) ? 1 : 0;
                    mark(span[0], span[1], FREE, 0, null);
                }
            }
        }

        /** All that a group offered. */
        private static List<Range> ranges(DcRegion region, Group group) {
            return group.offered.stream()
                    .map(o -> new Range((o[0] + FIRST_MIB) * MIB - region.baseDpa(), (o[1] - o[0]) * MIB))
                    .toList();
        }

        /** Ranges that this host holds. */
        private List<Range> held(DcRegion region, byte... states) {
            List<Range> ranges = new ArrayList<>();
            for (int attempt = 0; attempt < 5; attempt++) {
                Range range = randomRange(region);
                boolean proper = expectedOfRequest(region, List.of(range), (from, to) -> null) == null;
                if (proper) {
                    int[] span = spans(region, List.of(range)).get(0);
                    if (all(span[0], span[1], states)) {
                        ranges.add(range);
                    }
                }
            }
            return ranges;
        }

        // ---- host's side

        private HostRange randomHostRange() {
            DcRegion region = anyRegion();
            Range range = randomRange(region);
            return new HostRange(region.baseDpa() + range.offsetBytes(), range.lengthBytes());
        }

        private static HostRange hostRange(int from, int to) {
            return new HostRange((from + FIRST_MIB) * MIB, (to - from) * MIB);
        }

        /** Parts of what a group still offers: mostly right answers. */
        private List<HostRange> randomAnswer(Group group) {
            List<HostRange> answer = new ArrayList<>();
            for (int[] offer : group.offered) {
                DcRegion region = regionAt(offer[0]);
                int block = (int) (region.blockSizeBytes() / MIB);
                int blocks = (offer[1] - offer[0]) / block;
                switch (random.nextInt(4)) {
                    case 0 -> {}
                    case 1 -> {
                        int first = random.nextInt(blocks);
                        int count = 1 + random.nextInt(blocks - first);
                        answer.add(hostRange(offer[0] + first * block, offer[0] + (first + count) * block));
                        if (first > 0 && random.nextBoolean()) {
                            answer.add(hostRange(offer[0], offer[0] + block * (1 + random.nextInt(first))));
                        }
                    }
                    default -> answer.add(hostRange(offer[0], offer[1]));
                }
            }
            return answer;
        }

        private static DcRegion regionAt(int index) {
            return REGIONS.stream()
                    .filter(r -> index >= index(r.baseDpa()) && index < index(r.endDpa()))
                    .findFirst()
                    .orElseThrow();
        }

        private Cause expectedOfHostList(List<HostRange> ranges) {
            boolean[] seen = new boolean[state.length];
            for (HostRange range : ranges) {
                Optional<DcRegion> region = REGIONS.stream()
                        .filter(r -> range.startDpa() >= r.baseDpa()
                                && range.lengthBytes() > 0
                                && range.startDpa() + range.lengthBytes() <= r.endDpa())
                        .findFirst();
                if (region.isEmpty()) {
                    return Cause.OUTSIDE_REGION;
                }
                long block = region.get().blockSizeBytes();
                if ((range.startDpa() - region.get().baseDpa()) % block != 0 || range.lengthBytes() % block != 0) {
                    return Cause.UNALIGNED;
                }
                int from = index(range.startDpa());
                for (int i = from; i < from + range.lengthBytes() / MIB; i++) {
                    if (seen[i]) {
                        return Cause.OVERLAP_IN_REQUEST;
                    }
                    seen[i] = true;
                }
            }
            return null;
        }

        private interface Sender {
            Optional<Refusal> send(List<HostRange> ranges, boolean more);
        }

        /** In one piece or in several. */
        private Optional<Refusal> send(Sender sender, List<HostRange> ranges) {
            int cut = random.nextInt(4) == 0 ? random.nextInt(ranges.size() + 1) : 0;
            if (cut > 0) {
                assertEquals(Optional.empty(), sender.send(ranges.subList(0, cut), true));
            }
            return sender.send(ranges.subList(cut, ranges.size()), false);
        }

        private void answer() {
            List<HostRange> ranges = new ArrayList<>();
            if (random.nextInt(8) != 0 && !fifo.isEmpty()) {
                int group = random.nextInt(6) == 0 ? random.nextInt(fifo.size()) : 0;
                ranges.addAll(randomAnswer(fifo.get(group)));
            }
            if (random.nextInt(8) == 0) {
                ranges.add(randomHostRange());
            }
            Cause expected = fifo.isEmpty() && !ranges.isEmpty() ? Cause.NOTHING_PENDING : expectedOfHostList(ranges);
            Group answered = null;
            if (expected == null && !fifo.isEmpty()) {
                answered = ranges.isEmpty() ? fifo.get(0) : answeredGroup(ranges.get(0));
                for (HostRange range : ranges) {
                    int from = index(range.startDpa());
                    if (!stillOffers(answered, from, from + (int) (range.lengthBytes() / MIB))) {
                        expected = Cause.NOT_OFFERED;
                    }
                }
            }
            check(expected, send(capacity::addResponse, ranges), null, 0);
            if (answered != null && expected == null) {
                finish(answered, ranges);
            }
        }

        private Group answeredGroup(HostRange first) {
            int from = index(first.startDpa());
            int to = from + (int) (first.lengthBytes() / MIB);
            Optional<Group> live = fifo.stream().filter(this::isLive).findFirst();
            List<Group> withdrawn = fifo.subList(0, live.map(fifo::indexOf).orElse(fifo.size()));
            Optional<Group> meantWithdrawn =
                    withdrawn.stream().filter(g -> offers(g, from, to)).findFirst();
            if (live.isPresent() && (meantWithdrawn.isEmpty() || stillOffers(live.get(), from, to))) {
                return live.get();
            }
            return meantWithdrawn.orElse(fifo.get(0));
        }

        private void finish(Group group, List<HostRange> acceptedParts) {
            for (HostRange range : acceptedParts) {
                int from = index(range.startDpa());
                int to = from + (int) (range.lengthBytes() / MIB);
                mark(from, to, ACCEPTED, ++lastExtentNumber, tag[from]);
            }
            for (int[] offer : group.offered) {
                for (int i = offer[0]; i < offer[1]; i++) {
                    if (state[i] == PENDING && extentNumber[i] == offer[2]) {
                        mark(i, i + 1, FREE, 0, null);
                    }
                }
            }
            fifo.subList(0, fifo.indexOf(group) + 1).clear();
            generation += acceptedParts.isEmpty() ? 0 : 1;
        }

        private void release() {
            List<HostRange> ranges = new ArrayList<>();
            DcRegion region = anyRegion();
            for (Range range : held(region, ACCEPTED)) {
                ranges.add(new HostRange(region.baseDpa() + range.offsetBytes(), range.lengthBytes()));
            }
            if (random.nextInt(6) == 0) {
                ranges.add(randomHostRange());
            }
            Cause expected = expectedOfHostList(ranges);
            if (expected == null) {
                for (HostRange range : ranges) {
                    int from = index(range.startDpa());
                    if (!all(from, from + (int) (range.lengthBytes() / MIB), ACCEPTED)) {
                        expected = Cause.NOT_ACCEPTED;
                    }
                }
            }
            check(expected, send(capacity::hostRelease, ranges), null, 0);
            if (expected == null && !ranges.isEmpty()) {
                generation++;
                for (HostRange range : ranges) {
                    int from = index(range.startDpa());
                    mark(from, from + (int) (range.lengthBytes() / MIB), FREE, 0, null);
                }
            }
        }

        private void releaseAll() {
            capacity.releaseAll();
            generation += any(0, state.length, ACCEPTED) ? 1 : 0;
            mark(0, state.length, FREE, 0, null);
            fifo.clear();
        }

        // ---- comparison

        private int announcedBefore;
        private int generationBefore;

        private void step() {
            announcedBefore = announced.events.size();
            generationBefore = generation;
            int capacityGenerationBefore = capacity.generation();
            switch (random.nextInt(16)) {
                case 0, 1, 2, 3, 4, 5, 6 -> add();
                case 7, 8 -> answer();
                case 9, 10 -> release();
                case 11, 12 -> forceRelease();
                case 13, 14 -> requestRelease();
                default -> {
                    if (random.nextInt(30) == 0) {
                        releaseAll();
                    }
                }
            }
            assertEquals(generation != generationBefore, capacity.generation() != capacityGenerationBefore);
            compare();
        }

        private void check(Cause expected, Optional<Refusal> refusal, DcEvent.Type type, int records) {
            assertEquals(expected, refusal.map(Refusal::cause).orElse(null));
            List<DcEvent> told = announced.events.subList(announcedBefore, announced.events.size());
            assertEquals(expected == null ? records : 0, told.size());
            for (int i = 0; i < told.size(); i++) {
                assertEquals(type, told.get(i).type());
                assertEquals(i < records - 1, told.get(i).more());
            }
        }

        private void compare() {
            assertEquals(extents(ACCEPTED), capacity.acceptedCount());
            assertEquals(512 - extents(ACCEPTED) - extents(PENDING), capacity.extentsAvailable());
            int taken = 0;
            for (Extent extent : capacity.accepted()) {
                taken += compare(extent, ACCEPTED);
            }
            assertEquals(fifo.size(), capacity.pending().size());
            for (int i = 0; i < fifo.size(); i++) {
                PendingGroup group = capacity.pending().get(i);
                assertEquals(fifo.get(i).id, group.id());
                assertEquals(!isLive(fifo.get(i)), group.isWithdrawn());
                for (Extent extent : group.extents()) {
                    taken += compare(extent, PENDING);
                }
            }
            for (int i = 0; i < state.length; i++) {
                long dpa = (i + FIRST_MIB) * MIB;
                taken -= state[i] == FREE ? 0 : 1;
                assertEquals(state[i] == FREE ? null : state[i] == ACCEPTED, hooks.state(dpa));
            }
            assertEquals(0, taken);
            compareAccess();
            assertEquals(0, journal.depth);
            assertEquals(capacity.accepted(), journal.accepted);
            assertEquals(capacity.pending(), journal.pending);
            assertEquals(capacity.generation(), journal.generation);
        }

        private int compare(Extent extent, byte wanted) {
            int from = index(extent.startDpa());
            int to = index(extent.endDpa());
            assertTrue(all(from, to, wanted));
            for (int i = from; i < to; i++) {
                assertEquals(extentNumber[from], extentNumber[i]);
                assertEquals(tag[i], extent.tag());
            }
            return to - from;
        }

        private void compareAccess() {
            for (int i = 0; i < 8; i++) {
                long dpa = FIRST_MIB * MIB + random.nextLong(state.length * MIB - 20 * MIB);
                long length = 1 + random.nextLong(random.nextBoolean() ? 64 : 16 * MIB);
                boolean expected = all(index(dpa), index(dpa + length - 1) + 1, ACCEPTED);
                assertEquals(expected, capacity.covers(dpa, length));
            }
        }
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void shouldAgreeWithAPlainModel(long seed) {
        Run run = new Run(seed);
        for (int step = 0; step < 1500; step++) {
            try {
                run.step();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed=" + seed + " step=" + step, e);
            }
        }
    }
}
