package io.mhsld.type3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random requests of both sides, some of them wrong, to the heads of one device, by every policy, against a model that knows of each block only its state, the number of the extent that
 * it belongs to and its tag. Extents are what is left when neighbouring blocks of one number are taken together.
 */
@Tag("one-java")
class DynamicCapacityModelTest {
    private static final long MIB = TestDevice.MIB;

    private static final byte FREE = 0;
    private static final byte PENDING = 1;
    private static final byte ACCEPTED = 2;

    /** Of a shared tag, let go of by the host, which has other extents of it. */
    private static final byte LEAVING = 3;

    /** Blocks of different sizes, a region that does not fill its decode length, and one that begins where another ends. */
    private static final List<DcRegion> REGIONS = List.of(
            new DcRegion(0, 256 * MIB, 256 * MIB, 96 * MIB, 2 * MIB),
            new DcRegion(1, 512 * MIB, 256 * MIB, 256 * MIB, MIB),
            new DcRegion(2, 768 * MIB, 512 * MIB, 320 * MIB, 8 * MIB),
            new DcRegion(3, 1280 * MIB, 256 * MIB, 192 * MIB, 4 * MIB, true, false));

    static LongStream seeds() {
        return Seeds.of(40);
    }

    private static final int HEADS = 3;

    /** One head, the two side by side. */
    private static final class Run {
        private final SplittableRandom random;
        private final List<Run> all;
        private final ModelHooks.Pool pool;
        private final ModelHooks hooks;
        private final ModelHooks.Events announced = new ModelHooks.Events(Integer.MAX_VALUE);
        private final Journal journal = new Journal();
        private final DynamicCapacity capacity;

        // The model. Blocks are of one MiB, whatever the block size; index 0 is the first MiB of region 0.
        private final byte[] state = new byte[1280];
        private final int[] extentNumber = new int[state.length];
        private final UUID[] tag = new UUID[state.length];
        private final int[] sequence = new int[state.length];
        private final boolean[] marked = new boolean[state.length];

        /** What the hooks must have been told to sanitize, or not to, since the step began. */
        private final Map<Long, Boolean> released = new HashMap<>();

        private final List<Group> fifo = new ArrayList<>();
        private int lastExtentNumber;
        private int generation;
        private long lastGroup;

        Run(SplittableRandom random, List<Run> all, ModelHooks.Pool pool) {
            this.random = random;
            this.all = all;
            this.pool = pool;
            this.hooks = new ModelHooks(pool);
            this.capacity = new DynamicCapacity(REGIONS, hooks, journal, announced);
        }

        private record Group(long id, List<int[]> offered, Set<HostRange> gathered) {}

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
            if (newState != ACCEPTED && newState != LEAVING) {
                Arrays.fill(sequence, from, to, 0);
            }
            if (newState == FREE) {
                Arrays.fill(marked, from, to, false);
            }
        }

        /** The host has these no more; what of them it had accepted is sanitized or not. */
        private void free(int from, int to, boolean sanitize) {
            for (int i = from; i < to; i++) {
                if (state[i] == ACCEPTED || state[i] == LEAVING) {
                    boolean byRegion = pool.isSanitized(regionAt(i).id());
                    released.put((i + FIRST_MIB) * MIB, sanitize || marked[i] || byRegion);
                }
            }
            mark(from, to, FREE, 0, null);
        }

        private boolean isFreeEverywhere(int i) {
            return all.stream().allMatch(run -> run.state[i] == FREE);
        }

        private boolean isHeldElsewhere(int from, int to) {
            return all.stream().anyMatch(run -> run != this && !run.all(from, to, FREE));
        }

        private boolean isLive(UUID wanted) {
            return all.stream().anyMatch(run -> run.firstShared(wanted) >= 0);
        }

        /** The first block that this head has of a shared tag, -1 when it has none. */
        private int firstShared(UUID wanted) {
            for (int i = 0; i < state.length; i++) {
                if (sequence[i] > 0 && wanted.equals(tag[i])) {
                    return i;
                }
            }
            return -1;
        }

        /** The host loses what it accepted there; tags of which it keeps something stay. */
        private void lose(List<int[]> spans, boolean sanitize) {
            boolean[] within = within(spans);
            for (int i = 0; i < state.length; i++) {
                if (within[i] && sanitize) {
                    marked[i] = true;
                }
                if (within[i] && sequence[i] > 0 && state[i] == ACCEPTED) {
                    state[i] = LEAVING;
                } else if (within[i] && state[i] != LEAVING) {
                    free(i, i + 1, sanitize);
                }
            }
            for (int i = 0; i < state.length; i++) {
                if (state[i] == LEAVING && !hasAccepted(tag[i])) {
                    free(i, i + 1, false);
                }
            }
        }

        private boolean hasAccepted(UUID wanted) {
            for (int i = 0; i < state.length; i++) {
                if (state[i] == ACCEPTED && sequence[i] > 0 && wanted.equals(tag[i])) {
                    return true;
                }
            }
            return false;
        }

        /** Some of a shared extent is in there, and not all. */
        private boolean cutsASharedExtent(boolean[] within) {
            for (int i = 0; i < state.length; i++) {
                for (int j = 0; within[i] && sequence[i] > 0 && j < state.length; j++) {
                    if (!within[j] && sequence[j] > 0 && extentNumber[j] == extentNumber[i]) {
                        return true;
                    }
                }
            }
            return false;
        }

        /** Pieces of the spans that the host has not let go of. */
        private int pieces(List<int[]> spans) {
            int count = 0;
            for (int[] span : spans) {
                for (int i = span[0]; i < span[1]; i++) {
                    boolean begins = i == span[0] || state[i - 1] == LEAVING;
                    count += begins && state[i] != LEAVING ? 1 : 0;
                }
            }
            return count;
        }

        /** Some of a tag's shared extents are in there, and not all that the host has. */
        private boolean cutsATag(boolean[] within) {
            for (int i = 0; i < state.length; i++) {
                for (int j = 0; within[i] && sequence[i] > 0 && j < state.length; j++) {
                    if (!within[j] && sequence[j] > 0 && state[j] != LEAVING && tag[j].equals(tag[i])) {
                        return true;
                    }
                }
            }
            return false;
        }

        private boolean[] within(List<int[]> spans) {
            boolean[] within = new boolean[state.length];
            spans.forEach(span -> Arrays.fill(within, span[0], span[1], true));
            return within;
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
            switch (random.nextInt(8)) {
                case 0 -> addChosen(false);
                case 1 -> addChosen(true);
                case 2 -> join();
                default -> addPrescribed();
            }
        }

        private UUID randomTag(DcRegion region) {
            return new UUID(region.shareable() ? random.nextInt(7) : random.nextInt(3), 0);
        }

        private void addPrescribed() {
            Group again = fifo.isEmpty() ? null : fifo.get(random.nextInt(fifo.size()));
            boolean offersAgain = again != null && random.nextInt(4) == 0;
            DcRegion region = offersAgain ? regionAt(again.offered.get(0)[0]) : anyRegion();
            List<Range> ranges = offersAgain ? ranges(region, again) : randomRanges(region);
            UUID newTag = randomTag(region);
            Cause expected = expectedOfRequest(
                    region,
                    ranges,
                    (from, to) -> any(from, to, ACCEPTED) || any(from, to, LEAVING)
                            ? Cause.ALREADY_ACCEPTED
                            : any(from, to, PENDING) ? Cause.STILL_PENDING : null);
            if (expected == null && region.shareable()) {
                expected = newTag.equals(Extent.NO_TAG) ? Cause.TAG_REQUIRED : isLive(newTag) ? Cause.TAG_IN_USE : null;
            }
            List<int[]> spans = expected == null ? spans(region, ranges) : List.of();
            if (spans.stream().anyMatch(span -> isHeldElsewhere(span[0], span[1]))) {
                expected = Cause.OWNED_BY_OTHER_HEAD;
            }
            if (expected == null && random.nextInt(20) == 0) {
                expected = Cause.NO_SPACE;
                hooks.refuseNext(new Refusal(expected, ""));
            }
            check(
                    expected,
                    random.nextBoolean() && isNear(region, ranges)
                            ? capacity.add(AddRequest.atDpa(absolute(region, ranges), newTag))
                            : capacity.add(region.id(), ranges, newTag),
                    DcEvent.Type.ADD,
                    ranges.size());
            if (expected == null) {
                offered(spans, newTag, region.shareable());
            }
        }

        private static boolean isNear(DcRegion region, List<Range> ranges) {
            return ranges.stream()
                    .allMatch(range -> range.offsetBytes() >= 0 && range.offsetBytes() < region.lengthBytes());
        }

        /** The same as device addresses, which say nothing else as long as they are near the region. */
        private static List<Range> absolute(DcRegion region, List<Range> ranges) {
            return ranges.stream()
                    .map(range -> new Range(region.baseDpa() + range.offsetBytes(), range.lengthBytes()))
                    .toList();
        }

        private void offered(List<int[]> spans, UUID newTag, boolean shared) {
            List<int[]> offered = new ArrayList<>();
            for (int[] span : spans) {
                mark(span[0], span[1], PENDING, ++lastExtentNumber, newTag);
                offered.add(new int[] {span[0], span[1], lastExtentNumber});
                Arrays.fill(sequence, span[0], span[1], shared ? offered.size() : 0);
            }
            fifo.add(new Group(++lastGroup, offered, new LinkedHashSet<>()));
        }

        private void addChosen(boolean contiguous) {
            DcRegion region = anyRegion();
            long block = region.blockSizeBytes();
            long length = random.nextInt(10) == 0 ? region.lengthBytes() : random.nextInt(16) * block;
            length += random.nextInt(20) == 0 ? block / 2 : 0;
            UUID newTag = randomTag(region);
            List<Long> runs = freeRuns(region);
            long free = runs.stream().mapToLong(run -> run).sum();
            long longest = runs.stream().mapToLong(run -> run).max().orElse(0);
            Cause expected = length % block != 0
                    ? Cause.UNALIGNED
                    : length == 0
                            ? null
                            : region.shareable() && newTag.equals(Extent.NO_TAG)
                                    ? Cause.TAG_REQUIRED
                                    : region.shareable() && isLive(newTag)
                                            ? Cause.TAG_IN_USE
                                            : (contiguous ? longest : free) < length ? Cause.NO_FREE_CAPACITY : null;
            int extents = 0;
            for (long missing = expected == null ? length : 0; missing > 0; extents++) {
                missing -= longest >= length ? length : runs.get(extents);
            }
            AddRequest request = contiguous
                    ? AddRequest.contiguous(region.id(), length, newTag)
                    : AddRequest.free(region.id(), length, newTag);
            check(expected, capacity.add(request), DcEvent.Type.ADD, extents);
            if (expected == null && length > 0) {
                List<int[]> spans = new ArrayList<>();
                long sum = 0;
                for (Extent extent : last(capacity.pending()).offered()) {
                    int[] span = {index(extent.startDpa()), index(extent.endDpa())};
                    assertEquals(0, (extent.startDpa() - region.baseDpa()) % block);
                    assertEquals(0, extent.lengthBytes() % block);
                    assertEquals(
                            Optional.of(region.id()),
                            capacity.regionOf(extent.startDpa(), extent.lengthBytes())
                                    .map(DcRegion::id));
                    for (int i = span[0]; i < span[1]; i++) {
                        assertTrue(isFreeEverywhere(i));
                    }
                    spans.add(span);
                    sum += extent.lengthBytes();
                }
                assertEquals(length, sum);
                offered(spans, newTag, region.shareable());
            }
        }

        private static <T> T last(List<T> list) {
            return list.get(list.size() - 1);
        }

        /** Lengths of the runs of whole blocks that no head has, longest first. */
        private List<Long> freeRuns(DcRegion region) {
            List<Long> runs = new ArrayList<>();
            int block = (int) (region.blockSizeBytes() / MIB);
            long run = 0;
            for (int i = index(region.baseDpa()); i < index(region.endDpa()); i += block) {
                if (isFreeEverywhere(i)) {
                    run += region.blockSizeBytes();
                } else if (run > 0) {
                    runs.add(run);
                    run = 0;
                }
            }
            if (run > 0) {
                runs.add(run);
            }
            runs.sort(Comparator.reverseOrder());
            return runs;
        }

        private void join() {
            DcRegion region = random.nextInt(4) == 0 ? anyRegion() : REGIONS.get(3);
            UUID wanted = new UUID(random.nextInt(7), 0);
            int own = firstShared(wanted);
            Cause expected = wanted.equals(Extent.NO_TAG)
                    ? null
                    : !region.shareable()
                            ? Cause.NOT_SHAREABLE
                            : !isLive(wanted)
                                    ? Cause.TAG_UNKNOWN
                                    : own < 0
                                            ? null
                                            : state[own] == PENDING ? Cause.STILL_PENDING : Cause.ALREADY_ACCEPTED;
            List<int[]> spans = new ArrayList<>();
            if (expected == null && !wanted.equals(Extent.NO_TAG)) {
                pool.extentsOf(wanted)
                        .forEach(extent -> spans.add(new int[] {index(extent.startDpa()), index(extent.endDpa())}));
            }
            check(expected, capacity.add(AddRequest.join(region.id(), wanted)), DcEvent.Type.ADD, spans.size());
            if (!spans.isEmpty()) {
                offered(spans, wanted, true);
            }
        }

        private void requestRelease() {
            DcRegion region = anyRegion();
            List<Range> ranges = random.nextInt(3) == 0 ? randomRanges(region) : held(region, ACCEPTED);
            if (random.nextInt(3) == 0) {
                ranges = new ArrayList<>(wholeTag());
                region = REGIONS.get(3);
            }
            boolean sanitize = random.nextInt(3) == 0;
            Cause expected = expectedOfRequest(
                    region,
                    ranges,
                    (from, to) -> any(from, to, PENDING)
                            ? Cause.STILL_PENDING
                            : all(from, to, ACCEPTED, LEAVING) ? null : Cause.NOT_ACCEPTED);
            List<int[]> spans = expected == null ? spans(region, ranges) : List.of();
            if (cutsATag(within(spans))) {
                expected = Cause.INCOMPLETE_TAG;
            }
            ReleaseRequest request = ReleaseRequest.prescriptive(region.id(), ranges);
            check(
                    expected,
                    capacity.release(request.sanitizing(sanitize)),
                    DcEvent.Type.RELEASE,
                    hasSharedAccepted() ? parts(spans) : ranges.size());
            if (expected == null && sanitize) {
                spans.forEach(span -> Arrays.fill(marked, span[0], span[1], true));
            }
        }

        private boolean hasSharedAccepted() {
            for (int i = 0; i < state.length; i++) {
                if (state[i] == ACCEPTED && sequence[i] > 0) {
                    return true;
                }
            }
            return false;
        }

        /** The extents, and parts of extents, that lie in the spans; of shared ones the whole. */
        private int parts(List<int[]> spans) {
            Set<Integer> shared = new HashSet<>();
            int count = 0;
            for (int[] span : spans) {
                for (int i = span[0]; i < span[1]; i++) {
                    boolean begins = i == span[0] || extentNumber[i] != extentNumber[i - 1];
                    count +=
                            begins && state[i] == ACCEPTED && (sequence[i] == 0 || shared.add(extentNumber[i])) ? 1 : 0;
                }
            }
            return count;
        }

        private void forceRelease() {
            DcRegion region = anyRegion();
            List<Range> ranges = random.nextInt(3) == 0 ? randomRanges(region) : held(region, ACCEPTED, PENDING);
            if (!fifo.isEmpty() && random.nextBoolean()) {
                Group withdrawn = fifo.get(random.nextInt(fifo.size()));
                region = regionAt(withdrawn.offered.get(0)[0]);
                ranges = ranges(region, withdrawn);
            }
            boolean sanitize = random.nextInt(3) == 0;
            Cause expected = expectedOfRequest(
                    region,
                    ranges,
                    (from, to) -> all(from, to, ACCEPTED, PENDING, LEAVING) ? null : Cause.NOT_ACCEPTED);
            List<int[]> spans = expected == null ? spans(region, ranges) : List.of();
            if (cutsATag(within(spans))) {
                expected = Cause.INCOMPLETE_TAG;
            }
            ReleaseRequest request = isNear(region, ranges)
                    ? ReleaseRequest.atDpa(absolute(region, ranges))
                    : ReleaseRequest.prescriptive(region.id(), ranges);
            check(
                    expected,
                    capacity.release(request.byForce(true).sanitizing(sanitize)),
                    DcEvent.Type.FORCED_RELEASE,
                    pieces(spans));
            if (expected == null) {
                generation += spans.stream().anyMatch(span -> any(span[0], span[1], ACCEPTED)) ? 1 : 0;
                lose(spans, sanitize);
            }
        }

        private void releaseByTag() {
            UUID wanted = new UUID(random.nextInt(7), 0);
            boolean forced = random.nextBoolean();
            boolean sanitize = random.nextInt(3) == 0;
            List<int[]> spans = new ArrayList<>();
            boolean isPending = false;
            for (int i = 0; i < state.length; i++) {
                boolean has = state[i] != FREE && wanted.equals(tag[i]);
                boolean counts = has && (forced || state[i] != PENDING);
                isPending |= has && state[i] == PENDING;
                boolean goesOn =
                        counts && !spans.isEmpty() && last(spans)[1] == i && extentNumber[i] == extentNumber[i - 1];
                if (goesOn) {
                    last(spans)[1] = i + 1;
                } else if (counts) {
                    spans.add(new int[] {i, i + 1});
                }
            }
            boolean nothing = wanted.equals(Extent.NO_TAG);
            Cause expected = nothing || !spans.isEmpty() ? null : isPending ? Cause.STILL_PENDING : Cause.TAG_UNKNOWN;
            check(
                    expected,
                    capacity.release(
                            ReleaseRequest.tagged(wanted).byForce(forced).sanitizing(sanitize)),
                    forced ? DcEvent.Type.FORCED_RELEASE : DcEvent.Type.RELEASE,
                    nothing ? 0 : pieces(spans));
            if (nothing || spans.isEmpty()) {
                return;
            }
            if (forced) {
                generation += spans.stream().anyMatch(span -> any(span[0], span[1], ACCEPTED)) ? 1 : 0;
                lose(spans, sanitize);
            } else if (sanitize) {
                spans.forEach(span -> Arrays.fill(marked, span[0], span[1], true));
            }
        }

        /** Another setting of a region: every head tells its host. */
        private void configure() {
            DcRegion region = anyRegion();
            pool.toggleSanitize(region.id());
            for (Run run : all) {
                int before = run.announced.events.size();
                run.capacity.refreshRegions();
                run.capacity.refreshRegions();
                List<DcEvent> told = run.announced.events.subList(before, run.announced.events.size());
                assertEquals(1, told.size());
                assertEquals(
                        DcEvent.Type.REGION_CONFIGURATION_UPDATED, told.get(0).type());
                assertEquals(region.id(), told.get(0).region());
                assertEquals(
                        pool.isSanitized(region.id()),
                        run.capacity.regions().get(region.id()).sanitizeOnRelease());
            }
        }

        /** All accepted extents of one shared tag, when this head has any. */
        private List<Range> wholeTag() {
            UUID wanted = new UUID(1 + random.nextInt(6), 0);
            int first = firstShared(wanted);
            if (first < 0 || state[first] == PENDING) {
                return List.of();
            }
            List<Range> ranges = new ArrayList<>();
            long block = REGIONS.get(3).blockSizeBytes();
            for (Extent extent : pool.extentsOf(wanted)) {
                long offset = extent.startDpa() - REGIONS.get(3).baseDpa();
                long cut = random.nextBoolean() ? block * random.nextLong(extent.lengthBytes() / block) : 0;
                if (cut > 0) {
                    ranges.add(new Range(offset, cut));
                }
                ranges.add(random.nextInt(ranges.size() + 1), new Range(offset + cut, extent.lengthBytes() - cut));
            }
            return ranges;
        }

        /** Some extents of a tag that the host has, as a whole. */
        private List<HostRange> someOfATag() {
            UUID wanted = new UUID(1 + random.nextInt(6), 0);
            List<HostRange> ranges = new ArrayList<>();
            for (Extent extent : capacity.accepted()) {
                if (extent.isShared() && extent.tag().equals(wanted) && random.nextBoolean()) {
                    ranges.add(new HostRange(extent.startDpa(), extent.lengthBytes()));
                }
            }
            return ranges;
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
                if (expected == null && !ranges.isEmpty() && isPartOfAnExtent(answered, ranges)) {
                    expected = Cause.INCOMPLETE_TAG;
                }
            }
            check(expected, send(capacity::addResponse, ranges), null, 0);
            if (answered != null && expected == null) {
                if (isShared(answered) && !ranges.isEmpty()) {
                    answered.gathered.addAll(ranges);
                    if (answered.gathered.size() == answered.offered.size()) {
                        finish(answered, List.copyOf(answered.gathered));
                    }
                } else {
                    finish(answered, ranges);
                }
            }
        }

        private boolean isShared(Group group) {
            return sequence[group.offered.get(0)[0]] > 0;
        }

        private boolean isPartOfAnExtent(Group group, List<HostRange> ranges) {
            Set<HostRange> whole = new HashSet<>();
            group.offered.forEach(o -> whole.add(hostRange(o[0], o[1])));
            return isShared(group) && !whole.containsAll(ranges);
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
                        free(i, i + 1, false);
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
            if (random.nextInt(3) == 0) {
                ranges.clear();
                for (Range range : wholeTag()) {
                    ranges.add(new HostRange(REGIONS.get(3).baseDpa() + range.offsetBytes(), range.lengthBytes()));
                }
            }
            if (random.nextInt(3) == 0) {
                ranges = someOfATag();
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
            List<int[]> spans = new ArrayList<>();
            if (expected == null) {
                ranges.forEach(r -> spans.add(new int[] {index(r.startDpa()), index(r.startDpa() + r.lengthBytes())}));
                expected = cutsASharedExtent(within(spans)) ? Cause.INCOMPLETE_TAG : null;
            }
            check(expected, send(capacity::hostRelease, ranges), null, 0);
            if (expected == null && !ranges.isEmpty()) {
                generation++;
                lose(spans, false);
            }
        }

        private void releaseAll() {
            capacity.releaseAll();
            generation += any(0, state.length, ACCEPTED) ? 1 : 0;
            free(0, state.length, false);
            fifo.clear();
        }

        // ---- comparison

        private int announcedBefore;
        private int generationBefore;

        private void step() {
            announcedBefore = announced.events.size();
            generationBefore = generation;
            int capacityGenerationBefore = capacity.generation();
            released.clear();
            switch (random.nextInt(18)) {
                case 0, 1, 2, 3, 4, 5, 6 -> add();
                case 7, 8 -> answer();
                case 9, 10 -> release();
                case 11, 12 -> forceRelease();
                case 13, 14 -> requestRelease();
                case 15, 16 -> releaseByTag();
                default -> {
                    if (random.nextInt(30) == 0) {
                        releaseAll();
                    } else if (random.nextInt(10) == 0) {
                        configure();
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
            assertEquals(512 - extents(ACCEPTED) - extents(LEAVING) - extents(PENDING), capacity.extentsAvailable());
            int taken = 0;
            for (Extent extent : capacity.accepted()) {
                taken += compare(extent, ACCEPTED);
            }
            assertEquals(extents(LEAVING), capacity.leaving().size());
            for (Extent extent : capacity.leaving()) {
                taken += compare(extent, LEAVING);
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
                assertEquals(state[i] == FREE ? null : state[i] != PENDING, hooks.state(dpa));
            }
            assertEquals(0, taken);
            assertEquals(released, hooks.takeReleased());
            long live = LongStream.range(1, 7)
                    .filter(each -> isLive(new UUID(each, 0)))
                    .count();
            assertEquals(ModelHooks.TAGS - live, capacity.tagsAvailable());
            compareAccess();
            assertEquals(0, journal.depth);
            List<Extent> recorded = new ArrayList<>(capacity.accepted());
            recorded.addAll(capacity.leaving());
            assertEquals(recorded, journal.accepted);
            assertEquals(recorded, capacity.recorded());
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
                assertEquals(sequence[i], extent.sharedSequence());
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
        SplittableRandom random = new SplittableRandom(seed);
        ModelHooks.Pool pool = new ModelHooks.Pool();
        List<Run> runs = new ArrayList<>();
        for (int head = 0; head < HEADS; head++) {
            runs.add(new Run(random, runs, pool));
        }
        for (int step = 0; step < 2000; step++) {
            int head = random.nextInt(HEADS);
            try {
                runs.get(head).step();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed=" + seed + " step=" + step + " head=" + head, e);
            }
        }
    }
}
