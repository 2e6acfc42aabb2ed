package io.mhsld.type3;

import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/** The poison of a device with one head. Changed by one thread; {@link #isPoisoned} may be asked by any. */
final class InMemoryPoison implements MediaPoison {
    private final LongSupplier timestampNs;
    private final LineWriter writer;
    private volatile PoisonList list = PoisonList.NONE;

    InMemoryPoison(LongSupplier timestampNs, LineWriter writer) {
        this.timestampNs = timestampNs;
        this.writer = writer;
    }

    @Override
    public Optional<Refusal> inject(long dpa, long lengthBytes, Source source) {
        Line line = new Line(dpa, lengthBytes, source);
        Optional<Refusal> refusal = list.whyNotWith(line);
        if (refusal.isEmpty()) {
            list = list.with(line, timestampNs.getAsLong());
        }
        return refusal;
    }

    @Override
    public Optional<Refusal> clear(long dpa, byte[] data64) {
        Optional<Refusal> refusal = writer.write(dpa, data64);
        return refusal.isEmpty() ? scrubbed(dpa, LINE_BYTES) : refusal;
    }

    @Override
    public Optional<Refusal> scrubbed(long dpa, long lengthBytes) {
        if (list.touches(dpa, lengthBytes)) {
            list = list.without(dpa, lengthBytes, timestampNs.getAsLong());
        }
        return Optional.empty();
    }

    @Override
    public void reserved(Extent extent) {
        scrubbed(extent.startDpa(), extent.lengthBytes());
    }

    @Override
    public boolean isPoisoned(long dpa, long lengthBytes) {
        return list.touches(dpa, lengthBytes);
    }

    @Override
    public List<Line> lines(long dpa, long lengthBytes) {
        return PoisonList.within(list.listed(), dpa, lengthBytes);
    }

    @Override
    public List<Line> scan(long dpa, long lengthBytes) {
        return PoisonList.within(list.all(), dpa, lengthBytes);
    }

    @Override
    public void recover() {
        list = list.recovered();
    }

    @Override
    public boolean hasOverflowed() {
        return list.hasOverflowed();
    }

    @Override
    public long overflowTimestampNs() {
        return list.overflowTimestampNs();
    }
}
