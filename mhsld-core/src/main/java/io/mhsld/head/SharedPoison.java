package io.mhsld.head;

import io.mhsld.state.CrashPoint;
import io.mhsld.state.Geometry;
import io.mhsld.state.OwnerMap;
import io.mhsld.state.StateFile;
import io.mhsld.type3.MediaPoison;
import io.mhsld.type3.PoisonList;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/**
 * The poison of the media as one head sees and changes it: in blocks that it has, with others or alone, and in free ones. All heads together have one
 * list, of {@link MediaPoison#MAX_RECORDS} records; up to {@link PoisonList#MAX_UNLISTED} more are remembered that only a scan tells of, also across
 * lives. What other heads have is not shown and refused with {@code OWNED_BY_OTHER_HEAD}; so is what only the fabric manager keeps.
 */
final class SharedPoison implements MediaPoison {
    private final PoisonRegistry registry;
    private final Geometry geometry;
    private final OwnerMap map;
    private final KeptBlocks kept;
    private final int head;
    private final LongSupplier timestampNs;
    private final LineWriter writer;

    SharedPoison(StateFile state, int head, PoisonRegistry registry, LongSupplier timestampNs, LineWriter writer) {
        this.registry = registry;
        this.geometry = state.geometry();
        this.map = state.ownerMap();
        this.kept = new KeptBlocks(state);
        this.head = head;
        this.timestampNs = timestampNs;
        this.writer = writer;
    }

    @Override
    public Optional<Refusal> inject(long dpa, long lengthBytes, Source source) {
        Line line = new Line(dpa, lengthBytes, source);
        return registry.locked(
                TableLock.PATIENCE_MS,
                () -> registry.add(line, timestampNs.getAsLong(), () -> checkVisible(dpa, lengthBytes)));
    }

    @Override
    public Optional<Refusal> clear(long dpa, byte[] data64) {
        return registry.locked(
                TableLock.PATIENCE_MS,
                () -> checkVisible(dpa, LINE_BYTES)
                        .or(() -> checkCut(dpa))
                        .or(() -> writer.write(dpa, data64))
                        .or(() -> {
                            // Not before: the line would read as what it was.
                            CrashPoint.POISON_LINE_WRITTEN.reached();
                            return registry.remove(dpa, LINE_BYTES);
                        }));
    }

    /** Refuses a cut that would be refused after the line was written. */
    private Optional<Refusal> checkCut(long dpa) {
        PoisonList list = registry.list();
        return list.without(dpa, LINE_BYTES, 0).isWithinLimits()
                ? Optional.empty()
                : Refusal.of(
                        Cause.POISON_LIMIT,
                        "records=%d unlisted=%d",
                        list.listed().size(),
                        list.unlisted().size());
    }

    @Override
    public Optional<Refusal> scrubbed(long dpa, long lengthBytes) {
        return registry.removeWithin(0, dpa, lengthBytes);
    }

    @Override
    public boolean isPoisoned(long dpa, long lengthBytes) {
        return registry.list().touches(dpa, lengthBytes);
    }

    @Override
    public List<Line> lines(long dpa, long lengthBytes) {
        return visible(PoisonList.within(registry.list().listed(), dpa, lengthBytes));
    }

    @Override
    public List<Line> scan(long dpa, long lengthBytes) {
        return visible(PoisonList.within(registry.list().all(), dpa, lengthBytes));
    }

    @Override
    public void recover() {
        if (registry.list().hasOverflowed()) {
            registry.locked(TableLock.PATIENCE_MS, () -> {
                registry.write(registry.list().recovered());
                return Optional.empty();
            });
        }
    }

    @Override
    public boolean hasOverflowed() {
        return registry.list().hasOverflowed();
    }

    @Override
    public long overflowTimestampNs() {
        return registry.list().overflowTimestampNs();
    }

    // ---- whose it is

    private Optional<Refusal> checkVisible(long dpa, long lengthBytes) {
        OptionalLong others = firstOfOthers(dpa, lengthBytes);
        if (others.isEmpty()) {
            return Optional.empty();
        }
        long block = others.getAsLong();
        return Refusal.of(
                Cause.OWNED_BY_OTHER_HEAD, "block=%d dpa=0x%x requester=%d", block, geometry.dpaOfBlock(block), head);
    }

    private OptionalLong firstOfOthers(long dpa, long lengthBytes) {
        long last = geometry.blockOfDpa(dpa + lengthBytes - 1);
        for (long block = geometry.blockOfDpa(dpa); block <= last; block++) {
            if (!isVisible(block)) {
                return OptionalLong.of(block);
            }
        }
        return OptionalLong.empty();
    }

    /** The parts of lines, each of which lies in one region, that lie in blocks which are this head's or free. */
    private List<Line> visible(List<Line> lines) {
        List<Line> visible = new ArrayList<>(lines.size());
        for (Line line : lines) {
            long start = line.dpa();
            while (start < line.endDpa()) {
                long block = geometry.blockOfDpa(start);
                boolean isVisible = isVisible(block);
                long end = start;
                while (end < line.endDpa() && isVisible(block) == isVisible) {
                    end = Math.min(line.endDpa(), geometry.dpaOfBlock(block) + geometry.blockSizeBytes());
                    block++;
                }
                if (isVisible) {
                    visible.add(new Line(start, end - start, line.source()));
                }
                start = end;
            }
        }
        return visible;
    }

    private boolean isVisible(long block) {
        long owners = map.ownersVolatile(block);
        return owners == 0 ? !isKept(block) : (owners & 1L << head) != 0;
    }

    /** Reads of the data path come from any thread, and ask where the poison is that they met. */
    private synchronized boolean isKept(long block) {
        return !kept.within(block, 1).isEmpty();
    }
}
