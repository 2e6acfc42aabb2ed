package io.mhsld.stress.conformance;

import io.mhsld.stress.conformance.Row.Given;
import io.mhsld.stress.conformance.Row.Step;
import io.mhsld.stress.conformance.Target.Answer;
import io.mhsld.stress.conformance.Target.ConnectionLost;
import io.mhsld.stress.conformance.Target.Via;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;

/** Runs rows against a device. Before each row the device is put into the state that the row wants, by the very commands that are under test. */
final class Suite {
    private static final int GET_EVENTS = 0x0100;
    private static final int CLEAR_EVENTS = 0x0101;
    private static final int GET_LOG = 0x0401;
    private static final int GET_CONFIGURATION = 0x4800;
    private static final int GET_EXTENTS = 0x4801;
    private static final int ADD_RESPONSE = 0x4802;
    private static final int RELEASE = 0x4803;
    private static final int INITIATE_ADD = 0x5604;
    private static final int GET_HEADS = 0x5500;
    private static final int GET_HOST_REGIONS = 0x5601;
    private static final int SET_REGION = 0x5602;
    private static final int REMOVE_REFERENCE = 0x5607;
    private static final int LIST_TAGS = 0x5608;
    private static final int SHAREABLE = 1 << 3;
    private static final int BACKGROUND_STATUS = 0x0002;
    private static final int BACKGROUND_STARTED = 1;
    private static final int BUSY = 6;
    private static final int EXTENT_LENGTH = 40;
    private static final long BACKGROUND_PATIENCE_MS = 30_000;
    private static final byte[] CEL = HexFormat.of().parseHex("0da9c0b5bf414b788f7996b1623b3f17");

    /** Stands for all rows of an interface that cannot be reached. */
    private static final Row WHOLE_INTERFACE = new Row(0, "the whole interface", Row.ALL, Given.NOTHING, List.of());

    /** How a row has ended. */
    enum Verdict {
        PASS,
        FAIL,
        SKIP
    }

    /**
     * One row through one interface.
     *
     * @param reason why it is not a pass, empty for a pass
     */
    record Result(Verdict verdict, Via via, Row row, String reason) {
        boolean isAboutWholeInterface() {
            return row.steps().isEmpty();
        }

        @Override
        public String toString() {
            return String.format(
                    "%s %-7s %04xh %s%s",
                    verdict,
                    via.name().toLowerCase(Locale.ROOT),
                    row.opcode(),
                    row.name(),
                    reason.isEmpty() ? "" : ": " + reason);
        }
    }

    /** A row that cannot be tried. */
    private static final class Skipped extends RuntimeException {
        private static final long serialVersionUID = 1;

        Skipped(String reason) {
            super(reason);
        }
    }

    private final Target target;
    private final Consumer<Result> listener;
    private final Map<Via, Map<Integer, Integer>> effects = new EnumMap<>(Via.class);
    private final Map<String, Long> facts = new LinkedHashMap<>();
    private Optional<Via> host = Optional.empty();
    private int offers;

    Suite(Target target, Consumer<Result> listener) {
        this.target = target;
        this.listener = listener;
    }

    /** Runs rows in their order, through each of their interfaces. */
    List<Result> run(List<Row> rows) {
        findOut();
        List<Result> results = new ArrayList<>();
        for (Via via : Via.values()) {
            Optional<String> unreachable = target.unreachable(via);
            if (unreachable.isPresent()) {
                results.add(new Result(Verdict.SKIP, via, WHOLE_INTERFACE, unreachable.get()));
                listener.accept(results.get(results.size() - 1));
                continue;
            }
            for (Row row : rows) {
                if (row.vias().contains(via)) {
                    Result result = run(row, via);
                    listener.accept(result);
                    results.add(result);
                }
            }
        }
        return results;
    }

    private Result run(Row row, Via via) {
        Map<Integer, Integer> listed = effects.get(via);
        if (listed == null) {
            return new Result(Verdict.FAIL, via, row, "the interface has no Command Effects Log");
        }
        try {
            for (Step step : row.steps()) {
                if (!Rows.isUnknown(row) && !listed.containsKey(step.opcode())) {
                    String reason = String.format("%04xh is not in the Command Effects Log", step.opcode());
                    return notListed(row, via, step, reason);
                }
            }
            prepare(row.given(), via);
            for (Step step : row.steps()) {
                take(step, via);
            }
            return new Result(Verdict.PASS, via, row, "");
        } catch (Skipped e) {
            return new Result(Verdict.SKIP, via, row, e.getMessage());
        } catch (AssertionError | ConnectionLost | IllegalArgumentException e) {
            return new Result(Verdict.FAIL, via, row, e.getMessage());
        }
    }

    /** A command that is not listed must not be there. */
    private Result notListed(Row row, Via via, Step step, String reason) {
        int code = target.send(via, step.opcode(), new byte[0]).code();
        return code == 0x03 || code == 0x15
                ? new Result(Verdict.SKIP, via, row, reason)
                : new Result(Verdict.FAIL, via, row, String.format("%s, and yet it answers %04x", reason, code));
    }

    private void take(Step step, Via via) {
        byte[] request = Text.request(step.request(), facts);
        Answer answer = target.send(via, step.opcode(), request);
        if (step.opcode() == INITIATE_ADD && answer.code() == 0) {
            offers++;
        }
        if (!step.codes().contains(answer.code())) {
            throw new AssertionError(String.format(
                    "%04xh answers %04x, wanted %s (input %s)",
                    step.opcode(), answer.code(), codes(step), HexFormat.of().formatHex(request)));
        }
        if (answer.code() > BACKGROUND_STARTED && answer.payload().length > 0) {
            throw new AssertionError(String.format(
                    "%04xh is refused, and yet has an output of %d bytes", step.opcode(), answer.payload().length));
        }
        if (answer.code() <= BACKGROUND_STARTED) {
            for (String check : step.checks()) {
                Text.problem(check, answer.payload(), facts).ifPresent(problem -> {
                    throw new AssertionError(String.format("%04xh: %s", step.opcode(), problem));
                });
            }
        }
        if (answer.code() == BACKGROUND_STARTED) {
            awaitBackground(via, step.opcode());
        }
    }

    private static String codes(Step step) {
        return String.join(
                " or ",
                step.codes().stream()
                        .sorted()
                        .map(code -> String.format("%04x", code))
                        .toList());
    }

    /** Until the command has ended: its status tells where there is one; else it is tried with an input that no command takes. */
    private void awaitBackground(Via via, int opcode) {
        long endNs = System.nanoTime() + BACKGROUND_PATIENCE_MS * 1_000_000;
        Via asked = effects.getOrDefault(Via.LD, Map.of()).containsKey(BACKGROUND_STATUS) ? Via.LD : via;
        boolean tells = effects.getOrDefault(asked, Map.of()).containsKey(BACKGROUND_STATUS);
        while (System.nanoTime() - endNs < 0) {
            Answer answer =
                    tells ? target.send(asked, BACKGROUND_STATUS, new byte[0]) : target.send(via, opcode, new byte[1]);
            boolean runs =
                    tells ? answer.payload().length > 0 && (answer.payload()[0] & 1) != 0 : answer.code() == BUSY;
            if (!runs) {
                return;
            }
            LockSupport.parkNanos(20_000_000);
        }
        throw new AssertionError(String.format("%04xh does not end in the background", opcode));
    }

    // ---- what the device is

    private void findOut() {
        for (Via via : Via.values()) {
            if (target.unreachable(via).isEmpty()) {
                try {
                    effects.put(via, commandEffects(payload -> target.send(via, GET_LOG, payload)));
                } catch (ConnectionLost | AssertionError e) {
                    effects.remove(via);
                }
            }
        }
        host = effects.keySet().stream()
                .filter(via -> via != Via.FM)
                .filter(via -> effects.get(via).containsKey(GET_CONFIGURATION))
                .findFirst();
        host.ifPresent(this::findOutCapacity);
        if (effects.getOrDefault(Via.FM, Map.of()).containsKey(GET_HOST_REGIONS)) {
            findOutShareable();
        }
    }

    private void findOutCapacity(Via via) {
        ByteBuffer configuration = output(via, GET_CONFIGURATION, new byte[] {8, 0});
        if (configuration.capacity() >= 48) {
            facts.put("regions", (long) configuration.get(0));
            facts.put("base", configuration.getLong(8));
            facts.put("length", configuration.getLong(24));
            facts.put("block", configuration.getLong(32));
        }
        if (effects.get(via).containsKey(GET_HEADS)) {
            ByteBuffer heads = output(via, GET_HEADS, new byte[] {0, (byte) 0xFF});
            if (heads.capacity() >= 2) {
                facts.put("lds", (long) heads.get(0));
                facts.put("heads", (long) heads.get(1));
            }
        }
    }

    private void findOutShareable() {
        ByteBuffer regions = output(Via.FM, GET_HOST_REGIONS, new byte[] {0, 0, 8, 0});
        int count = regions.capacity() > 4 ? regions.get(3) : 0;
        for (int i = 0; i < count && regions.capacity() >= 4 + EXTENT_LENGTH * (i + 1); i++) {
            int at = 4 + EXTENT_LENGTH * i;
            if ((regions.get(at + 32) & SHAREABLE) != 0) {
                facts.put("sregion", (long) i);
                facts.put("sbase", regions.getLong(at));
                facts.put("slength", regions.getLong(at + 16));
                facts.put("sblock", regions.getLong(at + 24));
                return;
            }
        }
    }

    /** The Command Effects Log, as an interface gives it piece by piece. */
    static Map<Integer, Integer> commandEffects(Function<byte[], Answer> getLog) {
        Map<Integer, Integer> effects = new TreeMap<>();
        for (int offset = 0; ; offset += 4) {
            ByteBuffer request = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
            request.put(CEL).putInt(offset).putInt(4);
            Answer answer = getLog.apply(request.array());
            if (answer.code() != 0 || answer.payload().length != 4 || offset > 4 << 16) {
                return effects;
            }
            ByteBuffer entry = ByteBuffer.wrap(answer.payload()).order(ByteOrder.LITTLE_ENDIAN);
            effects.put(entry.getShort(0) & 0xFFFF, entry.getShort(2) & 0xFFFF);
        }
    }

    private ByteBuffer output(Via via, int opcode, byte[] input) {
        return ByteBuffer.wrap(target.send(via, opcode, input).payload()).order(ByteOrder.LITTLE_ENDIAN);
    }

    // ---- what a row wants

    private void prepare(Given given, Via via) {
        // Each interface has a log of its own.
        Map<Integer, Integer> log = effects.get(via);
        facts.put("logsize", 4L * log.size());
        facts.put("second", log.keySet().stream().skip(1).findFirst().orElse(0).longValue());
        facts.put("handle", 1L);
        facts.put("t", (long) target.tunnelTypeLength());
        if (host.isEmpty()) {
            if (given != Given.NOTHING) {
                throw new Skipped("no interface of a host can be reached");
            }
            return;
        }
        clean(host.get());
        if (given == Given.NOTHING) {
            return;
        }
        if (given == Given.SHAREABLE || given == Given.SHARED) {
            prepareShareable(given);
            return;
        }
        long base = facts.get("base");
        long block = facts.get("block");
        long[] first = {base, 2 * block};
        Optional<String> refusal = given == Given.OFFERED
                ? target.offer(base, first, new long[] {base + 4 * block, block})
                : target.offer(base, first);
        if (refusal.isPresent()) {
            throw new Skipped("capacity cannot be offered: " + refusal.get());
        }
        offers++;
        if (given == Given.ACCEPTED) {
            must(host.get(), ADD_RESPONSE, extentList(first));
            must(host.get(), CLEAR_EVENTS, new byte[] {4, 1, 0, 0, 0, 0});
            offers--;
        } else {
            ByteBuffer events = output(host.get(), GET_EVENTS, new byte[] {4});
            facts.put("handle", events.capacity() >= 54 ? events.getShort(52) & 0xFFFFL : 0L);
        }
    }

    private void prepareShareable(Given given) {
        if (!facts.containsKey("sregion")) {
            throw new Skipped("no region can be shared");
        }
        if (given == Given.SHARED) {
            must(Via.FM, INITIATE_ADD, Text.request(FabricRows.SHARED_ADD, facts));
            must(host.get(), ADD_RESPONSE, extentList(new long[] {facts.get("sbase"), 2 * facts.get("sblock")}));
            must(host.get(), CLEAR_EVENTS, new byte[] {4, 1, 0, 0, 0, 0});
        }
    }

    /** Rejects what is offered, releases what is accepted, clears the log. */
    private void clean(Via via) {
        for (; offers > 0; offers--) {
            target.send(via, ADD_RESPONSE, new byte[8]);
        }
        ByteBuffer extents = output(via, GET_EXTENTS, new byte[] {16, 0, 0, 0, 0, 0, 0, 0});
        int count = extents.capacity() >= 16 ? extents.getInt(0) : 0;
        long[][] all = new long[Math.min(count, (extents.capacity() - 16) / EXTENT_LENGTH)][];
        for (int i = 0; i < all.length; i++) {
            int at = 16 + EXTENT_LENGTH * i;
            all[i] = new long[] {extents.getLong(at), extents.getLong(at + 8)};
        }
        if (all.length > 0) {
            // At once, for what is shared is given back by whole tags.
            target.send(via, RELEASE, extentList(all));
        }
        if (facts.containsKey("sregion")) {
            cleanTags();
        }
        target.send(via, CLEAR_EVENTS, new byte[] {4, 1, 0, 0, 0, 0});
    }

    private void cleanTags() {
        ByteBuffer tags = output(Via.FM, LIST_TAGS, new byte[] {0, 0, 0, 0, 16, 0, 0, 0});
        int count = tags.capacity() >= 16 ? tags.getInt(8) : 0;
        for (int i = 0; i < count; i++) {
            byte[] tag = new byte[16];
            tags.get(16 + 84 * i, tag);
            target.send(Via.FM, REMOVE_REFERENCE, tag);
        }
        for (String region : List.of("b:0 000000 q:block", "b:sregion 000000 q:sblock")) {
            target.send(Via.FM, SET_REGION, Text.request(region + " 00 000000", facts));
        }
    }

    private void must(Via via, int opcode, byte[] input) {
        int code = target.send(via, opcode, input).code();
        if (code != 0) {
            throw new AssertionError(String.format("the device cannot be prepared: %04xh answers %04x", opcode, code));
        }
    }

    private static byte[] extentList(long[]... extents) {
        ByteBuffer list = ByteBuffer.allocate(8 + 24 * extents.length).order(ByteOrder.LITTLE_ENDIAN);
        list.putInt(extents.length).putInt(0);
        for (long[] extent : extents) {
            list.putLong(extent[0]).putLong(extent[1]).putLong(0);
        }
        return list.array();
    }
}
