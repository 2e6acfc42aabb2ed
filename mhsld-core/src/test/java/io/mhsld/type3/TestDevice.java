package io.mhsld.type3;

import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.DynamicCapacity.Range;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** A single-headed Type-3 device for tests, and short words for what tests ask of it. */
public final class TestDevice {
    public static final long MIB = 1L << 20;
    public static final long BLOCK = 2 * MIB;
    public static final long BASE = 256 * MIB;
    public static final int HOST_ID = 3;
    public static final UUID TAG = UUID.fromString("00112233-4455-6677-8899-aabbccddeeff");

    /** Time that stands still until it is moved. */
    public static final class HandClock extends Clock {
        private long nowNs = 1_000_000_000L;

        public void advanceNs(long durationNs) {
            nowNs += durationNs;
        }

        @Override
        public Instant instant() {
            return Instant.ofEpochSecond(0, nowNs);
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }

    private TestDevice() {}

    /** Regions of 1 GiB and 2 MiB blocks, the first at 256 MiB, each followed by the next. */
    public static List<DcRegion> regions(int count) {
        List<DcRegion> regions = new ArrayList<>();
        for (int id = 0; id < count; id++) {
            regions.add(new DcRegion(id, BASE + id * 1024L * MIB, 1024 * MIB, 1024 * MIB, BLOCK));
        }
        return regions;
    }

    public static Type3Device withRegions(int count) {
        return with(regions(count), new HandClock());
    }

    public static Type3Device with(List<DcRegion> regions, Clock clock) {
        return new Type3Device(
                new Type3Device.Identity(66667, HOST_ID, regions),
                clock,
                MultiHeadHooks.NONE,
                ExtentJournal.NONE,
                new SparseMemory());
    }

    /** A range of a request, in blocks from the start of its region. */
    public static Range blocks(long first, long count) {
        return new Range(first * BLOCK, count * BLOCK);
    }

    /** A range that the host names, in blocks from the start of the first region. */
    public static HostRange hostBlocks(long first, long count) {
        return new HostRange(BASE + first * BLOCK, count * BLOCK);
    }

    /** The extent without a tag over blocks of the first region. */
    public static Extent extent(long first, long count) {
        return Extent.untagged(BASE + first * BLOCK, count * BLOCK);
    }

    /** So many ranges of one block each, side by side. */
    public static List<Range> singles(int first, int count) {
        List<Range> ranges = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            ranges.add(blocks(first + i, 1));
        }
        return ranges;
    }
}
