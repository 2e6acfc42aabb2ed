package io.mhsld.head;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.head.Leases.Lease;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TableLockTest {
    private static final long MS = 1_000_000;

    /** Others have the lock until then. */
    private long takenUntilNs;

    private int releases;
    private final PausesOnly machine = new PausesOnly();
    private final TableLock lock = new TableLock(this::attempt, machine);

    private Optional<Lease> attempt() {
        return machine.nowNs < takenUntilNs
                ? Optional.empty()
                : Optional.of(new Lease() {
                    @Override
                    public void release() {
                        releases++;
                    }

                    @Override
                    public boolean isHeld() {
                        return true;
                    }
                });
    }

    /** What is said when it was in vain, or "done". */
    private String ask(long patienceMs) {
        return lock.with(patienceMs, () -> "done").orRefused(waitedMs -> "refused waitedMs=" + waitedMs);
    }

    @Test
    void shouldNotWaitForWhatIsFree() {
        assertEquals("done", ask(300));
        assertEquals(0, machine.nowNs);
        assertEquals(1, releases);
    }

    @Test
    void shouldAskOnceWithoutPatience() {
        takenUntilNs = Long.MAX_VALUE;
        assertEquals("refused waitedMs=0", ask(0));
        assertEquals(0, machine.nowNs);
        assertEquals("refused waitedMs=300", ask(300), "nobody has waited in vain before");
    }

    @Test
    void shouldTellHowLongItReallyWaited() {
        takenUntilNs = Long.MAX_VALUE;
        assertEquals("refused waitedMs=300", ask(300));
        assertEquals("refused waitedMs=5", ask(300));
        assertEquals("refused waitedMs=5", ask(600));
        assertEquals("refused waitedMs=3", ask(3));
        assertEquals(313 * MS, machine.nowNs);
        assertEquals(0, releases);
    }

    @Test
    void shouldBePatientAgainAfterASecond() {
        takenUntilNs = Long.MAX_VALUE;
        ask(300);
        machine.nowNs += 999 * MS;
        assertEquals("refused waitedMs=5", ask(300));
        machine.nowNs += MS;
        assertEquals("refused waitedMs=300", ask(300), "the short wait has not begun another second");
    }

    @Test
    void shouldBePatientAgainWhenItWasWorthWaiting() {
        takenUntilNs = Long.MAX_VALUE;
        ask(300);
        takenUntilNs = machine.nowNs + 2 * MS;
        assertEquals("done", ask(300));
        takenUntilNs = machine.nowNs + 100 * MS;
        assertEquals("done", ask(300));
        assertEquals(402 * MS, machine.nowNs);
    }

    @Test
    void shouldSayWhenItWaitsAndWhenThatIsOver() {
        List<String> said = new ArrayList<>();
        LeaseWait.Outcome taken = lock.take(600, () -> said.add("begins"), () -> said.add("ends"));
        assertTrue(taken.lease().isPresent());
        assertEquals(List.of(), said);
        takenUntilNs = machine.nowNs + 7 * MS;
        taken = lock.take(600, () -> said.add("begins"), () -> said.add("ends"));
        assertTrue(taken.lease().isPresent());
        assertEquals(7, taken.waitedMs());
        assertEquals(List.of("begins", "ends"), said);
        takenUntilNs = Long.MAX_VALUE;
        taken = lock.take(600, () -> said.add("begins"), () -> said.add("ends"));
        assertFalse(taken.lease().isPresent());
        assertEquals(600, taken.waitedMs());
        assertEquals(List.of("begins", "ends", "begins", "ends"), said);
    }
}
