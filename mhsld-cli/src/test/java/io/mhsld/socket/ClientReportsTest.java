package io.mhsld.socket;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ClientReportsTest {
    private final List<String> lines = new ArrayList<>();
    private final List<Throwable> errors = new ArrayList<>();
    private long nowNs = Long.MAX_VALUE - 5;
    private final ClientReports reports = new ClientReports("QMP", lines::add, errors::add, () -> nowNs);

    @Test
    void shouldTellOfOneClientOfEachKindAMinute() {
        reports.turnedAway("too many clients: limit=1");
        reports.turnedAway("too many clients: limit=1");
        nowNs += TimeUnit.SECONDS.toNanos(59);
        reports.letGo("does not read");
        reports.turnedAway("too many clients: limit=1");
        String turnedAway = "QMP client is turned away: reason=too many clients: limit=1";
        String letGo = "QMP client is let go: reason=does not read";
        assertEquals(List.of(turnedAway, letGo), lines);

        nowNs += TimeUnit.SECONDS.toNanos(1);
        reports.letGo("does not read");
        reports.turnedAway("too many clients: limit=1");
        assertEquals(List.of(turnedAway, letGo, turnedAway), lines);
        assertEquals(List.of(), errors, "a client is no error");
    }

    @Test
    void shouldKeepRareErrorsApartFromClientsAndFromOthers() {
        IOException rare = new IOException("no descriptors");
        IllegalStateException error = new IllegalStateException("broken");
        reports.turnedAway("too many clients: limit=1");
        reports.rareError(rare);
        reports.rareError(rare);
        reports.error(error);
        reports.error(error);
        assertEquals(List.of(rare, error, error), errors);
        nowNs += TimeUnit.MINUTES.toNanos(1);
        reports.rareError(rare);
        assertEquals(4, errors.size());
        assertEquals(1, lines.size());
    }
}
