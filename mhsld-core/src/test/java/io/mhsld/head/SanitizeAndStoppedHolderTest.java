package io.mhsld.head;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.Device;
import io.mhsld.DeviceFixture;
import io.mhsld.DeviceFixture.Child;
import io.mhsld.DeviceFixture.LocalHead;
import io.mhsld.cci.ReturnCode;
import io.mhsld.state.Geometry;
import io.mhsld.type3.BackgroundOperations.State;
import io.mhsld.type3.BackgroundOperations.Status;
import io.mhsld.type3.MediaPoison.Source;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Sanitizing of poisoned lines while somebody who is stopped has the table lock, without which no poison goes away. */
@Timeout(60)
class SanitizeAndStoppedHolderTest {
    private static final long BLOCK = 2L << 20;
    private static final int HOLDER = 1;

    @RegisterExtension
    final DeviceFixture fixture = new DeviceFixture();

    /** A head whose host has poisoned lines of its own. */
    private LocalHead poisoned() {
        Geometry geometry = Geometry.of(2, 8 * BLOCK, 1, BLOCK);
        Device.initialise(fixture.files(), DeviceFixture.specification(geometry), 5_000);
        LocalHead head = fixture.attach(0);
        head.take(0, 0, 2);
        assertEquals(Optional.empty(), head.call(h -> h.device().fill(0, 2 * BLOCK, (byte) 7)));
        assertEquals(Optional.empty(), head.call(h -> h.device().injectPoison(64, 64, Source.INTERNAL)));
        return head;
    }

    private Child stoppedHolder() {
        Child holder = fixture.start(
                SharingVictim.class,
                HOLDER,
                fixture.files().stateFile().toString(),
                Integer.toString(HOLDER),
                "1",
                "lock");
        holder.awaitLine("locked", line -> line.equals("locked"));
        DeviceFixture.signal("STOP", holder.pid());
        return holder;
    }

    private static ReturnCode code(LocalHead head, int opcode, byte[] input) {
        return head.call(h -> h.mailbox().execute(opcode, input).code());
    }

    private static Status status(LocalHead head) {
        return head.call(h -> h.device().background().status());
    }

    private static Optional<Cause> read(LocalHead head) {
        return head.call(h -> h.device().read(0, new byte[256], 0, 256).map(Refusal::cause));
    }

    /** Sanitizes, for longer than anybody waits for the lock; everybody is served meanwhile. */
    private static void sanitizeInVain(LocalHead head) {
        assertEquals(ReturnCode.BACKGROUND_STARTED, code(head, 0x4400, new byte[0]));
        long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(700);
        long slowestNs = 0;
        while (System.nanoTime() - endNs < 0) {
            long startNs = System.nanoTime();
            assertEquals(State.RUNNING, status(head).state());
            slowestNs = Math.max(slowestNs, System.nanoTime() - startNs);
        }
        assertTrue(slowestNs < 250_000_000, "the loop was held up: slowestNs=" + slowestNs);
        assertEquals(Optional.of(Cause.MEDIA_DISABLED), read(head));
    }

    private static void awaitMedia(LocalHead head) {
        DeviceFixture.await(
                "the end of the sanitize", 10_000, () -> status(head).state() != State.RUNNING);
        assertEquals(State.SUCCEEDED, status(head).state());
        assertEquals(0, head.read(64, 1)[0]);
        assertEquals(0, head.read(2 * BLOCK - 1, 1)[0]);
        assertEquals(Optional.empty(), read(head));
    }

    @Test
    void shouldEndWhenTheHolderGoesOn() {
        try (LocalHead head = poisoned()) {
            Child holder = stoppedHolder();
            sanitizeInVain(head);
            DeviceFixture.signal("CONT", holder.pid());
            // It goes on, and holds the lock until it ends.
            holder.order("leave");
            awaitMedia(head);
        }
    }

    @Test
    void shouldEndWhenTheHolderIsFenced() {
        try (LocalHead head = poisoned()) {
            Child holder = stoppedHolder();
            sanitizeInVain(head);
            assertTrue(Device.fence(fixture.files(), HOLDER).isPresent());
            assertEquals(137, holder.exitCode());
            awaitMedia(head);
        }
    }

    @Test
    void shouldEndByAbortAndBeAskedForAgain() {
        try (LocalHead head = poisoned()) {
            Child holder = stoppedHolder();
            sanitizeInVain(head);
            assertEquals(ReturnCode.SUCCESS, code(head, 0x0005, new byte[0]));
            assertEquals(State.ABORTED, status(head).state());
            assertEquals(Optional.of(Cause.MEDIA_DISABLED), read(head));
            holder.kill();
            assertEquals(ReturnCode.BACKGROUND_STARTED, code(head, 0x4400, new byte[0]));
            awaitMedia(head);
        }
    }

    @Test
    void shouldNotTouchWhatTheHostGaveBackWhileItWaited() {
        try (LocalHead head = poisoned()) {
            Child holder = stoppedHolder();
            sanitizeInVain(head);
            assertEquals(Optional.empty(), head.release(0, 2 * BLOCK));
            DeviceFixture.await(
                    "the end of the sanitize", 10_000, () -> status(head).state() != State.RUNNING);
            assertEquals(State.SUCCEEDED, status(head).state(), "nothing is left to do");
            holder.kill();
            assertEquals(Optional.empty(), head.add(0, 0, 2));
            assertEquals(Optional.empty(), head.accept());
            assertEquals(Optional.empty(), read(head), "claimed without poison, as always");
        }
    }

    /** It cannot be aborted, so it does not wait for ever; the media stays to be had, and the host may ask again. */
    @Test
    void shouldFailToSanitizeRangesAfterAWhile() {
        try (LocalHead head = poisoned()) {
            Child holder = stoppedHolder();
            ByteBuffer input = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
            input.put(0, (byte) 1).putInt(4, 1).putLong(16, 4096);
            byte[] ranges = input.array();
            assertEquals(ReturnCode.BACKGROUND_STARTED, code(head, 0x4402, ranges));
            long startNs = System.nanoTime();
            DeviceFixture.await("its end", 30_000, () -> status(head).state() != State.RUNNING);
            assertTrue(System.nanoTime() - startNs > 2_000_000_000L, "it has waited");
            assertEquals(Optional.of(Cause.BUSY), status(head).failure());
            assertEquals(Optional.of(Cause.POISONED), read(head));
            assertEquals(7, head.read(4096, 1)[0]);
            holder.kill();
            assertEquals(ReturnCode.BACKGROUND_STARTED, code(head, 0x4402, ranges));
            DeviceFixture.await("its end", 10_000, () -> status(head).state() != State.RUNNING);
            assertEquals(Optional.empty(), read(head));
        }
    }

    /** Others who want the poison's list are not in its way for longer than they have it. */
    @Test
    void shouldShareTheLockWithThoseWhoAreNotStopped() {
        try (LocalHead head = poisoned();
                LocalHead other = fixture.attach(HOLDER)) {
            assertEquals(ReturnCode.BACKGROUND_STARTED, code(head, 0x4400, new byte[0]));
            for (int line = 0; line < 200; line++) {
                long dpa = 4 * BLOCK + line * 64L;
                other.call(h -> h.device().injectPoison(dpa, 64, Source.INTERNAL));
            }
            awaitMedia(head);
            assertEquals(Optional.empty(), other.add(0, 4, 1), "free, and unpoisoned by the claim");
        }
    }
}
