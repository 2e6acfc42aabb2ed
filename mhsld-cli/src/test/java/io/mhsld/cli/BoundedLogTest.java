package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class BoundedLogTest {
    private final AtomicLong clockNs = new AtomicLong(-5);
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final BoundedLog log =
            new BoundedLog(new PrintStream(bytes, true, StandardCharsets.UTF_8), 3, clockNs::get);

    private List<String> lines() {
        return bytes.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Test
    void shouldSayABurstThenSoMuchASecondAndCountTheRest() {
        for (int i = 0; i < BoundedLog.BURST_LINES + 100; i++) {
            log.say("line=%d", i);
        }
        assertEquals(BoundedLog.BURST_LINES, lines().size());
        clockNs.addAndGet(TimeUnit.SECONDS.toNanos(1));
        for (int i = 0; i < 100; i++) {
            log.say("later=%d", i);
        }
        // The line that counts is not counted.
        assertEquals(BoundedLog.BURST_LINES + BoundedLog.LINES_PER_SECOND + 1, lines().size());
        assertTrue(
                lines().get(BoundedLog.BURST_LINES).endsWith(" head=3 log lines left out: lines=100 limitPerSecond=10"),
                lines().get(BoundedLog.BURST_LINES));
        assertTrue(lines().get(BoundedLog.BURST_LINES + 1).endsWith(" head=3 later=0"));
        clockNs.addAndGet(TimeUnit.HOURS.toNanos(1));
        bytes.reset();
        for (int i = 0; i < 2 * BoundedLog.BURST_LINES; i++) {
            log.say("again");
        }
        assertEquals(BoundedLog.BURST_LINES + 1, lines().size());
    }

    @Test
    void shouldCutLongLinesAndNotSteerATerminal() {
        log.line("\u001b[2Jgone\rx\u0007" + "y".repeat(5000));
        assertTrue(lines().get(0).contains("head=3 ?[2Jgone?x?yyy"), lines().get(0));
        assertTrue(lines().get(0).length() < BoundedLog.LINE_LENGTH_LIMIT + 50);
        bytes.reset();
        log.say("text=%s", "a\nhead=0 forged");
        assertEquals(1, lines().size(), "one line is one line");
    }
}
