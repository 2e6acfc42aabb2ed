package io.mhsld.stress.fuzz;

import io.mhsld.Device;
import io.mhsld.cli.PrintedReports;
import io.mhsld.head.Repairer;
import io.mhsld.state.DamagedFile;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.ExtentTable;
import io.mhsld.state.Geometry;
import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.Inspector;
import io.mhsld.state.StateFile;
import io.mhsld.state.StateFileException;
import java.util.Optional;

/**
 * A state file that something has written to: a row of patches to a sound one, each a place and the bytes to put there, perhaps with the checksum
 * made right again. It is refused, or everything in it can be read, shown and repaired; after a repair it is sound, and a second one has nothing
 * to do.
 */
public final class StateFiles {
    private static final int HEADS = 3;

    private static DeviceFiles files;
    private static DamagedFile sound;

    private StateFiles() {}

    /** Fails when a damaged file is neither refused nor survived. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        if (sound == null) {
            files = Scratch.device("damaged", HEADS, 96);
            sound = DamagedFile.of(files);
        }
        Input input = new Input(bytes);
        int how = input.u8();
        int columns = input.u8();
        DamagedFile damaged = sound.copy();
        if ((how & 8) != 0) {
            damaged.patchShape(input.u8(), input.bytes(1 + input.below(Long.BYTES)));
        }
        while (!input.isEmpty()) {
            int place = input.u16();
            damaged.patch(place, input.u16(), input.bytes(1 + input.below(32)));
        }
        damaged.write((how & 1) != 0);
        String mediaFile;
        try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_ONLY, 0)) {
            Check.that(!damaged.isHeaderChanged() || (how & 1) != 0, "a header with a wrong checksum is taken");
            Check.that(damaged.tells(state.geometry()), "a header is taken that contradicts itself");
            read(state);
            PrintedReports.of(files, state, columns, (how & 2) != 0)
                    .forEach((name, text) -> Check.isPrintable(text, name));
            mediaFile = state.identity().mediaFile();
        } catch (StateFileException e) {
            Check.that(e.getMessage().contains("file="), "message names the file: " + e.getMessage());
            return;
        }
        // A repair takes longer than all the rest, so only every other input has one. It stores to the media file,
        // which
        // must be our own.
        if ((how & 4) != 0 && mediaFile.equals(files.mediaFile().toString())) {
            repair();
        }
    }

    private static void read(StateFile state) {
        Geometry geometry = state.geometry();
        Check.that(geometry.headCount() >= 1 && geometry.headCount() <= Geometry.MAX_HEADS, "heads");
        Check.equal(geometry.blockCount() * geometry.blockSizeBytes(), geometry.capacityBytes(), "capacity");
        for (int head = 0; head < geometry.headCount(); head++) {
            Row row = state.heads().readAcquire(head);
            Check.equal(head, row.head(), "head of a row");
            Optional<ExtentTable.Snapshot> table = state.extents(head).readSeqlock();
            table.ifPresent(snapshot -> Check.that(snapshot.entries().size() <= 512, "extents of a table"));
        }
        Inspector.Report report = Inspector.inspect(state, lives -> false);
        long free = 0;
        for (long block = 0; block < geometry.blockCount(); block++) {
            free += state.ownerMap().ownersVolatile(block) == 0 ? 1 : 0;
        }
        Check.equal(free, report.freeBlocks(), "free blocks");
    }

    private static void repair() {
        Repairer.Recovery first = Device.recover(files, 0);
        Check.that(
                first.after().isSound() || !first.refused().isEmpty(),
                "not sound after a repair that refused nothing: "
                        + first.after().findings());
        Repairer.Recovery second = Device.recover(files, 0);
        Check.that(second.repaired().isEmpty(), "repaired by a second repair: " + second.repaired());
        Check.equal(0L, second.clearedBits(), "bits cleared by a second repair");
        for (long freed : second.freedBlocks()) {
            Check.equal(0L, freed, "blocks freed by a second repair");
        }
        Check.equal(first.after().freeBlocks(), second.after().freeBlocks(), "free blocks after a second repair");
    }
}
