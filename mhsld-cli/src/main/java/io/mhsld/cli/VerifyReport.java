package io.mhsld.cli;

import io.mhsld.Device;
import io.mhsld.cli.DeviceFacts.HeadFacts;
import io.mhsld.head.Surroundings;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Finding;
import io.mhsld.state.HeadTable;
import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.Inspector;
import io.mhsld.state.StateFile;
import io.mhsld.text.ForeignText;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * {@code verify}: whether the invariants hold, as far as the files can show it. Opening the state file at all has shown that its version,
 * checksum, geometry and length are right.
 *
 * @param verdicts one for each invariant, in order
 * @param notes what is not wrong and worth knowing
 */
record VerifyReport(DeviceFacts facts, List<Verdict> verdicts, List<String> notes) {
    /** Live heads free what a dead one left behind within this time (I5). */
    private static final long REAP_LIMIT_MS = 1_000;

    private static final long POLL_NS = 20_000_000;

    /** What an invariant came to. */
    enum Outcome {
        OK("ok"),
        BROKEN("BROKEN"),
        NOT_VISIBLE("-");

        private final String sign;

        Outcome(String sign) {
            this.sign = sign;
        }
    }

    /**
     * One invariant.
     *
     * @param invariant "I1" to "I8"
     * @param title its name
     * @param reason what was seen, or why nothing can be seen
     * @param findings what is wrong
     */
    record Verdict(String invariant, String title, Outcome outcome, String reason, List<Finding> findings) {}

    /** Looks at a device; when live heads have a dead one to reap, gives them the time that they have for it. */
    static VerifyReport of(DeviceFiles files, StateFile state) {
        List<Finding> findings = new ArrayList<>(findUnreaped(files, state));
        Inspector.Report report = Device.inspect(files, state);
        findings.addAll(report.findings());
        DeviceFacts facts = DeviceFacts.of(files, state);
        List<String> notes = new ArrayList<>(report.notes());
        long busy = count(report.ownedBlocks(), -1);
        List<Verdict> verdicts = List.of(
                seen(findings, "I1", "one owner", "no block has two owners at this moment"),
                seen(
                        findings,
                        "I2",
                        "map = extents",
                        busy == 0 ? extentsOf(facts) : "some heads were too busy to compare"),
                notSeen("I3", "all or nothing"),
                notSeen("I4", "no stale bytes"),
                seen(findings, "I5", "the dead let go", deadOf(facts)),
                seen(findings, "I6", "no life after death", "no capacity without a head, no process without its lease"),
                seen(findings, "I7", "the file is safe", "state file whole, media file there and long enough"),
                seen(findings, "I8", "the sum is right", sumOf(facts)));
        return new VerifyReport(facts, verdicts, notes);
    }

    /** True when nothing is wrong. */
    boolean isSound() {
        return verdicts.stream().noneMatch(verdict -> verdict.outcome == Outcome.BROKEN);
    }

    /** For people. */
    String text() {
        TextTable table = new TextTable().words("").words("").words("").words("");
        StringBuilder text = new StringBuilder();
        for (Verdict verdict : verdicts) {
            table.row(verdict.invariant, verdict.title, verdict.outcome.sign, verdict.reason);
        }
        List<String> rows = table.lines(Integer.MAX_VALUE);
        for (int i = 0; i < verdicts.size(); i++) {
            text.append(ForeignText.line(rows.get(i + 1))).append('\n');
            verdicts.get(i)
                    .findings
                    .forEach(finding -> text.append("    ")
                            .append(ForeignText.line(finding.message()))
                            .append('\n'));
        }
        notes.forEach(
                note -> text.append("note: ").append(ForeignText.line(note)).append('\n'));
        long findings =
                verdicts.stream().mapToLong(verdict -> verdict.findings.size()).sum();
        text.append(facts.name())
                .append(isSound() ? ": all that the files can show holds" : ": " + Sizes.count(findings, "finding"))
                .append('\n');
        return text.toString();
    }

    /** The members of the JSON object. */
    void json(Json out) {
        out.put("name", facts.name()).put("sound", isSound());
        out.array(
                "invariants",
                all -> verdicts.forEach(verdict -> all.element(one -> {
                    one.put("invariant", verdict.invariant)
                            .put("title", verdict.title)
                            .put("outcome", verdict.outcome.name().toLowerCase(Locale.ROOT))
                            .put("reason", verdict.reason);
                    one.array(
                            "findings",
                            findings -> verdict.findings.forEach(
                                    finding -> findings.element(json -> finding(json, finding))));
                })));
        out.array("notes", all -> notes.forEach(all::element));
        out.put("blocks", facts.geometry().blockCount())
                .put("free_blocks", facts.census().free())
                .put("owned_blocks", facts.census().ownedByAll());
    }

    // ---- looking

    /** I5 and I6: what would be wrong if it lasted is looked at until it is gone or has lasted too long. */
    private static List<Finding> findUnreaped(DeviceFiles files, StateFile state) {
        long deadlineNs = System.nanoTime() + REAP_LIMIT_MS * 1_000_000;
        while (true) {
            List<Finding> findings = new ArrayList<>();
            boolean[] live = Device.liveHeads(files, state.geometry().headCount());
            boolean isAnyServing = false;
            for (int head = 0; head < live.length; head++) {
                isAnyServing |= live[head] && state.heads().stateAcquire(head) == HeadTable.State.SERVING;
            }
            for (int head = 0; head < live.length; head++) {
                findUnreaped(state, state.heads().readAcquire(head), live[head], isAnyServing)
                        .ifPresent(findings::add);
            }
            if (findings.isEmpty() || System.nanoTime() - deadlineNs >= 0) {
                return findings;
            }
            LockSupport.parkNanos(POLL_NS);
        }
    }

    private static Optional<Finding> findUnreaped(StateFile state, Row row, boolean isLeased, boolean isAnyServing) {
        if (isLeased || row.state() == HeadTable.State.FREE || row.state() == HeadTable.State.DAMAGED) {
            return Optional.empty();
        }
        Optional<Finding> unleased = Surroundings.findUnleased(state, row);
        return unleased.isPresent() || !isAnyServing
                ? unleased
                : Optional.of(Finding.of("I5", "dead head not reaped by the live ones")
                        .with("head", row.head())
                        .with("pid", row.pid())
                        .with("waited_ms", REAP_LIMIT_MS));
    }

    /** One finding: what it is, and each fact by its name. */
    static void finding(Json out, Finding finding) {
        out.put("invariant", finding.invariant()).put("cause", finding.cause());
        finding.facts().forEach((name, value) -> {
            if (value instanceof Number number) {
                out.put(name, number.longValue());
            } else {
                out.put(name, value.toString());
            }
        });
        out.put("text", finding.message());
    }

    private static Verdict seen(List<Finding> findings, String invariant, String title, String reason) {
        List<Finding> own = findings.stream()
                .filter(finding -> finding.invariant().equals(invariant))
                .toList();
        return own.isEmpty()
                ? new Verdict(invariant, title, Outcome.OK, reason, own)
                : new Verdict(invariant, title, Outcome.BROKEN, Sizes.count(own.size(), "finding"), own);
    }

    private static Verdict notSeen(String invariant, String title) {
        return new Verdict(invariant, title, Outcome.NOT_VISIBLE, "a file cannot show it, the tests do", List.of());
    }

    private static String extentsOf(DeviceFacts facts) {
        long extents = facts.heads().stream()
                .mapToLong(head -> head.extents().map(List::size).orElse(0))
                .sum();
        return Sizes.count(extents, "extent") + ", "
                + Sizes.count(facts.census().ownedByAll(), "owned block");
    }

    private static String deadOf(DeviceFacts facts) {
        long dead = facts.heads().stream().filter(VerifyReport::isDead).count();
        return dead == 0 ? "no head is dead" : Sizes.count(dead, "dead head") + ", and nobody lives who had to reap";
    }

    private static boolean isDead(HeadFacts head) {
        return head.state() == DeviceFacts.HeadState.DEAD;
    }

    private static String sumOf(DeviceFacts facts) {
        return facts.census().free() + " free + " + facts.census().ownedByAll() + " owned = "
                + facts.geometry().blockCount();
    }

    private static long count(long[] numbers, long wanted) {
        long count = 0;
        for (long number : numbers) {
            count += number == wanted ? 1 : 0;
        }
        return count;
    }
}
