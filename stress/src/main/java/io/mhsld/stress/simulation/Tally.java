package io.mhsld.stress.simulation;

import io.mhsld.state.CrashPoint;
import io.mhsld.type3.Refusal;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** What has happened in all runs: whoever reads it sees whether much was tried. */
final class Tally {
    private final Map<String, Long> operations = new TreeMap<>();
    private final Set<CrashPoint> deaths = EnumSet.noneOf(CrashPoint.class);
    private long runs;
    private long steps;
    private long switches;
    private long kills;
    private long stops;
    private long lives;
    private long inspections;
    private long virtualMs;
    private long hash;

    void lived() {
        lives++;
    }

    void stopped() {
        stops++;
    }

    /** Somebody was killed after that point, and before the next. */
    void killed(Optional<CrashPoint> point) {
        kills++;
        point.ifPresent(deaths::add);
    }

    void operated(String what, Optional<Refusal.Cause> refusal) {
        String outcome = refusal.map(
                        cause -> " " + cause.name().toLowerCase(Locale.ROOT).replace('_', ' '))
                .orElse("");
        operations.merge(what + outcome, 1L, Long::sum);
    }

    /** A run is over. */
    void ran(Scheduler scheduler, Oracle oracle) {
        runs++;
        steps += scheduler.steps();
        switches += scheduler.switches();
        inspections += oracle.looks();
        virtualMs += scheduler.nowNs() / 1_000_000;
        hash = hash * 31 + scheduler.hash();
    }

    long runs() {
        return runs;
    }

    long steps() {
        return steps;
    }

    /** Of all steps of all runs. */
    long hash() {
        return hash;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "simulated: steps=%d runs=%d switches=%d lives=%d kills=%d stops=%d inspections=%d virtualSeconds=%d%n"
                        + "operations: %s%nkilled after %d of %d points",
                steps,
                runs,
                switches,
                lives,
                kills,
                stops,
                inspections,
                virtualMs / 1000,
                operations,
                deaths.size(),
                CrashPoint.values().length);
    }
}
