package io.mhsld.type3;

import io.mhsld.type3.BackgroundOperations.Step;
import io.mhsld.type3.BackgroundOperations.Work;
import io.mhsld.type3.MediaPoison.Line;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Looks over the media for poison, also for what the poison list had no room for, and keeps what it found (CXL r3.1 8.2.9.9.4.5). */
public final class MediaScan {
    /** What one step looks over. */
    static final long STEP_BYTES = 256L << 20;

    /** What a scan is said to look over in a millisecond. */
    private static final long BYTES_PER_MS = STEP_BYTES;

    /**
     * Some of what the last scan found.
     *
     * @param restartDpa where a scan that was aborted has to go on
     * @param restartLengthBytes what it has not looked over, 0 when it came to its end
     * @param isMore there are others, which the next call gives
     */
    public record Results(long restartDpa, long restartLengthBytes, boolean isMore, List<Line> lines) {}

    private final MediaPoison poison;
    private final MediaEvents events;
    private Optional<Scan> last = Optional.empty();

    MediaScan(MediaPoison poison, MediaEvents events) {
        this.poison = poison;
        this.events = events;
    }

    /** How long a scan may take. */
    public static long estimateMs(long lengthBytes) {
        return lengthBytes / BYTES_PER_MS + 1;
    }

    /**
     * A scan of [dpa, dpa + length); what an earlier one found is forgotten.
     *
     * @param isSilent nobody is told of what it finds, but for the results
     * @param isWhole it goes over the whole device: afterwards the poison list is complete again, if it has room
     */
    public Work scanning(long dpa, long lengthBytes, boolean isSilent, boolean isWhole) {
        Scan scan = new Scan(dpa, dpa + lengthBytes, isSilent, isWhole);
        last = Optional.of(scan);
        return scan;
    }

    /** What the last scan found, some at each call, from the begin again after the last; empty when there was no scan. */
    public Optional<Results> results(int limit) {
        return last.map(scan -> scan.results(limit));
    }

    void reset() {
        last = Optional.empty();
    }

    private final class Scan implements Work {
        private final long start;
        private final long end;
        private final boolean isSilent;
        private final boolean isWhole;
        private final List<Line> found = new ArrayList<>();
        private long position;
        private int told;

        Scan(long start, long end, boolean isSilent, boolean isWhole) {
            this.start = start;
            this.end = end;
            this.isSilent = isSilent;
            this.isWhole = isWhole;
            this.position = start;
        }

        @Override
        public Step step() {
            long length = Math.min(STEP_BYTES, end - position);
            poison.scan(position, length).forEach(this::add);
            position += length;
            if (position < end) {
                return Step.at(position - start, end - start);
            }
            if (isWhole) {
                poison.recover();
            }
            if (!isSilent) {
                found.forEach(events::poisonFound);
            }
            return Step.last();
        }

        @Override
        public boolean isAbortable() {
            return true;
        }

        /** What a step has cut in two is one record. */
        private void add(Line line) {
            Line before = found.isEmpty() ? null : found.get(found.size() - 1);
            if (before != null && before.endDpa() == line.dpa() && before.source() == line.source()) {
                found.set(
                        found.size() - 1,
                        new Line(before.dpa(), before.lengthBytes() + line.lengthBytes(), line.source()));
            } else {
                found.add(line);
            }
        }

        Results results(int limit) {
            int from = told;
            int to = Math.min(found.size(), from + limit);
            told = to < found.size() ? to : 0;
            return new Results(
                    position < end ? position : 0,
                    end - position,
                    to < found.size(),
                    List.copyOf(found.subList(from, to)));
        }
    }
}
