package io.mhsld.head;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class LookoutTest {
    private long nowNs = Long.MAX_VALUE - 1000;
    private final Lookout lookout = new Lookout(() -> nowNs);

    /** One wait that work ends. */
    private void waitFor(long waitedNs) {
        lookout.begin();
        nowNs += waitedNs;
        lookout.found();
    }

    @Test
    void shouldSleepTheFirstTime() {
        lookout.begin();
        assertFalse(lookout.looksOn());
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
    }

    @Test
    void shouldSleepAfterWorkThatCameLate() {
        waitFor(1);
        waitFor(Lookout.LOOK_NS);
        lookout.begin();
        assertFalse(lookout.looksOn());
        waitFor(1);
        lookout.begin();
        assertTrue(lookout.looksOn());
    }

    @Test
    void shouldSleepAfterAWaitThatFoundNothingHoweverShort() {
        waitFor(1);
        lookout.begin();
        lookout.foundNothing();
        lookout.begin();
        assertFalse(lookout.looksOn());
    }
}
