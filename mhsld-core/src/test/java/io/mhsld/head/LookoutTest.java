package io.mhsld.head;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class LookoutTest {
    private long nowNs = Long.MAX_VALUE - 1000;
    private long takenNs;
    private int offers;
    private final Lookout lookout = new Lookout(() -> nowNs, () -> {
        offers++;
        nowNs += takenNs;
    });

    /** One wait that work ends. */
    private void waitFor(long waitedNs) {
        lookout.begin();
        nowNs += waitedNs;
        lookout.found();
    }

    /** After a wait that was short: true when the next one begins with a look. */
    private boolean looks() {
        waitFor(1);
        lookout.begin();
        return lookout.looksOn();
    }

    @Test
    void shouldSleepTheFirstTime() {
        lookout.begin();
        assertFalse(lookout.looksOn());
        assertEquals(0, offers);
    }

    @Test
    void shouldLookForAsLongAsWorkCountsAsComingSoon() {
        waitFor(Lookout.LOOK_NS - 1);
        lookout.begin();
        assertTrue(lookout.looksOn());
        nowNs += Lookout.LOOK_NS - 1;
        assertTrue(lookout.looksOn());
        nowNs++;
        assertFalse(lookout.looksOn());
        assertEquals(2, offers);
    }

    @Test
    void shouldSleepAfterWorkThatCameLate() {
        waitFor(1);
        waitFor(Lookout.LOOK_NS);
        lookout.begin();
        assertFalse(lookout.looksOn());
        assertTrue(looks());
    }

    @Test
    void shouldSleepAfterAWaitThatFoundNothingHoweverShort() {
        waitFor(1);
        lookout.begin();
        lookout.foundNothing();
        lookout.begin();
        assertFalse(lookout.looksOn());
    }

    @Test
    void shouldSleepForAWhileWhenSomebodyTookTheProcessorForLong() {
        takenNs = Lookout.TAKEN_NS;
        assertTrue(looks());
        takenNs = 0;
        assertFalse(looks());
        nowNs += Lookout.PAUSE_NS - 10;
        assertFalse(looks());
        nowNs += 10;
        assertTrue(looks());
    }

    @Test
    void shouldNotMindWhoTakesTheProcessorForAMoment() {
        takenNs = Lookout.TAKEN_NS - 1;
        assertTrue(looks());
        assertTrue(looks());
    }
}
