package io.mhsld.stress.contest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.head.LeaseFile;
import io.mhsld.head.Leases.Lease;
import io.mhsld.stress.process.ChildJvm;
import io.mhsld.stress.process.SharedFile;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A lease is handed over by death (I5, I6): not before the last store of the dead, and soon after it. */
class LeaseOfTheDeadTest {
    private static final int HEAD = 63;
    private static final int DEATHS = 4;
    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(30);
    private static final long WATCH_NS = 20_000_000;

    @Test
    void shouldPassToTheNextHolderWithAllThatTheDeadHadStored(@TempDir Path folder) {
        Path lockFile = folder.resolve("device.lock");
        Path shared = folder.resolve("shared");
        UnsafeBuffer memory = SharedFile.map(shared, DyingHolder.LENGTH);
        try (LeaseFile leases = LeaseFile.open(lockFile, PosixFilePermissions.fromString("rw-------"))) {
            for (int death = 0; death < DEATHS; death++) {
                long before = memory.getLongVolatile(DyingHolder.SECOND);
                try (ChildJvm holder = ChildJvm.start(
                        DyingHolder.class,
                        folder.resolve("holder-" + death),
                        List.of(),
                        List.of(lockFile.toString(), "" + HEAD, shared.toString()))) {
                    awaitMore(memory, before, holder);
                    assertTrue(leases.tryHead(HEAD).isEmpty(), "a held lease was given away");

                    holder.signal("KILL");
                    Lease lease = takeAsSoonAsPossible(leases);
                    long second = memory.getLongVolatile(DyingHolder.SECOND);
                    long first = memory.getLongVolatile(DyingHolder.FIRST);
                    LockSupport.parkNanos(WATCH_NS);

                    assertTrue(second > before && first - second >= 0 && first - second <= 1, first + " " + second);
                    assertEquals(first, memory.getLongVolatile(DyingHolder.FIRST), "a store after the lease was lost");
                    assertEquals(
                            second, memory.getLongVolatile(DyingHolder.SECOND), "a store after the lease was lost");
                    lease.release();
                }
            }
        }
    }

    private static void awaitMore(UnsafeBuffer memory, long before, ChildJvm holder) {
        long deadlineNs = System.nanoTime() + PATIENCE_NS;
        while (memory.getLongVolatile(DyingHolder.SECOND) < before + 100_000) {
            assertTrue(holder.isAlive() && System.nanoTime() - deadlineNs < 0, holder.output());
            Thread.onSpinWait();
        }
    }

    private static Lease takeAsSoonAsPossible(LeaseFile leases) {
        long deadlineNs = System.nanoTime() + PATIENCE_NS;
        Optional<Lease> lease = leases.tryHead(HEAD);
        while (lease.isEmpty()) {
            assertTrue(System.nanoTime() - deadlineNs < 0, "the lease of the dead is not to be had");
            lease = leases.tryHead(HEAD);
        }
        return lease.get();
    }
}
