package io.mhsld.stress.storm;

import io.mhsld.head.HostDriver;
import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpError;
import io.mhsld.qmp.QmpReply;
import io.mhsld.state.Geometry;
import io.mhsld.stress.storm.Requests.Run;
import io.mhsld.type3.TagText;
import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.LongStream;

/**
 * The fabric manager and the host of one head for one life of it: asks at random, knows what the answers must be, and checks every byte. One
 * thread at a time, so that at most one request is under way when the head is killed.
 */
final class Host implements AutoCloseable {
    private static final int MAX_RUNS = 3;
    private static final int MAX_RUN_BLOCKS = 4;
    private static final long MAX_READ_BYTES = 256 << 10;
    private static final int SHARE_PERCENT = 40;
    private static final String CLEAR_EVENTS = "040100000000";
    private static final List<String> TAGS = List.of("", "one", "00000000-0000-4000-8000-000000000002");
    private static final int[] LOOKS = {0x0102, 0x0300, 0x0400, 0x4000};
    private static final Map<Integer, Integer> CRC_OF_ZEROS = new ConcurrentHashMap<>();

    /** What must be in an accepted block; without a marker, zeros. */
    private record Held(Optional<Marker> marker, boolean known, Run extent) {}

    private final Life life;
    private final Geometry geometry;
    private final int blockBytes;
    private final Ownership ownership;
    private final Tally tally;
    private final QmpClient client;
    private final Requests requests;
    private final SplittableRandom random;
    private final TreeMap<Long, Held> held = new TreeMap<>();
    private final ArrayDeque<List<Run>> groups = new ArrayDeque<>();
    private int sequence;
    private String lastRefusal = "";

    Host(Life life, Geometry geometry, Ownership ownership, Tally tally, QmpClient client, SplittableRandom random) {
        this.life = life;
        this.geometry = geometry;
        this.blockBytes = (int) geometry.blockSizeBytes();
        this.ownership = ownership;
        this.tally = tally;
        this.client = client;
        this.requests = new Requests(geometry, life.head());
        this.random = random;
    }

    @Override
    public void close() {
        client.close();
    }

    /** Does one thing at random. */
    void act() {
        int dice = random.nextInt(1000);
        boolean hasMuch = held.size() > geometry.blockCount() * SHARE_PERCENT / 100;
        if (!groups.isEmpty() && dice < 400) {
            answer();
        } else if (dice < 330 && !hasMuch) {
            List<Run> runs = random.nextInt(3) == 0 ? List.of() : chooseFree();
            if (runs.isEmpty()) {
                addChosen();
            } else {
                add(runs);
            }
        } else if (dice < 470) {
            chooseHeld().ifPresent(this::release);
        } else if (dice < 530) {
            takeByForce();
        } else if (dice < 700) {
            chooseHeld().ifPresent(run -> checkOwn(run.first()));
        } else if (dice < 850) {
            chooseHeld().ifPresent(run -> write(run.first()));
        } else if (dice < 900) {
            readForeign();
        } else if (dice < 940) {
            compareExtents();
        } else if (dice < 980) {
            look();
        } else if (dice < 985) {
            reset();
        }
    }

    // ---- what the fabric manager does

    /** Asks for runs of one region; true when the head got them, and then every byte of what is accepted has been seen to be zero. */
    boolean add(List<Run> runs) {
        return add(runs, new long[1]);
    }

    /** The same; tells when the reply came, by {@link System#nanoTime}. */
    boolean add(List<Run> runs, long[] repliedNs) {
        QmpReply reply = ask("add", "cxl-add-dynamic-capacity", requests.add(runs));
        repliedNs[0] = System.nanoTime();
        if (reply.error().isPresent()) {
            refused(reply.error().get(), runs);
            return false;
        }
        granted(runs);
        return true;
    }

    private void refused(QmpError error, Object wanted) {
        lastRefusal = error.description();
        boolean expected = lastRefusal.startsWith("mhsld is enabled and extent reservation failed")
                || lastRefusal.startsWith("no memory left");
        if (lastRefusal.startsWith("dynamic capacity event log is full")) {
            clearEvents();
        } else if (!expected) {
            tally.violation("add refused for no reason: %s wanted=%s reason=\"%s\"", life, wanted, lastRefusal);
        }
    }

    private void granted(List<Run> runs) {
        for (long block : blocks(runs)) {
            ownership
                    .begin(life, block)
                    .ifPresent(other -> tally.violation(
                            "I1 two live heads own a block: block=%d owner=[%s] granted to=[%s]", block, other, life));
        }
        if (life.mode() == HostDriver.Mode.AUTO) {
            accepted(runs, false);
        } else {
            groups.add(new ArrayList<>(runs));
        }
    }

    /** Lets the device choose, under a tag or none, and sees what it chose. */
    private void addChosen() {
        Geometry.Region region =
                geometry.regions().get(random.nextInt(geometry.regions().size()));
        long regionBlocks = region.lengthBytes() / geometry.blockSizeBytes();
        for (long block = region.firstBlock(); block < region.firstBlock() + regionBlocks; block++) {
            if (ownership.isShunned(block)) {
                return;
            }
        }
        long count = 1L + random.nextInt(2 * MAX_RUN_BLOCKS);
        boolean contiguous = random.nextBoolean();
        String tag = TAGS.get(random.nextInt(TAGS.size()));
        NavigableSet<Long> before = owned();
        QmpReply reply = ask(
                contiguous ? "add contiguous" : "add free",
                "cxl-add-dynamic-capacity",
                requests.addChosen(region, count, contiguous, tag));
        if (reply.error().isPresent()) {
            if (!reply.error().get().description().startsWith("not enough free capacity")) {
                refused(reply.error().get(), count);
            }
            return;
        }
        List<Run> runs = new ArrayList<>();
        for (Map<?, ?> row : extents(result("query extents", "x-query-extents", Map.of()))) {
            Run run = runOf(row);
            if (!before.contains(run.first())) {
                runs.add(run);
                if (!row.get("tag").equals(TagText.tagOf(tag).toString())) {
                    tally.violation("chosen under another tag: %s tag=%s extent=%s", life, tag, row);
                }
            }
        }
        boolean isWithin = runs.stream()
                .allMatch(run -> geometry.regionOfBlock(run.first()).equals(region)
                        && geometry.regionOfBlock(run.first() + run.count() - 1).equals(region));
        if (blocks(runs).size() != count || !isWithin || (contiguous && runs.size() != 1)) {
            tally.violation(
                    "chosen is not what was asked for: %s region=%d blocks=%d contiguous=%s chosen=%s",
                    life, region.id(), count, contiguous, runs);
        }
        granted(runs);
    }

    /** All of an answer to {@code x-query-extents}, accepted and pending. */
    private static List<Map<?, ?>> extents(Map<?, ?> answer) {
        List<Map<?, ?>> rows = new ArrayList<>();
        ((List<?>) answer.get("accepted")).forEach(row -> rows.add((Map<?, ?>) row));
        for (Object group : (List<?>) answer.get("pending")) {
            ((List<?>) ((Map<?, ?>) group).get("extents")).forEach(row -> rows.add((Map<?, ?>) row));
        }
        return rows;
    }

    /** Why the last add was refused. */
    String lastRefusal() {
        return lastRefusal;
    }

    private void release(Run run) {
        boolean isWhole = held.get(run.first()).extent().equals(run);
        end(List.of(run), isWhole ? Ending.RELEASED : Ending.RELEASED_SPLIT);
        if (life.mode() == HostDriver.Mode.AUTO) {
            // The built-in host gives it back before it reads the next request.
            mustSucceed(ask("release", "cxl-release-dynamic-capacity", requests.release(List.of(run), false)), run);
        } else {
            mustSucceed(ask("host release", "x-cci", requests.hostRelease(List.of(run))), run);
        }
        blocks(List.of(run)).forEach(held::remove);
        if (random.nextInt(4) == 0) {
            mustBeRefused(run.first());
        }
    }

    private void takeByForce() {
        boolean pending = !groups.isEmpty() && random.nextBoolean();
        List<Run> offered = pending ? groups.peekLast() : List.of();
        Optional<Run> run = offered.isEmpty() ? chooseHeld() : Optional.of(part(offered.get(0)));
        if (run.isEmpty()) {
            return;
        }
        end(List.of(run.get()), Ending.FORCED);
        mustSucceed(
                ask("forced release", "cxl-release-dynamic-capacity", requests.release(List.of(run.get()), true)),
                run.get());
        if (offered.isEmpty()) {
            blocks(List.of(run.get())).forEach(held::remove);
        } else {
            Run first = offered.remove(0);
            long firstEnd = first.first() + first.count();
            long end = run.get().first() + run.get().count();
            if (end < firstEnd) {
                offered.add(0, new Run(end, firstEnd - end));
            }
            if (first.first() < run.get().first()) {
                offered.add(0, new Run(first.first(), run.get().first() - first.first()));
            }
        }
        mustBeRefused(run.get().first());
    }

    private void reset() {
        end(heldRuns(), Ending.RESET);
        groups.forEach(group -> end(group, Ending.RESET));
        mustSucceed(ask("reset", "system_reset", Map.of()), new Run(0, 0));
        held.clear();
        groups.clear();
    }

    // ---- what the host does

    private void answer() {
        List<Run> offer = groups.peek();
        List<Run> parts = new ArrayList<>();
        int how = random.nextInt(3);
        for (Run run : offer) {
            if (how == 0 || (how == 1 && random.nextInt(3) > 0)) {
                parts.add(how == 0 ? run : part(run));
            }
        }
        for (Run run : offer) {
            for (long block : blocks(List.of(run))) {
                if (parts.stream().noneMatch(part -> part.has(block))) {
                    ownership.end(life, block, parts.isEmpty() ? Ending.REJECTED : Ending.ACCEPTED_IN_PART);
                }
            }
        }
        boolean inPart = blocks(parts).size() < blocks(offer).size();
        String kind = offer.isEmpty() ? "answer to a withdrawn offer" : parts.isEmpty() ? "reject" : "accept";
        mustSucceed(
                ask(kind + (inPart && !parts.isEmpty() ? " in part" : ""), "x-cci", requests.addResponse(parts)),
                parts.isEmpty() ? new Run(0, 0) : parts.get(0));
        groups.remove();
        accepted(parts, inPart);
    }

    private void accepted(List<Run> runs, boolean inPart) {
        for (Run run : runs) {
            for (long block : blocks(List.of(run))) {
                held.put(block, new Held(Optional.empty(), true, run));
                ownership.accept(life, block);
            }
            mustBeZero(run, inPart);
            for (long block : blocks(List.of(run))) {
                if (random.nextInt(8) > 0) {
                    write(block);
                }
            }
        }
    }

    private void write(long block) {
        Held before = held.get(block);
        Marker marker = new Marker(life.head(), life.number(), block, ++sequence, random.nextInt(5) == 0);
        ownership.write(life, block);
        QmpReply reply = ask(
                "write",
                "x-mem-write",
                Map.of(
                        "dpa",
                        geometry.dpaOfBlock(block),
                        "data",
                        Base64.getEncoder().encodeToString(marker.block(blockBytes))));
        Optional<QmpError> error = reply.error();
        if (error.isPresent() && !error.get().description().startsWith("no memory left")) {
            tally.violation("own block cannot be written: %s block=%d reason=\"%s\"", life, block, error.get());
        }
        held.put(block, new Held(Optional.of(marker), error.isEmpty(), before.extent()));
    }

    private void look() {
        if (life.mode() == HostDriver.Mode.MANUAL && random.nextBoolean()) {
            clearEvents();
        } else if (random.nextBoolean()) {
            ask("query events", "x-query-events", Map.of("since", random.nextInt(1000)));
        } else {
            ask("cci", "x-cci", Map.of("opcode", LOOKS[random.nextInt(LOOKS.length)]));
        }
    }

    private void clearEvents() {
        ask("clear events", "x-cci", Map.of("opcode", 0x0101, "payload", CLEAR_EVENTS));
    }

    // ---- checks

    /** What was accepted a moment ago: zero everywhere, whoever had it before. */
    private void mustBeZero(Run run, boolean inPart) {
        int length = (int) (run.count() * blockBytes);
        int zeros = CRC_OF_ZEROS.computeIfAbsent(length, bytes -> Marker.crc(new byte[bytes]));
        if (random.nextBoolean()) {
            Object crc = result("crc", "x-mem-crc", requests.range(run)).get("crc32c");
            if (crc instanceof Long number && number == Integer.toUnsignedLong(zeros)) {
                countZeros(run, inPart);
                return;
            }
        }
        byte[] expected = new byte[length];
        byte[] found = read(run).orElse(expected);
        if (!Arrays.equals(found, expected)) {
            tally.violation(
                    "I4 stale bytes in a block that was accepted a moment ago: %s run=%s before=%s %s",
                    life, run, ownership.before(run.first()), Marker.difference(found, expected));
        }
        countZeros(run, inPart);
    }

    private void countZeros(Run run, boolean inPart) {
        for (long block : blocks(List.of(run))) {
            Ownership.Before before = ownership.before(block);
            tally.read("accepted" + (inPart ? " in part" : "") + ", before: " + before.ending(), before.marked());
        }
    }

    private void checkOwn(long block) {
        Held holding = held.get(block);
        Run run = new Run(block, 1);
        byte[] expected =
                holding.marker().map(marker -> marker.block(blockBytes)).orElseGet(() -> new byte[blockBytes]);
        String path = holding.marker().isPresent() ? "own marker" : "own, not written yet";
        if (holding.known() && random.nextBoolean()) {
            Object crc = result("crc", "x-mem-crc", requests.range(run)).get("crc32c");
            if (crc instanceof Long number && number == Integer.toUnsignedLong(Marker.crc(expected))) {
                tally.read(path, true);
                return;
            }
        }
        byte[] found = read(run).orElse(expected);
        if (holding.known() && !Arrays.equals(found, expected)) {
            tally.violation(
                    "I4 own block does not hold what was written: %s block=%d %s",
                    life, block, Marker.difference(found, expected));
        }
        tally.read(path, true);
    }

    private void readForeign() {
        long block = random.nextLong(geometry.blockCount());
        if (!held.containsKey(block)) {
            mustBeRefused(block);
        }
    }

    private void mustBeRefused(long block) {
        QmpReply reply = ask("read of what is not accepted", "x-mem-read", requests.range(new Run(block, 1)));
        if (reply.error().isEmpty()) {
            tally.violation("I4 a block that is not accepted can be read: %s block=%d", life, block);
        }
        tally.read("not accepted: refused", true);
    }

    /** The head's own lists against the oracle; also that a head which lives has lost nothing. */
    void compareExtents() {
        Map<?, ?> answer = result("query extents", "x-query-extents", Map.of());
        NavigableSet<Long> accepted = blocksOf((List<?>) answer.get("accepted"));
        if (!accepted.equals(held.navigableKeySet())) {
            tally.violation(
                    "accepted extents are not what the replies said: %s listed=%s expected=%s",
                    life, accepted, held.keySet());
        }
        NavigableSet<Long> pending = new TreeSet<>();
        for (Object group : (List<?>) answer.get("pending")) {
            pending.addAll(blocksOf((List<?>) ((Map<?, ?>) group).get("extents")));
        }
        NavigableSet<Long> offered = new TreeSet<>();
        groups.forEach(group -> offered.addAll(blocks(group)));
        if (!pending.equals(offered)) {
            tally.violation(
                    "pending extents are not what the replies said: %s listed=%s expected=%s", life, pending, offered);
        }
    }

    /** All blocks that this head owns, accepted or pending. */
    NavigableSet<Long> owned() {
        NavigableSet<Long> owned = new TreeSet<>(held.navigableKeySet());
        groups.forEach(group -> owned.addAll(blocks(group)));
        return owned;
    }

    private NavigableSet<Long> blocksOf(List<?> extents) {
        NavigableSet<Long> blocks = new TreeSet<>();
        for (Object extent : extents) {
            blocks.addAll(blocks(List.of(runOf((Map<?, ?>) extent))));
        }
        return blocks;
    }

    private Run runOf(Map<?, ?> row) {
        return new Run(geometry.blockOfDpa((Long) row.get("dpa")), (Long) row.get("len") / geometry.blockSizeBytes());
    }

    // ---- parts

    private QmpReply ask(String kind, String command, Map<String, ?> arguments) {
        QmpReply reply = client.execute(command, arguments);
        tally.operation(kind + (reply.error().isPresent() ? ", refused" : ""));
        reply.error()
                .filter(error -> error.description().startsWith("internal error"))
                .ifPresent(error -> tally.violation("head has an error: %s command=%s %s", life, command, error));
        return reply;
    }

    private Map<?, ?> result(String kind, String command, Map<String, ?> arguments) {
        QmpReply reply = ask(kind, command, arguments);
        if (reply.error().isPresent()) {
            tally.violation(
                    "refused for no reason: %s command=%s arguments=%s %s",
                    life, command, arguments, reply.error().get());
            return Map.of("accepted", List.of(), "pending", List.of());
        }
        return (Map<?, ?>) reply.value();
    }

    /** In pieces of what one command reads. Empty when the head refuses to read it, which has been reported. */
    private Optional<byte[]> read(Run run) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        long pieceBlocks = Math.max(1, MAX_READ_BYTES / geometry.blockSizeBytes());
        for (long done = 0; done < run.count(); done += pieceBlocks) {
            Run piece = new Run(run.first() + done, Math.min(pieceBlocks, run.count() - done));
            Object data = result("read", "x-mem-read", requests.range(piece)).get("data");
            if (data == null) {
                return Optional.empty();
            }
            bytes.writeBytes(Base64.getDecoder().decode(data.toString()));
        }
        return Optional.of(bytes.toByteArray());
    }

    private void mustSucceed(QmpReply reply, Run run) {
        if (reply.error().isPresent()) {
            tally.violation(
                    "refused for no reason: %s run=%s %s",
                    life, run, reply.error().get());
        } else if (reply.value() instanceof Map<?, ?> answer
                && answer.get("return-code") instanceof Long code
                && code != 0) {
            tally.violation("host's command refused for no reason: %s run=%s code=0x%x", life, run, code);
        }
    }

    private void end(List<Run> runs, Ending ending) {
        blocks(runs).forEach(block -> ownership.end(life, block, ending));
    }

    private List<Run> chooseFree() {
        List<Run> runs = new ArrayList<>();
        Geometry.Region region =
                geometry.regions().get(random.nextInt(geometry.regions().size()));
        long regionBlocks = region.lengthBytes() / geometry.blockSizeBytes();
        NavigableSet<Long> taken = owned();
        for (int wanted = 1 + random.nextInt(MAX_RUNS); wanted > 0; wanted--) {
            long count = 1L + random.nextInt(MAX_RUN_BLOCKS);
            long first = region.firstBlock() + random.nextLong(regionBlocks);
            Run run = new Run(first, Math.min(count, region.firstBlock() + regionBlocks - first));
            boolean free = blocks(List.of(run)).stream()
                    .noneMatch(block -> taken.contains(block) || ownership.isShunned(block));
            if (free) {
                runs.add(run);
                taken.addAll(blocks(List.of(run)));
            }
        }
        return runs;
    }

    /** An accepted run: a whole extent, or a part of one. */
    private Optional<Run> chooseHeld() {
        if (held.isEmpty()) {
            return Optional.empty();
        }
        Iterator<Long> blocks = held.keySet().iterator();
        for (int skip = random.nextInt(held.size()); skip > 0; skip--) {
            blocks.next();
        }
        long block = blocks.next();
        Run extent = held.get(block).extent();
        boolean isWhole = blocks(List.of(extent)).stream()
                .allMatch(other ->
                        held.containsKey(other) && held.get(other).extent().equals(extent));
        return Optional.of(isWhole && random.nextInt(3) > 0 ? extent : new Run(block, 1));
    }

    private Run part(Run run) {
        long skip = random.nextLong(run.count());
        return new Run(run.first() + skip, 1 + random.nextLong(run.count() - skip));
    }

    private List<Run> heldRuns() {
        return held.keySet().stream().map(block -> new Run(block, 1)).toList();
    }

    private static List<Long> blocks(List<Run> runs) {
        return runs.stream()
                .flatMapToLong(run -> LongStream.range(run.first(), run.first() + run.count()))
                .boxed()
                .toList();
    }
}
