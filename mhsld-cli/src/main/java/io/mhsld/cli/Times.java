package io.mhsld.cli;

import java.time.LocalDateTime;
import java.time.ZoneOffset;

/** Times as people read them. */
final class Times {
    private static final long MS_PER_SECOND = 1000;

    private Times() {}

    /** "2026-11-21T00:17:33Z". */
    static String utc(long epochMs) {
        // Its own toString: a formatter would load more classes than all the rest of a short verb.
        return LocalDateTime.ofEpochSecond(Math.floorDiv(epochMs, MS_PER_SECOND), 0, ZoneOffset.UTC) + "Z";
    }

    /** How long ago: "42 s", "7 min", "3 h", "12 d". */
    static String age(long epochMs) {
        long seconds = Math.max(0, (System.currentTimeMillis() - epochMs) / MS_PER_SECOND);
        if (seconds < 120) {
            return seconds + " s";
        }
        long minutes = seconds / 60;
        if (minutes < 120) {
            return minutes + " min";
        }
        long hours = minutes / 60;
        return hours < 48 ? hours + " h" : hours / 24 + " d";
    }
}
