package io.mhsld.cli;

import io.mhsld.Device;
import io.mhsld.Device.Specification;
import io.mhsld.cli.DeviceFacts.HeadFacts;
import io.mhsld.head.Fence;
import io.mhsld.head.Repairer;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.state.StateFile;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import io.mhsld.text.ForeignText;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * What is done to a device as a whole, with or without live heads. Facts go to the console's {@code out}; what is refused comes out as an
 * exception with a message for the person.
 */
final class DeviceOperator {
    private final DeviceFiles files;
    private final Console console;
    private final boolean json;

    /**
     * @param json print facts as JSON
     */
    DeviceOperator(DeviceFiles files, Console console, boolean json) {
        this.files = files;
        this.console = console;
        this.json = json;
    }

    // ---- looking

    /** Tells what the device is, who its heads are, and how much they hold. */
    ExitCode status(boolean withCounters) {
        return looking(state -> {
            DeviceFacts facts = DeviceFacts.of(files, state);
            if (json) {
                Json.print(console.out(), out -> StatusReport.json(out, facts, state));
            } else {
                console.out().print(StatusReport.text(facts, state, withCounters, console.columns()));
            }
            return ExitCode.DONE;
        });
    }

    /** Draws who owns which blocks. */
    ExitCode map(MapPicture.View view) {
        return looking(state -> {
            MapReport report = MapReport.of(DeviceFacts.of(files, state), state);
            if (json) {
                Json.print(console.out(), report::json);
            } else {
                console.out().print(report.text(view));
            }
            return ExitCode.DONE;
        });
    }

    /** Lists the extents of one head, or of all. */
    ExitCode extents(OptionalInt head) {
        return looking(state -> {
            head.ifPresent(wanted -> checkHead(state, wanted));
            DeviceFacts facts = DeviceFacts.of(files, state);
            List<HeadFacts> heads = facts.heads().stream()
                    .filter(one -> head.isEmpty() || head.getAsInt() == one.head())
                    .toList();
            if (json) {
                Json.print(console.out(), out -> ExtentReport.json(out, facts, heads));
            } else {
                console.out().print(ExtentReport.text(facts, heads));
            }
            return ExitCode.DONE;
        });
    }

    /** Lists the errors that one head, or all, have recorded. */
    ExitCode errors(OptionalInt head, boolean withTraces) {
        return looking(state -> {
            head.ifPresent(wanted -> checkHead(state, wanted));
            List<ErrorReport.Observation> errors = new ArrayList<>();
            for (int one = 0; one < state.geometry().headCount(); one++) {
                if (head.isEmpty() || head.getAsInt() == one) {
                    errors.addAll(ErrorReport.read(state, one));
                }
            }
            if (json) {
                Json.print(console.out(), out -> ErrorReport.json(out, DeviceFacts.nameOf(files), errors));
            } else {
                console.out().print(ErrorReport.text(errors, withTraces));
            }
            return ExitCode.DONE;
        });
    }

    /** Checks the invariants; {@link ExitCode#DONE} only when nothing is wrong. */
    ExitCode verify() {
        return looking(state -> {
            VerifyReport report = VerifyReport.of(files, state);
            if (json) {
                Json.print(console.out(), report::json);
            } else {
                console.out().print(report.text());
            }
            return report.isSound() ? ExitCode.DONE : ExitCode.REFUSED;
        });
    }

    // ---- changing

    /** Makes the device anew. */
    ExitCode init(Specification specification, long waitMs) {
        checkFolder(files.stateFile());
        specification.mediaFile().ifPresent(DeviceOperator::checkFolder);
        guarded(files, () -> {
            Device.initialise(files, specification, waitMs);
            return null;
        });
        return looking(state -> {
            Geometry geometry = state.geometry();
            if (json) {
                Json.print(console.out(), out -> StatusReport.device(out, files, state.identity(), geometry));
                return ExitCode.DONE;
            }
            say("made " + DeviceFacts.nameOf(files) + ": " + StatusReport.summary(geometry) + ", serial "
                    + Long.toUnsignedString(state.identity().serial()));
            say("state file: " + files.stateFile() + " (" + Sizes.text(state.lengthBytes()) + ")");
            say("media file: " + state.identity().mediaFile() + " (" + StatusReport.mediaSpace(state.identity()) + ")");
            return ExitCode.DONE;
        });
    }

    /** Frees what dead heads left behind. */
    ExitCode recover(long waitMs) {
        List<Integer> dead = looking(this::deadHeads);
        Repairer.Recovery recovery = guarded(files, () -> Device.recover(files, waitMs));
        dead.removeAll(looking(this::deadHeads));
        long[] freed = recovery.freedBlocks();
        List<Integer> reaped = IntStream.range(0, freed.length)
                .filter(head -> freed[head] > 0 || dead.contains(head))
                .boxed()
                .toList();
        if (json) {
            Json.print(console.out(), out -> recoveryAsJson(out, recovery, reaped));
        } else {
            long blockSizeBytes = looking(state -> state.geometry().blockSizeBytes());
            sayRecovery(recovery, reaped, blockSizeBytes);
        }
        return recovery.after().isSound() ? ExitCode.DONE : ExitCode.REFUSED;
    }

    private void sayRecovery(Repairer.Recovery recovery, List<Integer> reaped, long blockSizeBytes) {
        for (int head : reaped) {
            say("freed what head " + head + " left behind: " + blocks(recovery.freedBlocks()[head], blockSizeBytes));
        }
        if (recovery.clearedBits() > 0) {
            say("cleared owners that cannot be: " + Sizes.count(recovery.clearedBits(), "bit"));
        }
        recovery.repaired().forEach(remedy -> say("repaired: " + remedy));
        recovery.refused().forEach(remedy -> say("not repaired: " + remedy));
        if (reaped.isEmpty()
                && recovery.clearedBits() == 0
                && recovery.repaired().isEmpty()
                && recovery.refused().isEmpty()) {
            say("nothing to do");
        }
        recovery.after().notes().forEach(note -> say("note: " + note));
    }

    private void recoveryAsJson(Json out, Repairer.Recovery recovery, List<Integer> reaped) {
        out.put("name", DeviceFacts.nameOf(files)).put("sound", recovery.after().isSound());
        out.array(
                "reaped",
                all -> reaped.forEach(head ->
                        all.element(one -> one.put("head", head).put("freed_blocks", recovery.freedBlocks()[head]))));
        out.put("cleared_bits", recovery.clearedBits());
        out.array("repaired", all -> recovery.repaired().forEach(remedy -> all.element(one -> remedy(one, remedy))));
        out.array("not_repaired", all -> recovery.refused().forEach(remedy -> all.element(one -> remedy(one, remedy))));
        out.array("notes", all -> recovery.after().notes().forEach(all::element));
    }

    private static void remedy(Json out, Repairer.Remedy remedy) {
        VerifyReport.finding(out, remedy.finding());
        out.put("remedy", remedy.remedy());
    }

    /** Ends the process that is a head, and frees what it held. */
    ExitCode fence(int head) {
        AtomicLong blockSizeBytes = new AtomicLong();
        long held = looking(state -> {
            checkHead(state, head);
            blockSizeBytes.set(state.geometry().blockSizeBytes());
            return state.ownerMap().countVolatile(head);
        });
        Optional<Fence.Ended> ended = guarded(files, () -> Device.fence(files, head));
        long left = looking(state -> state.ownerMap().countVolatile(head));
        long freed = Math.max(0, held - left);
        if (json && ended.isPresent()) {
            Json.print(
                    console.out(),
                    out -> out.put("name", DeviceFacts.nameOf(files))
                            .put("head", head)
                            .put("pid", ended.get().pid())
                            .put("was_head", ended.get().wasHead())
                            .put("freed_blocks", freed)
                            .array(
                                    "other_heads",
                                    all -> ended.get().otherHeads().forEach(all::element)));
        }
        if (ended.isEmpty()) {
            throw new CommandException(
                    ExitCode.HEAD_NOT_RUNNING,
                    "head is not running: head=" + head
                            + (freed > 0
                                    ? " (freed what it had left behind: " + blocks(freed, blockSizeBytes.get()) + ")"
                                    : "")
                            + " file=" + files.stateFile());
        }
        if (!json) {
            say("fenced head " + head + ": pid " + ended.get().pid() + " killed" + whatItWas(ended.get()) + ", "
                    + blocks(freed, blockSizeBytes.get()) + " freed");
        }
        return ExitCode.DONE;
    }

    private static String whatItWas(Fence.Ended ended) {
        List<String> others =
                ended.otherHeads().stream().map(other -> "head " + other).toList();
        String more = String.join(" and ", others);
        if (ended.wasHead()) {
            return others.isEmpty() ? "" : " (it was " + more + " too)";
        }
        return others.isEmpty()
                ? " (it was starting as the head, or reaping it)"
                : " (it was " + more + ", and reaping this one)";
    }

    /** Removes the device. */
    ExitCode destroy(long waitMs) {
        Optional<Path> kept = guarded(files, () -> Device.destroy(files, waitMs));
        if (json) {
            Json.print(
                    console.out(),
                    out -> out.put("name", DeviceFacts.nameOf(files))
                            .put("state_file", files.stateFile().toString())
                            .put("kept_media_file", kept.map(Path::toString).orElse(null)));
        } else {
            say("destroyed " + DeviceFacts.nameOf(files) + ": " + files.stateFile()
                    + " and the files beside it are gone");
            kept.ifPresent(media -> say("kept the media file, which init was given: " + media));
        }
        return ExitCode.DONE;
    }

    // ---- parts

    /** Opens the state file for looking only. */
    private <T> T looking(Function<StateFile, T> look) {
        return guarded(files, () -> {
            try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_ONLY, 0)) {
                T seen = look.apply(state);
                state.surfaceFault();
                return seen;
            }
        });
    }

    /** A mapped file that is cut under its reader shows as an {@link InternalError} of the JVM. */
    static <T> T guarded(DeviceFiles files, Supplier<T> action) {
        try {
            return action.get();
        } catch (InternalError e) {
            throw new StateFileException(
                    Problem.DAMAGED,
                    "state file, or its media file, was cut while it was in use",
                    files.stateFile(),
                    e);
        }
    }

    private List<Integer> deadHeads(StateFile state) {
        List<Integer> dead = new ArrayList<>();
        boolean[] live = Device.liveHeads(files, state.geometry().headCount());
        for (int head = 0; head < live.length; head++) {
            if (DeviceFacts.isDead(state.heads(), head, live[head])) {
                dead.add(head);
            }
        }
        return dead;
    }

    private void checkHead(StateFile state, int head) {
        int headCount = state.geometry().headCount();
        if (head < 0 || head >= headCount) {
            throw new IllegalArgumentException("no such head: head=" + head + " heads=" + headCount + " (0 to "
                    + (headCount - 1) + ") file=" + files.stateFile());
        }
    }

    private static void checkFolder(Path file) {
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null && !Files.isDirectory(folder)) {
            throw new StateFileException(Problem.MISSING, "no such folder", folder);
        }
    }

    private static String blocks(long count, long blockSizeBytes) {
        return Sizes.count(count, "block") + " (" + Sizes.text(count * blockSizeBytes) + ")";
    }

    private void say(String line) {
        console.out().println(ForeignText.line(line));
    }
}
