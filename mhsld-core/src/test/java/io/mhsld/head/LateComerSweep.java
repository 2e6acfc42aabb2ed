package io.mhsld.head;

import io.mhsld.Device;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.state.Inspector;
import io.mhsld.state.TagTable;
import io.mhsld.type3.Extent;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Somebody finds a tag live, and makes himself a holder of it, or keeps it, when it is too late: who held it has died and been reaped, and its
 * blocks are another head's. He dies at each store that he makes over that, and what he leaves behind must not let others have the tag.
 */
final class LateComerSweep {
    private static final UUID TAG = new UUID(1, 1);
    private static final long BLOCK = 4096;
    private static final int BLOCKS = 8;

    private LateComerSweep() {}

    public static void main(String[] arguments) {
        DeviceFiles files = DeviceFiles.named(arguments[0]);
        int deaths = 0;
        for (boolean joins : new boolean[] {true, false}) {
            boolean died = true;
            for (long point = 0; died; point++) {
                died = dieAt(files, joins, point);
                deaths += died ? 1 : 0;
            }
        }
        System.out.println("swept deaths=" + deaths);
    }

    /** False when it has come to its end. */
    private static boolean dieAt(DeviceFiles files, boolean joins, long point) {
        Geometry geometry = Geometry.of(4, BLOCKS * BLOCK, 1, BLOCK).withShareable(Set.of(0));
        Device.initialise(files, new Device.Specification(geometry, 1, false, Optional.empty(), false), 1_000);
        SharingHead first = SharingHead.attach(files, 0);
        SharingHead late = SharingHead.attach(files, 1);
        boolean died = false;
        try (SharingHead other = SharingHead.attach(files, 2);
                SharingHead next = SharingHead.attach(files, 3)) {
            must(first.create(TAG, 0, 4, 4).isEmpty(), "created");
            first.accept();
            first.fill(TAG, 7);
            Leases.Lease tables = late.leases.tryTables().orElseThrow();
            TagTable.Entry found = late.state.tags().find(TAG).orElseThrow();
            first.bury();
            must(other.reserve(List.of(Extent.untagged(0, 4 * BLOCK))).isEmpty(), "claimed what the dead one had");
            other.accept();
            CrashStep.arm(point);
            try {
                boolean had = joins
                        ? TagRegistry.tryHold(late.state.tags(), late.id, found)
                        : TagRegistry.tryKeep(late.state.tags(), found);
                must(!had, "came too late, and got it");
            } catch (CrashStep.Died e) {
                died = true;
            } finally {
                CrashStep.disarm();
            }
            tables.release();
            late.bury();
            String which = (joins ? "joined" : "kept") + ", died at " + CrashStep.diedAt();
            Optional<Refusal> joined = next.join(TAG, 0);
            must(joined.map(Refusal::cause).equals(Optional.of(Cause.TAG_UNKNOWN)), which + ", then joined: " + joined);
            Optional<Refusal> kept = next.registry().addReference(TAG);
            must(kept.map(Refusal::cause).equals(Optional.of(Cause.TAG_UNKNOWN)), which + ", then kept: " + kept);
            must(
                    next.registry().list().isEmpty(),
                    which + ", then listed: " + next.registry().list());
            must(other.bytes(Extent.NO_TAG) == 0, which + ": bytes of another");
            Inspector.Report report = Device.inspect(files);
            must(report.isSound(), which + ": " + report.findings());
            must(report.freeBlocks() == BLOCKS - 4, which + ": free=" + report.freeBlocks());
        } finally {
            first.bury();
            late.bury();
        }
        return died;
    }

    private static void must(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException(what);
        }
    }
}
