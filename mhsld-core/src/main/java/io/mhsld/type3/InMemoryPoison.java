package io.mhsld.type3;

import io.mhsld.type3.MediaPoison.Line;
import io.mhsld.type3.MediaPoison.Source;
import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/** The poison of a device with one head. Changed by one thread; {@link #isPoisoned} may be asked by any. */
final class InMemoryPoison implements MediaPoison {
    /** What is remembered beyond the list. */
    static final int MAX_UNLISTED = 1024;

    private static final List<Line> NOTHING = List.of();

    private final LongSupplier timestampNs;
    private final LineWriter writer;

    /** By address, without overlaps. */
    private List<Line> listed = NOTHING;

    private List<Line> unlisted = NOTHING;

    /** Both, for readers of other threads. */
    private volatile List<Line> all = NOTHING;

    private boolean overflowed;
    private long overflowTimestampNs;

    InMemoryPoison(LongSupplier timestampNs, LineWriter writer) {
        this.timestampNs = timestampNs;
        this.writer = writer;
    }

    @Override
    public Optional<Refusal> inject(long dpa, long lengthBytes, Source source) {
        if (isPoisoned(dpa, lengthBytes)) {
            return Refusal.of(Cause.ALREADY_POISONED, "dpa=0x%x length=0x%x", dpa, lengthBytes);
        }
        boolean fits = listed.size() < MAX_RECORDS;
        if (!fits && (source == Source.INJECTED || unlisted.size() == MAX_UNLISTED)) {
            return Refusal.of(Cause.POISON_LIMIT, "records=%d", listed.size());
        }
        List<Line> line = List.of(new Line(dpa, lengthBytes, source));
        take(fits ? line : NOTHING, fits ? NOTHING : line);
        return Optional.empty();
    }

    @Override
    public Optional<Refusal> clear(long dpa, byte[] data64) {
        Optional<Refusal> refusal = writer.write(dpa, data64);
        if (refusal.isEmpty()) {
            scrubbed(dpa, LINE_BYTES);
        }
        return refusal;
    }

    @Override
    public void scrubbed(long dpa, long lengthBytes) {
        if (isPoisoned(dpa, lengthBytes)) {
            List<Line> left = without(listed, dpa, lengthBytes);
            List<Line> leftUnlisted = without(unlisted, dpa, lengthBytes);
            listed = NOTHING;
            unlisted = NOTHING;
            // What is cut in two may be one record too many.
            int kept = Math.min(left.size(), MAX_RECORDS);
            take(left.subList(0, kept), concat(left.subList(kept, left.size()), leftUnlisted));
        }
    }

    @Override
    public boolean isPoisoned(long dpa, long lengthBytes) {
        List<Line> lines = all;
        for (int i = 0; i < lines.size(); i++) {
            if (overlaps(lines.get(i), dpa, lengthBytes)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public List<Line> lines(long dpa, long lengthBytes) {
        return within(listed, dpa, lengthBytes);
    }

    @Override
    public List<Line> scan(long dpa, long lengthBytes) {
        return within(all, dpa, lengthBytes);
    }

    @Override
    public void recover() {
        int room = Math.min(MAX_RECORDS - listed.size(), unlisted.size());
        List<Line> recovered = unlisted.subList(0, room);
        List<Line> rest = unlisted.subList(room, unlisted.size());
        unlisted = NOTHING;
        overflowed = !rest.isEmpty();
        overflowTimestampNs = overflowed ? overflowTimestampNs : 0;
        take(recovered, rest);
    }

    @Override
    public boolean hasOverflowed() {
        return overflowed;
    }

    @Override
    public long overflowTimestampNs() {
        return overflowTimestampNs;
    }

    private void take(List<Line> newListed, List<Line> newUnlisted) {
        listed = sorted(concat(listed, newListed));
        unlisted = sorted(concat(unlisted, newUnlisted));
        all = sorted(concat(listed, unlisted));
        if (!newUnlisted.isEmpty() && !overflowed) {
            overflowed = true;
            overflowTimestampNs = timestampNs.getAsLong();
        }
    }

    private static boolean overlaps(Line line, long dpa, long lengthBytes) {
        return lengthBytes > 0 && line.dpa() - dpa < lengthBytes && dpa < line.endDpa();
    }

    private static List<Line> within(List<Line> lines, long dpa, long lengthBytes) {
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
