package io.mhsld.vfiouser;

import static io.mhsld.vfiouser.RunningVfioUserServer.await;
import static io.mhsld.vfiouser.RunningVfioUserServer.openDescriptors;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Counters that their client fills between the question whether there is room and the write. */
@Timeout(60)
class BellTest {
    private static final int F_SETFL = 4;
    private static final long FULL = -2;

    /** As the system does it, but the counter has become full, and one that waits, since it was asked. */
    private static final class Late implements Bell.Clapper {
        private final ClientSocket.SystemDescriptors system = new ClientSocket.SystemDescriptors();
        private final CountDownLatch writing = new CountDownLatch(1);
        private volatile int trap = -1;

        @Override
        public void add(int counter, long events) {
            if (counter == trap) {
                trap = -1;
                NativeSocket.call("fcntl", counter, F_SETFL, 0);
                NativeSocket.writeEvents(counter, FULL);
                writing.countDown();
                NativeSocket.writeEvents(counter, events);
            } else {
                system.add(counter, events);
            }
        }

        @Override
        public void drain(int counter) {
            system.drain(counter);
        }

        @Override
        public int copy(int counter) {
            return system.copy(counter);
        }

        @Override
        public void close(int descriptor) {
            system.close(descriptor);
        }
    }

    private final Late clapper = new Late();
    private final Bell bell = new Bell(clapper);
    private int theirs;

    @BeforeEach
    void start() {
        theirs = NativeSocket.eventCounter();
        bell.start();
    }

    @AfterEach
    void stop() {
        bell.stop();
        clapper.system.end();
        NativeSocket.close(theirs);
    }

    @Test
    void shouldKeepNobodyWaitingWhoRingsOrReleases() throws Exception {
        long before = openDescriptors();
        int trap = clapper.copy(theirs);
        int other = NativeSocket.eventCounter();
        clapper.trap = trap;
        bell.ring(trap);
        clapper.writing.await();

        bell.ring(trap);
        bell.ring(other);
        bell.release(other);
        bell.release(trap);
        // Its number is not given to another file while it may be written to.
        assertEquals(before + 1, openDescriptors());

        bell.settle();
        assertEquals(before, openDescriptors());
        int next = NativeSocket.eventCounter();
        bell.ring(next);
        NativeSocket.awaitEvents(next, 1, "the next client's");
        bell.release(next);
        bell.settle();
        assertEquals(before, openDescriptors());
    }

    @Test
    void shouldSettleAtOnceWhenNothingIsLeft() throws Exception {
        bell.settle();
        int counter = clapper.copy(theirs);
        for (int i = 0; i < 1000; i++) {
            bell.ring(counter);
        }
        NativeSocket.awaitEvents(theirs, 1000, "each event counts");
        bell.release(counter);
        bell.settle();
    }

    @Test
    void shouldEndItsThread() {
        bell.stop();
        clapper.system.end();
        await(
                "the bells' threads to end",
                () -> Thread.getAllStackTraces().keySet().stream()
                        .noneMatch(thread -> thread.getName().equals("vfio-user bell")));
    }
}
