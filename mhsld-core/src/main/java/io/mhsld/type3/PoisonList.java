package io.mhsld.type3;

import io.mhsld.type3.MediaPoison.Line;
import io.mhsld.type3.MediaPoison.Source;
import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * All poison of a device at one moment, and how it changes: each change makes another list.
 *
 * @param listed what the poison list shows, by address; up to {@link MediaPoison#MAX_RECORDS}
 * @param unlisted what it had no room for
 * @param hasOverflowed there was such poison since the last scan that recovered all
 * @param overflowTimestampNs when, 0 when there was none
 */
public record PoisonList(List<Line> listed, List<Line> unlisted, boolean hasOverflowed, long overflowTimestampNs) {
    /** What is remembered beyond the list. */
    public static final int MAX_UNLISTED = 1024;

    /** No poison, and never was. */
    public static final PoisonList NONE = new PoisonList(List.of(), List.of(), false, 0);

    /** Copies the lists, each by address. */
    public PoisonList {
        listed = sorted(listed);
        unlisted = sorted(unlisted);
    }

    /** By address. */
    public List<Line> all() {
        return unlisted.isEmpty() ? listed : sorted(concat(listed, unlisted));
    }

    /** Is any byte of [dpa, dpa + length) poisoned? */
    public boolean touches(long dpa, long lengthBytes) {
        return touches(listed, dpa, lengthBytes) || touches(unlisted, dpa, lengthBytes);
    }

    /** False when cuts have made more of it than can be remembered. */
    public boolean isWithinLimits() {
        return unlisted.size() <= MAX_UNLISTED;
    }

    /** Why that cannot be added: {@code ALREADY_POISONED} or {@code POISON_LIMIT}, as {@link MediaPoison#inject} says. */
    public Optional<Refusal> whyNotWith(Line line) {
        if (touches(line.dpa(), line.lengthBytes())) {
            return Refusal.of(Cause.ALREADY_POISONED, "dpa=0x%x length=0x%x", line.dpa(), line.lengthBytes());
        }
        boolean isForList = line.source() == Source.INJECTED;
        return listed.size() < MediaPoison.MAX_RECORDS || (!isForList && unlisted.size() < MAX_UNLISTED)
                ? Optional.empty()
                : Refusal.of(Cause.POISON_LIMIT, "records=%d unlisted=%d", listed.size(), unlisted.size());
    }

    /** With what is not poisoned yet. */
    public PoisonList with(Line line, long timestampNs) {
        return of(concat(listed, List.of(line)), unlisted, timestampNs, listed.size() < MediaPoison.MAX_RECORDS);
    }

    /** Without any in [dpa, dpa + length). What is cut in two may be one record too many: then the list overflows. */
    public PoisonList without(long dpa, long lengthBytes, long timestampNs) {
        return touches(dpa, lengthBytes)
                ? of(without(listed, dpa, lengthBytes), without(unlisted, dpa, lengthBytes), timestampNs, false)
                : this;
    }

    /** After a scan of everything: the list takes what it has room for now. */
    public PoisonList recovered() {
        int room = Math.min(MediaPoison.MAX_RECORDS - listed.size(), unlisted.size());
        List<Line> rest = unlisted.subList(room, unlisted.size());
        return new PoisonList(
                concat(listed, unlisted.subList(0, room)),
                rest,
                !rest.isEmpty(),
                rest.isEmpty() ? 0 : overflowTimestampNs);
    }

    private PoisonList of(List<Line> newListed, List<Line> newUnlisted, long timestampNs, boolean fits) {
        int kept = fits ? newListed.size() : Math.min(newListed.size(), MediaPoison.MAX_RECORDS);
        boolean overflows = kept < newListed.size() && !hasOverflowed;
        return new PoisonList(
                newListed.subList(0, kept),
                concat(newListed.subList(kept, newListed.size()), newUnlisted),
                hasOverflowed || overflows,
                overflows ? timestampNs : overflowTimestampNs);
    }

    private static boolean touches(List<Line> lines, long dpa, long lengthBytes) {
        for (int i = 0; i < lines.size(); i++) {
            if (overlaps(lines.get(i), dpa, lengthBytes)) {
                return true;
            }
        }
        return false;
    }

    private static boolean overlaps(Line line, long dpa, long lengthBytes) {
        return lengthBytes > 0 && line.dpa() - dpa < lengthBytes && dpa < line.endDpa();
    }

    /** Of the lines what lies in [dpa, dpa + length). */
    public static List<Line> within(List<Line> lines, long dpa, long lengthBytes) {
        List<Line> cut = new ArrayList<>();
        for (Line line : lines) {
            if (overlaps(line, dpa, lengthBytes)) {
                long start = Math.max(line.dpa(), dpa);
                cut.add(new Line(start, Math.min(line.endDpa(), dpa + lengthBytes) - start, line.source()));
            }
        }
        return cut;
    }

    private static List<Line> without(List<Line> lines, long dpa, long lengthBytes) {
        List<Line> left = new ArrayList<>();
        for (Line line : lines) {
            long before = Math.min(line.endDpa(), dpa) - line.dpa();
            long after = line.endDpa() - Math.max(line.dpa(), dpa + lengthBytes);
            if (before > 0) {
                left.add(new Line(line.dpa(), before, line.source()));
            }
            if (after > 0) {
                left.add(new Line(line.endDpa() - after, after, line.source()));
            }
        }
        return left;
    }

    private static List<Line> concat(List<Line> first, List<Line> second) {
        List<Line> both = new ArrayList<>(first);
        both.addAll(second);
        return both;
    }

    private static List<Line> sorted(List<Line> lines) {
        return lines.stream().sorted(Comparator.comparingLong(Line::dpa)).toList();
    }
}
