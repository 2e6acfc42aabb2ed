package io.mhsld.stress.storm;

import io.mhsld.head.HostDriver;
import io.mhsld.qmp.QmpReply;
import io.mhsld.state.Geometry;
import io.mhsld.stress.storm.Requests.Run;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.UUID;

/**
 * What the {@link Host} of one head does with shared capacity: makes tags and joins those of others, writes its own lines and reads everybody's, and
 * leaves in all the ways that there are. One offer at a time, and none behind another, so that it is always the oldest.
 */
final class Sharer {
    private static final int MAX_TAGS = 4;
    private static final int MAX_EXTENTS = 3;
    private static final int MAX_BLOCKS = 3;

    /** A tag that this head holds: which extents its host has, and which it has let go of while it has others. */
    private static final class Holding {
        private final TagOracle.Tag tag;
        private final List<Run> runs;
        private final Set<Run> accepted = new LinkedHashSet<>();
        private final Set<Run> leaving = new LinkedHashSet<>();

        Holding(TagOracle.Tag tag, List<Run> runs) {
            this.tag = tag;
            this.runs = runs;
        }
    }

    private final Host host;
    private final Life life;
    private final Geometry geometry;
    private final Geometry.Region region;
    private final int blockBytes;
    private final TagOracle oracle;
    private final Tally tally;
    private final Requests requests;
    private final SplittableRandom random;
    private final Map<UUID, Holding> holdings = new LinkedHashMap<>();

    /** What awaits an answer, and what of it has been accepted already. */
    private Holding offered;

    private final Set<Run> gathered = new LinkedHashSet<>();
    private boolean withdrawn;

    Sharer(
            Host host,
            Life life,
            Geometry geometry,
            Geometry.Region region,
            TagOracle oracle,
            Tally tally,
            SplittableRandom random) {
        this.host = host;
        this.life = life;
        this.geometry = geometry;
        this.region = region;
        this.blockBytes = (int) geometry.blockSizeBytes();
        this.oracle = oracle;
        this.tally = tally;
        this.requests = new Requests(geometry, life.head());
        this.random = random;
    }

    /** An offer awaits an answer, which must come before any other. */
    boolean mustAnswer() {
        return offered != null;
    }

    /** Does one thing at random. */
    void act(boolean mayOffer) {
        int dice = random.nextInt(100);
        Optional<Holding> some = choose();
        if (offered != null && dice < 45) {
            answer();
        } else if (dice < 20 && mayOffer && offered == null && holdings.size() < MAX_TAGS) {
            create();
        } else if (dice < 45 && mayOffer && offered == null && holdings.size() < MAX_TAGS) {
            oracle.choose(random).ifPresent(this::join);
        } else if (dice < 62) {
            some.ifPresent(this::write);
        } else if (dice < 77) {
            some.ifPresent(holding -> read(holding, "shared: own tag"));
        } else if (dice < 87) {
            some.ifPresent(this::release);
        } else if (dice < 91) {
            some.ifPresent(this::askFor);
        } else if (dice < 95) {
            takeByForce(some);
        } else if (dice < 98) {
            some.ifPresent(this::askForAPart);
        } else {
            long block = region.firstBlock() + random.nextLong(regionBlocks());
            if (!accepted().contains(block)) {
                host.mustBeRefused(block);
            }
        }
    }

    private Optional<Holding> choose() {
        return holdings.values().stream()
                .skip(holdings.isEmpty() ? 0 : random.nextInt(holdings.size()))
                .findFirst();
    }

    private long regionBlocks() {
        return region.lengthBytes() / geometry.blockSizeBytes();
    }

    // ---- getting in

    private void create() {
        TagOracle.Tag tag = oracle.create(life, region.id(), random.nextBoolean());
        String name = tag.name().toString();
        List<Run> named = random.nextBoolean() ? chooseRuns() : List.of();
        int count = 1 + random.nextInt(2 * MAX_BLOCKS);
        boolean contiguous = random.nextBoolean();
        QmpReply reply = named.isEmpty()
                ? host.ask(
                        contiguous ? "shared add contiguous" : "shared add free",
                        "cxl-add-dynamic-capacity",
                        requests.addChosen(region, count, contiguous, name))
                : host.ask("shared add", "cxl-add-dynamic-capacity", requests.addTagged(named, name));
        if (reply.error().isPresent()) {
            oracle.left(tag, life);
            mustBeKnown("shared add", reply.error().get().description(), tag);
            return;
        }
        List<Run> runs = runsOf(tag);
        long blocks = runs.stream().mapToLong(Run::count).sum();
        boolean isRight = named.isEmpty() ? blocks == count && (!contiguous || runs.size() == 1) : runs.equals(named);
        if (!isRight) {
            tally.violation(
                    "shared add is not what was asked for: %s named=%s blocks=%d contiguous=%s is=%s",
                    life, named, count, contiguous, runs);
        }
        begin(tag, runs, "shared: made");
    }

    private void join(TagOracle.Tag tag) {
        boolean hasIt = holdings.containsKey(tag.name());
        TagOracle.Before before = hasIt ? oracle.before(tag) : oracle.joining(tag, life);
        QmpReply reply = host.ask(
                "join",
                "cxl-add-dynamic-capacity",
                requests.join(region.id(), tag.name().toString()));
        if (hasIt) {
            if (reply.error().isEmpty()) {
                tally.violation("a head joins a tag twice: %s tag=[%s]", life, tag);
            }
            return;
        }
        if (reply.error().isPresent()) {
            String reason = reply.error().get().description();
            oracle.left(tag, life);
            if (!reason.startsWith("nothing has the tag")) {
                mustBeKnown("join", reason, tag);
            } else if (oracle.wasThereSince(tag, before)) {
                tally.violation("I5 a tag that is held cannot be joined: %s tag=[%s] reason=\"%s\"", life, tag, reason);
            }
            return;
        }
        if (before.wasGone()) {
            tally.violation("I1 a tag that was gone has been joined: %s tag=[%s]", life, tag);
        }
        begin(tag, runsOf(tag), "shared: joined");
    }

    private void mustBeKnown(String what, String reason, TagOracle.Tag tag) {
        if (reason.startsWith("dynamic capacity event log is full")) {
            host.clearEvents();
        }
        boolean expected = reason.startsWith("mhsld is enabled and extent reservation failed")
                || reason.startsWith("dynamic capacity event log is full")
                || reason.startsWith("not enough free capacity")
                || reason.startsWith("no memory left")
                || reason.startsWith("the device is busy")
                || reason.startsWith("too many tags");
        if (!expected) {
            tally.violation("%s refused for no reason: %s tag=[%s] reason=\"%s\"", what, life, tag, reason);
        }
    }

    /** The extents that the head lists under the tag, by their sequence. */
    private List<Run> runsOf(TagOracle.Tag tag) {
        List<Map<?, ?>> rows = new ArrayList<>();
        for (Map<?, ?> row : Host.extents(host.result("query extents", "x-query-extents", Map.of()))) {
            if (row.get("tag").equals(tag.name().toString())) {
                rows.add(row);
            }
        }
        rows.sort(Comparator.comparingLong(row -> (Long) row.get("sequence")));
        for (int i = 0; i < rows.size(); i++) {
            if (!rows.get(i).get("sequence").equals(i + 1L)
                    || !rows.get(i).get("region").equals((long) region.id())) {
                tally.violation("extents of a tag are not in sequence: %s tag=[%s] extents=%s", life, tag, rows);
            }
        }
        return rows.stream().map(host::runOf).toList();
    }

    private void begin(TagOracle.Tag tag, List<Run> runs, String how) {
        if (runs.isEmpty()) {
            tally.violation("a tag without extents: %s tag=[%s]", life, tag);
            return;
        }
        oracle.held(tag, life, runs).ifPresent(wrong -> tally.violation("%s granted to=[%s]", wrong, life));
        Holding holding = new Holding(tag, runs);
        if (life.mode() == HostDriver.Mode.AUTO) {
            accepted(holding, how);
        } else {
            offered = holding;
            gathered.clear();
            withdrawn = false;
        }
    }

    private void accepted(Holding holding, String how) {
        holding.accepted.addAll(holding.runs);
        holdings.put(holding.tag.name(), holding);
        read(holding, how);
        for (int writes = 1 + random.nextInt(4); writes > 0; writes--) {
            write(holding);
        }
    }

    private void answer() {
        Holding holding = offered;
        Run first = holding.runs.get(0);
        int how = random.nextInt(5);
        if (withdrawn || how == 0) {
            oracle.leaving(holding.tag, life);
            host.mustSucceed(
                    host.ask(
                            withdrawn ? "answer to a withdrawn shared offer" : "shared reject",
                            "x-cci",
                            requests.addResponse(List.of())),
                    first);
            offered = null;
            oracle.left(holding.tag, life);
            host.mustBeRefused(first.first());
            return;
        }
        List<Run> rest = new ArrayList<>(holding.runs);
        rest.removeAll(gathered);
        List<Run> parts = how < 3 ? rest : List.of(rest.get(random.nextInt(rest.size())));
        boolean isLast = parts.size() == rest.size();
        host.mustSucceed(
                host.ask("shared accept" + (isLast ? "" : " in part"), "x-cci", requests.addResponse(parts)), first);
        gathered.addAll(parts);
        if (isLast) {
            offered = null;
            accepted(holding, "shared: accepted");
        } else {
            host.mustBeRefused(parts.get(0).first());
        }
    }

    // ---- bytes

    private void write(Holding holding) {
        Run run = any(holding.accepted);
        long block = run.first() + random.nextLong(run.count());
        int page = random.nextInt(blockBytes / Marker.PAGE_BYTES);
        int place = Marker.lineOf(life.head(), random.nextInt(Marker.LINES_PER_HEAD));
        long dpa = geometry.dpaOfBlock(block) + (long) page * Marker.PAGE_BYTES + place;
        Marker marker = new Marker(life.head(), life.number(), block, holding.tag.number(), false);
        QmpReply reply = host.ask(
                "shared write",
                "x-mem-write",
                Map.of("dpa", dpa, "data", Base64.getEncoder().encodeToString(marker.line(page))));
        if (reply.error().isEmpty()) {
            oracle.written(holding.tag, life, dpa);
        } else if (!reply.error().get().description().startsWith("no memory left")) {
            tally.violation(
                    "shared block cannot be written: %s tag=[%s] block=%d reason=\"%s\"",
                    life, holding.tag, block, reply.error().get());
        }
    }

    private void read(Holding holding, String path) {
        Map<Long, Integer> must = oracle.written(holding.tag);
        Map<Long, Integer> left = new HashMap<>();
        for (Run run : holding.accepted) {
            long dpa = geometry.dpaOfBlock(run.first());
            must.forEach((line, by) -> {
                if (line >= dpa && line < dpa + run.count() * blockBytes) {
                    left.put(line, by);
                }
            });
            Optional<byte[]> found = host.read(run);
            if (found.isEmpty()) {
                return;
            }
            Marker.sharedStrangeness(
                            found.get(),
                            run.first(),
                            blockBytes,
                            marker -> marker.sequence() == holding.tag.number()
                                    && oracle.mayBeSeen(marker.sequence(), marker.life(), life),
                            (at, marker) ->
                                    left.computeIfPresent(dpa + at, (line, by) -> marker.life() >= by ? null : by))
                    .ifPresent(strange -> tally.violation(
                            "I4 bytes of nobody who held the tag: %s %s tag=[%s] run=%s found=%s",
                            path, life, holding.tag, run, strange));
        }
        if (!left.isEmpty()) {
            tally.violation(
                    "I4 what holders of a tag wrote is not there: %s %s tag=[%s] lines=%s",
                    path, life, holding.tag, left);
        }
        tally.read(path, must.values().stream().anyMatch(by -> by != life.number()));
    }

    // ---- getting out

    /** By the host: all extents at once, or one. */
    private void release(Holding holding) {
        List<Run> parts = random.nextInt(3) == 0 ? List.copyOf(holding.accepted) : List.of(any(holding.accepted));
        boolean isLast = parts.size() == holding.accepted.size();
        if (isLast) {
            oracle.leaving(holding.tag, life);
        }
        host.mustSucceed(
                host.ask("shared host release" + (isLast ? "" : " in part"), "x-cci", requests.hostRelease(parts)),
                parts.get(0));
        if (isLast) {
            end(holding);
        } else {
            parts.forEach(holding.accepted::remove);
            holding.leaving.addAll(parts);
        }
        host.mustBeRefused(parts.get(0).first());
    }

    /** The fabric manager asks for the tag. The built-in host gives it back before it reads the next request. */
    private void askFor(Holding holding) {
        boolean auto = life.mode() == HostDriver.Mode.AUTO;
        if (auto) {
            oracle.leaving(holding.tag, life);
        }
        boolean byTag = random.nextBoolean();
        QmpReply reply = host.ask(
                byTag ? "shared release by tag" : "shared release",
                "cxl-release-dynamic-capacity",
                byTag
                        ? requests.releaseTag(region.id(), holding.tag.name().toString(), false)
                        : requests.release(List.copyOf(holding.accepted), false));
        boolean isFull = reply.error()
                .filter(error -> error.description().startsWith("dynamic capacity event log is full"))
                .isPresent();
        if (isFull && !auto) {
            host.clearEvents();
            return;
        }
        host.mustSucceed(reply, holding.runs.get(0));
        if (auto) {
            // Its answer comes before it has done so.
            host.mustBeRefused(holding.runs.get(0).first());
            end(holding);
        }
    }

    private void takeByForce(Optional<Holding> some) {
        boolean pending = offered != null && !withdrawn && random.nextBoolean();
        if (!pending && some.isEmpty()) {
            return;
        }
        Holding holding = pending ? offered : some.get();
        oracle.leaving(holding.tag, life);
        boolean byTag = random.nextBoolean();
        List<Run> has = pending ? holding.runs : List.copyOf(holding.accepted);
        host.mustSucceed(
                host.ask(
                        byTag ? "shared forced release by tag" : "shared forced release",
                        "cxl-release-dynamic-capacity",
                        byTag
                                ? requests.releaseTag(
                                        region.id(), holding.tag.name().toString(), true)
                                : requests.release(has, true)),
                has.get(0));
        if (pending) {
            withdrawn = true;
            oracle.left(holding.tag, life);
        } else {
            end(holding);
        }
        host.mustBeRefused(has.get(0).first());
    }

    /** A part of a tag is not to be had. */
    private void askForAPart(Holding holding) {
        if (holding.accepted.size() < 2) {
            return;
        }
        QmpReply reply = host.ask(
                "release of a part of a tag",
                "cxl-release-dynamic-capacity",
                requests.release(List.of(any(holding.accepted)), random.nextBoolean()));
        boolean isRight = reply.error()
                .filter(error -> error.description().startsWith("shared capacity comes and goes by whole tags"))
                .isPresent();
        if (!isRight) {
            tally.violation("a part of a tag has been released: %s tag=[%s] reply=%s", life, holding.tag, reply);
        }
    }

    private void end(Holding holding) {
        holdings.remove(holding.tag.name());
        oracle.left(holding.tag, life);
    }

    /** The host is about to be reset. */
    void beginReset() {
        holdings.values().forEach(holding -> oracle.leaving(holding.tag, life));
        if (offered != null) {
            oracle.leaving(offered.tag, life);
        }
    }

    /** It has been. */
    void endReset() {
        holdings.values().forEach(holding -> oracle.left(holding.tag, life));
        if (offered != null) {
            oracle.left(offered.tag, life);
        }
        holdings.clear();
        offered = null;
    }

    // ---- what it has

    NavigableSet<Long> accepted() {
        NavigableSet<Long> blocks = new TreeSet<>();
        holdings.values().forEach(holding -> blocks.addAll(Host.blocks(List.copyOf(holding.accepted))));
        return blocks;
    }

    NavigableSet<Long> leaving() {
        NavigableSet<Long> blocks = new TreeSet<>();
        holdings.values().forEach(holding -> blocks.addAll(Host.blocks(List.copyOf(holding.leaving))));
        return blocks;
    }

    NavigableSet<Long> pending() {
        return offered == null || withdrawn ? new TreeSet<>() : new TreeSet<>(Host.blocks(offered.runs));
    }

    NavigableSet<Long> owned() {
        NavigableSet<Long> blocks = accepted();
        blocks.addAll(leaving());
        blocks.addAll(pending());
        return blocks;
    }

    // ---- choices

    private Run any(Set<Run> runs) {
        return List.copyOf(runs).get(random.nextInt(runs.size()));
    }

    private List<Run> chooseRuns() {
        List<Run> runs = new ArrayList<>();
        NavigableSet<Long> taken = owned();
        for (int wanted = 1 + random.nextInt(MAX_EXTENTS); wanted > 0; wanted--) {
            long count = 1L + random.nextInt(MAX_BLOCKS);
            long first = region.firstBlock() + random.nextLong(regionBlocks());
            Run run = new Run(first, Math.min(count, region.firstBlock() + regionBlocks() - first));
            List<Long> blocks = Host.blocks(List.of(run));
            if (blocks.stream().noneMatch(taken::contains)) {
                runs.add(run);
                taken.addAll(blocks);
            }
        }
        return runs;
    }
}
