package io.mhsld.cli;

import io.mhsld.Device;
import io.mhsld.head.ProcessIdentity;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.ExtentTable;
import io.mhsld.state.Geometry;
import io.mhsld.state.HeadTable;
import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.OwnerMap;
import io.mhsld.state.StateFile;
import io.mhsld.state.TagCover;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What the state file tells at one look. Heads may be at work meanwhile, so facts about different heads can be of slightly different moments.
 *
 * @param heads one for each head that the device has room for
 */
record DeviceFacts(
        DeviceFiles files, StateFile.Identity identity, Geometry geometry, Census census, List<HeadFacts> heads) {
    /**
     * Who owns how many blocks, counted in one pass: what does not add up here does not add up in the file.
     *
     * @param owned of each head, shared blocks included
     * @param ownedByAll blocks that somebody owns or a tag keeps, each counted once
     * @param shared blocks among them that belong to tags
     * @param contested blocks with owners that cannot be
     */
    record Census(List<Long> owned, long ownedByAll, long shared, long free, long contested) {
        static Census of(StateFile state) {
            OwnerMap map = state.ownerMap();
            int headCount = state.geometry().headCount();
            TagCover tags = TagCover.of(state);
            long heads = headCount == Long.SIZE ? -1L : (1L << headCount) - 1;
            long[] owned = new long[headCount];
            long ownedByAll = 0;
            long shared = 0;
            long contested = 0;
            for (long block = 0; block < map.blockCount(); block++) {
                long lane = map.ownersVolatile(block);
                if (lane == 0 && tags.isEmpty()) {
                    continue;
                }
                boolean isTagged = !tags.isEmpty() && tags.at(block).isPresent();
                if ((lane & ~heads) != 0 || (Long.bitCount(lane) > 1 && !isTagged)) {
                    contested++;
                    continue;
                }
                ownedByAll += lane != 0 || isTagged ? 1 : 0;
                shared += isTagged ? 1 : 0;
                for (long bits = lane; bits != 0; bits &= bits - 1) {
                    owned[Long.numberOfTrailingZeros(bits)]++;
                }
            }
            return new Census(
                    Arrays.stream(owned).boxed().toList(),
                    ownedByAll,
                    shared,
                    map.blockCount() - ownedByAll - contested,
                    contested);
        }
    }

    /** What a head is, judged by its row, its lease and its process. */
    enum HeadState {
        /** Nobody is this head. */
        FREE,
        /** Somebody has the lease and does not answer yet. */
        STARTING,
        /** It answers on its control socket. */
        SERVING,
        /** Its process is stopped (SIGSTOP): it answers nobody, keeps its lease and its blocks. */
        STOPPED,
        /** Somebody frees what it left behind. */
        REAPING,
        /** Its process ended without letting go. */
        DEAD,
        /** Its row in the file makes no sense. */
        DAMAGED;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * One head.
     *
     * @param extents empty when the table was being written all the time, or its writer died at it
     * @param errors how many errors its last process has recorded
     */
    record HeadFacts(Row row, HeadState state, long blocks, Optional<List<ExtentTable.Entry>> extents, long errors) {
        int head() {
            return row.head();
        }

        /** Nobody is it, and it holds nothing and has nothing to tell. */
        boolean isIdle() {
            return state == HeadState.FREE
                    && blocks == 0
                    && errors == 0
                    && extents.map(List::isEmpty).orElse(false);
        }

        /** How many extents the host has accepted, or not answered yet. */
        long countExtents(boolean pending) {
            return extents.orElse(List.of()).stream()
                    .filter(entry -> entry.isPending() == pending)
                    .count();
        }
    }

    /** Looks at an open device. */
    static DeviceFacts of(DeviceFiles files, StateFile state) {
        Geometry geometry = state.geometry();
        int headCount = geometry.headCount();
        boolean[] live = Device.liveHeads(files, headCount);
        Census census = Census.of(state);
        List<HeadFacts> heads = new ArrayList<>(headCount);
        for (int head = 0; head < headCount; head++) {
            Row row = state.heads().readAcquire(head);
            heads.add(new HeadFacts(
                    row,
                    stateOf(row, live[head]),
                    census.owned.get(head),
                    state.extents(head).readSeqlock().map(ExtentTable.Snapshot::entries),
                    ErrorReport.read(state, head).stream()
                            .mapToLong(ErrorReport.Observation::count)
                            .sum()));
        }
        return new DeviceFacts(files, state.identity(), geometry, census, heads);
    }

    /** What people call the device. */
    static String nameOf(DeviceFiles files) {
        Path file = files.stateFile();
        boolean isPlain = DeviceFiles.SHARED_MEMORY_FOLDER.equals(file.getParent());
        return (isPlain ? file.getFileName() : file).toString();
    }

    /** As above. */
    String name() {
        return nameOf(files);
    }

    /** What a head is, given its row and whether some process has its lease. */
    static HeadState stateOf(Row row, boolean isLeased) {
        return switch (row.state()) {
            case FREE -> isLeased ? HeadState.STARTING : HeadState.FREE;
            case STARTING -> isLeased ? HeadState.STARTING : HeadState.DEAD;
            case SERVING -> !isLeased ? HeadState.DEAD : isStopped(row) ? HeadState.STOPPED : HeadState.SERVING;
            case REAPING -> isLeased ? HeadState.REAPING : HeadState.DEAD;
            case DAMAGED -> HeadState.DAMAGED;
        };
    }

    /** True for a row that tells of a process which has died since. */
    static boolean isDead(HeadTable heads, int head, boolean isLeased) {
        return !isLeased && heads.stateAcquire(head) != HeadTable.State.FREE;
    }

    private static boolean isStopped(Row row) {
        if (!new ProcessIdentity(row.pid(), row.processStartTicks()).isAlive()) {
            return false; // of another process namespace, or gone this very moment
        }
        try {
            String stat = Files.readString(Path.of("/proc", Long.toString(row.pid()), "stat"));
            return stat.startsWith("T", stat.lastIndexOf(')') + 2);
        } catch (IOException e) {
            return false;
        }
    }
}
