package io.mhsld.cli;

import io.mhsld.cli.HeadOperator.Range;
import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpError;
import io.mhsld.qmp.QmpJson;
import io.mhsld.text.ForeignText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Asks a head for more capacity or for less, and tells what has become of it. What the device chose, or what a tag stood for, is told by what the
 * head holds before and after.
 */
final class CapacityOperator {
    /** How the device is to choose what to add, in QMP's words. */
    enum Selection {
        FREE,
        CONTIGUOUS,
        PRESCRIPTIVE,
        ENABLE_SHARED_ACCESS;

        @Override
        public String toString() {
            return word(this);
        }
    }

    /** How what is to be released is named, in QMP's words. */
    enum Removal {
        TAG_BASED,
        PRESCRIPTIVE;

        @Override
        public String toString() {
            return word(this);
        }
    }

    /** What to add or release; under the policies by which the device chooses, the one range's length says how much. */
    record Request(int region, List<Range> ranges, Optional<UUID> tag) {
        private Map<String, Object> arguments(String path, int head) {
            Map<String, Object> arguments = new LinkedHashMap<>();
            arguments.put("path", path);
            arguments.put("host-id", head);
            arguments.put("region", region);
            arguments.put("extents", ranges.stream().map(Range::toJson).toList());
            tag.ifPresent(uuid -> arguments.put("tag", uuid.toString()));
            return arguments;
        }

        @Override
        public String toString() {
            return String.format("region=%d extents=%s", region, ranges)
                    + tag.map(uuid -> " tag=" + uuid).orElse("");
        }
    }

    /** What a request has come to, by the state in which it left the capacity. */
    private static final Map<String, String> ADDED =
            Map.of("accepted", "added", "pending", "offered", "free", "rejected");

    private static final Map<String, String> ASKED =
            Map.of("accepted", "asked", "pending", "asked", "free", "released");
    private static final Map<String, String> TAKEN = Map.of("free", "taken");

    /** What a head holds at one moment, in one region or in all. */
    private record Holding(int region, Range range, boolean isAccepted, String tag) {}

    private final HeadOperator operator;
    private final Console console;
    private final boolean json;

    CapacityOperator(HeadOperator operator, Console console, boolean json) {
        this.operator = operator;
        this.console = console;
        this.json = json;
    }

    private static String word(Enum<?> policy) {
        return policy.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    ExitCode add(Selection policy, Request request) {
        try (QmpClient client = operator.connect()) {
            List<Holding> before = policy == Selection.PRESCRIPTIVE ? List.of() : holdings(client);
            Map<String, Object> arguments = request.arguments(deviceId(client), operator.head());
            arguments.put("selection-policy", policy.toString());
            execute(client, "cxl-add-dynamic-capacity", arguments, request);
            List<Holding> after = holdings(client);
            List<Holding> told = policy == Selection.PRESCRIPTIVE
                    ? named(request.region, request.ranges, after)
                    : gained(before, after);
            if (told.isEmpty()) {
                tellNothingGained(request);
            } else {
                tell(told, after, ADDED);
            }
            return ExitCode.DONE;
        }
    }

    ExitCode release(Removal policy, Request request, boolean forced, boolean sanitize) {
        try (QmpClient client = operator.connect()) {
            List<Holding> before = policy == Removal.PRESCRIPTIVE ? List.of() : tagged(request, holdings(client));
            Map<String, Object> arguments = request.arguments(deviceId(client), operator.head());
            arguments.put("removal-policy", policy.toString());
            arguments.put("forced-removal", forced);
            if (sanitize) {
                arguments.put("sanitize-on-release", true);
            }
            execute(client, "cxl-release-dynamic-capacity", arguments, request);
            List<Holding> after = holdings(client);
            List<Holding> told = policy == Removal.PRESCRIPTIVE ? named(request.region, request.ranges, after) : before;
            tell(told, after, forced ? TAKEN : ASKED);
            return ExitCode.DONE;
        }
    }

    private String deviceId(QmpClient client) {
        return operator.ask(client, "x-query-head", Map.of()).text("id");
    }

    private void execute(QmpClient client, String command, Map<String, Object> arguments, Request request) {
        Optional<QmpError> refusal = client.execute(command, arguments).error();
        if (refusal.isPresent()) {
            throw operator.refused(refusal.get(), request.toString());
        }
    }

    // ---- what the head holds

    private List<Holding> holdings(QmpClient client) {
        HeadAnswer answer = operator.ask(client, "x-query-extents", Map.of());
        List<Holding> holdings = new ArrayList<>();
        answer.objects("accepted").forEach(extent -> holdings.add(holding(extent, true)));
        for (HeadAnswer group : answer.objects("pending")) {
            group.objects("extents").forEach(extent -> holdings.add(holding(extent, false)));
        }
        return holdings;
    }

    private static Holding holding(HeadAnswer extent, boolean isAccepted) {
        return new Holding(
                (int) extent.number("region"),
                new Range(extent.number("offset"), extent.number("len")),
                isAccepted,
                ForeignText.line(extent.text("tag")));
    }

    private static List<Holding> named(int region, List<Range> ranges, List<Holding> after) {
        return ranges.stream()
                .map(range -> new Holding(region, range, false, tagAt(region, range, after)))
                .toList();
    }

    private static String tagAt(int region, Range range, List<Holding> holdings) {
        return holdings.stream()
                .filter(holding -> holds(holding, region, range.offsetBytes()))
                .map(Holding::tag)
                .findFirst()
                .orElse("");
    }

    private static List<Holding> tagged(Request request, List<Holding> holdings) {
        String tag = request.tag.orElseThrow().toString();
        return holdings.stream().filter(holding -> holding.tag.equals(tag)).toList();
    }

    /** What is there afterwards and was not before. Extents may have been put together, so it is counted in bytes. */
    private static List<Holding> gained(List<Holding> before, List<Holding> after) {
        List<Holding> gained = new ArrayList<>();
        for (Holding holding : after) {
            List<Range> left = List.of(holding.range);
            for (Holding old : before) {
                if (old.region == holding.region) {
                    left = without(left, old.range);
                }
            }
            left.forEach(range -> gained.add(new Holding(holding.region, range, holding.isAccepted, holding.tag)));
        }
        return gained;
    }

    private static List<Range> without(List<Range> ranges, Range taken) {
        List<Range> left = new ArrayList<>();
        long takenEnd = taken.offsetBytes() + taken.lengthBytes();
        for (Range range : ranges) {
            long end = range.offsetBytes() + range.lengthBytes();
            long firstEnd = Math.min(end, taken.offsetBytes());
            if (firstEnd > range.offsetBytes()) {
                left.add(new Range(range.offsetBytes(), firstEnd - range.offsetBytes()));
            }
            long secondStart = Math.max(range.offsetBytes(), takenEnd);
            if (secondStart < end) {
                left.add(new Range(secondStart, end - secondStart));
            }
        }
        return left;
    }

    private static boolean holds(Holding holding, int region, long offset) {
        return holding.region == region
                && offset >= holding.range.offsetBytes()
                && offset < holding.range.offsetBytes() + holding.range.lengthBytes();
    }

    // ---- what is told

    private static String stateOf(Holding wanted, List<Holding> holdings) {
        String state = "free";
        for (Holding holding : holdings) {
            if (holds(holding, wanted.region, wanted.range.offsetBytes())) {
                if (holding.isAccepted) {
                    return "accepted";
                }
                state = "pending";
            }
        }
        return state;
    }

    /** What became of each range: the host has answered by now if it is going to answer at once. */
    private void tell(List<Holding> told, List<Holding> after, Map<String, String> words) {
        List<Object> rows = new ArrayList<>();
        for (Holding holding : told) {
            String state = stateOf(holding, after);
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("head", operator.head());
            row.put("region", holding.region);
            row.put("offset", holding.range.offsetBytes());
            row.put("length", holding.range.lengthBytes());
            row.put("state", state);
            boolean isTagged = !holding.tag.isEmpty() && !holding.tag.equals(new UUID(0, 0).toString());
            if (isTagged) {
                row.put("tag", holding.tag);
            }
            rows.add(row);
            if (!json) {
                console.out()
                        .printf(
                                "%s: head=%d region=%d extent=%s state=%s%s%n",
                                words.getOrDefault(state, "done"),
                                operator.head(),
                                holding.region,
                                holding.range,
                                state,
                                isTagged ? " tag=" + holding.tag : "");
            }
        }
        if (json) {
            console.out().println(QmpJson.write(rows));
        } else if (told.isEmpty()) {
            console.out().printf("nothing to do: head=%d%n", operator.head());
        }
    }

    /** The device had chosen, and the host did not want it; or nothing was asked for. */
    private void tellNothingGained(Request request) {
        long length = request.ranges.stream().mapToLong(Range::lengthBytes).sum();
        if (json) {
            console.out().println("[]");
        } else if (length == 0 && request.tag.isEmpty()) {
            console.out().printf("nothing to do: head=%d%n", operator.head());
        } else {
            String what = length > 0 ? "length=" + length : "tag=" + request.tag.orElseThrow();
            console.out().printf("rejected: head=%d region=%d %s state=free%n", operator.head(), request.region, what);
        }
    }
}
