package io.mhsld.type3;

import io.mhsld.type3.BackgroundOperations.Step;
import io.mhsld.type3.BackgroundOperations.Work;
import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.Refusal.Cause;
import java.util.List;
import java.util.Optional;

/**
 * Makes memory of this head unreadable for good, a step at a time: afterwards it reads as zero, and is the host's as before
 * (CXL r3.1 8.2.9.9.5). Nothing but blocks that the head owns at the moment of a step is touched.
 */
public final class Sanitizer {
    /** What one step overwrites: less than a millisecond. */
    static final long STEP_BYTES = 1 << 20;

    /** What cannot be aborted gives up after so many steps in which others were in the way: after three seconds or so. */
    static final int MAX_WAITS = 150;

    /** May be called for any range of one region. */
    interface Owned {
        boolean isOwned(long dpa, long lengthBytes);
    }

    private final DynamicCapacity capacity;
    private final Owned owned;
    private final DcMemory memory;
    private final MediaPoison poison;
    private volatile boolean mediaDisabled;

    Sanitizer(DynamicCapacity capacity, Owned owned, DcMemory memory, MediaPoison poison) {
        this.capacity = capacity;
        this.owned = owned;
        this.memory = memory;
        this.poison = poison;
    }

    /** True from the begin of a sanitize until one has come to its end, or the host has restarted. Any thread. */
    public boolean isMediaDisabled() {
        return mediaDisabled;
    }

    /**
     * Sanitizes all that the host has accepted, shared capacity aside: that is other hosts' too, and is scrubbed when the last of them lets go of
     * it. The media is disabled at once. While the poison cannot be taken out, because somebody holds what it is kept in, it waits, however long
     * that takes: it can be aborted, and if it failed the media would stay disabled.
     */
    public Work sanitizing() {
        mediaDisabled = true;
        List<HostRange> ranges = capacity.accepted().stream()
                .filter(extent -> extent.sharedSequence() == 0)
                .map(extent -> new HostRange(extent.startDpa(), extent.lengthBytes()))
                .toList();
        return new Overwriting(ranges, true, true) {
            @Override
            void ended() {
                mediaDisabled = false;
            }
        };
    }

    /**
     * Overwrites ranges, and takes the poison out of them; the rest of the media stays to be had. The ranges have been checked. It waits as above,
     * but fails with {@code BUSY} after some seconds, for nobody can abort it.
     */
    public Work sanitizing(List<HostRange> ranges) {
        return new Overwriting(ranges, true, false);
    }

    /** Writes zeros, as a host would: what is poisoned stays so. The ranges have been checked. */
    public Work writingZeros(List<HostRange> ranges) {
        return new Overwriting(ranges, false, false);
    }

    void reset() {
        mediaDisabled = false;
    }

    private class Overwriting implements Work {
        private final List<HostRange> ranges;
        private final boolean clearsPoison;
        private final boolean isAbortable;
        private final long totalBytes;
        private long doneBytes;
        private int range;
        private long offset;
        private int waits;

        Overwriting(List<HostRange> ranges, boolean clearsPoison, boolean isAbortable) {
            this.ranges = ranges;
            this.clearsPoison = clearsPoison;
            this.isAbortable = isAbortable;
            this.totalBytes = ranges.stream().mapToLong(HostRange::lengthBytes).sum();
        }

        @Override
        public Step step() {
            if (range < ranges.size()) {
                HostRange current = ranges.get(range);
                long length = Math.min(STEP_BYTES, current.lengthBytes() - offset);
                long dpa = current.startDpa() + offset;
                // What the host has given back meanwhile is nobody's, or another head's.
                if (owned.isOwned(dpa, length)) {
                    if (!memory.fill(dpa, length, (byte) 0)) {
                        return Step.failed(
                                new Refusal(Cause.NO_SPACE, String.format("dpa=0x%x length=0x%x", dpa, length)));
                    }
                    Optional<Refusal> refusal = clearsPoison ? poison.scrubbed(dpa, length) : Optional.empty();
                    if (refusal.isPresent()) {
                        return mustWait(refusal.get())
                                ? Step.waiting(doneBytes, totalBytes, refusal.get())
                                : Step.failed(refusal.get());
                    }
                }
                waits = 0;
                advance(current, length);
            }
            if (range < ranges.size()) {
                return Step.at(doneBytes, totalBytes);
            }
            ended();
            return Step.last();
        }

        /** Then the step is done once more, the overwriting too: somebody may have poisoned, or had, the range meanwhile. */
        private boolean mustWait(Refusal refusal) {
            return refusal.cause() == Cause.BUSY && (isAbortable || ++waits <= MAX_WAITS);
        }

        private void advance(HostRange current, long length) {
            doneBytes += length;
            offset += length;
            if (offset == current.lengthBytes()) {
                offset = 0;
                range++;
            }
        }

        @Override
        public boolean isAbortable() {
            return isAbortable;
        }

        void ended() {}
    }
}
