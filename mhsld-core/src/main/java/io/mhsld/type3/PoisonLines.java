package io.mhsld.type3;

import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/** Poison of a device with one head, in this process's memory alone. */
final class PoisonLines implements MediaPoison {
    private final List<Line> lines = new ArrayList<>();
    private final LongSupplier timestampNs;
    private boolean overflowed;
    private long overflowNs;

    PoisonLines(LongSupplier timestampNs) {
        this.timestampNs = timestampNs;
    }

    @Override
    public Optional<Refusal> inject(long dpa, long lengthBytes, Source source) {
        if (lines.size() == MAX_RECORDS) {
            overflowNs = overflowed ? overflowNs : timestampNs.getAsLong();
            overflowed = true;
        } else {
            lines.add(new Line(dpa, lengthBytes, source));
        }
        return Optional.empty();
    }

    @Override
    public Optional<Refusal> clear(long dpa, byte[] data64) {
        return Refusal.of(Cause.OUTSIDE_REGION, "dpa=0x%x", dpa);
    }

    @Override
    public boolean isPoisoned(long dpa, long lengthBytes) {
        return !lines(dpa, lengthBytes).isEmpty();
    }

    @Override
    public List<Line> lines(long dpa, long lengthBytes) {
        return lines.stream()
                .filter(line -> Long.compareUnsigned(line.dpa(), dpa + lengthBytes) < 0
                        && Long.compareUnsigned(dpa, line.dpa() + line.lengthBytes()) < 0)
                .toList();
    }

    @Override
    public boolean hasOverflowed() {
        return overflowed;
    }

    @Override
    public long overflowTimestampNs() {
        return overflowNs;
    }
}
