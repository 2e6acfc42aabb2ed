package io.mhsld.head;

import io.mhsld.state.DeviceFiles;
import io.mhsld.state.FileGuard;
import io.mhsld.state.StateFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Whether a process can be the head that a row of the head table says it is. The table is no witness: whoever may write the state file may have
 * named any process in it. The kernel is one.
 */
final class HeadEvidence {
    // A line of /proc/PID/maps: first-last address, access, offset, device, inode, name.
    private static final int ADDRESSES = 0;
    private static final int ACCESS = 1;
    private static final int DEVICE = 3;
    private static final int INODE = 4;
    private static final int NAME = 5;
    private static final String SHARED_FOR_WRITING = "rw-s";

    private HeadEvidence() {}

    /**
     * True when the process has this very state file mapped for writing, whatever its name leads to by now, as every head has. Is it known as
     * another head of the device, by the leases that it holds, it must hold a lease for this one too, of a lock file that was removed maybe.
     *
     * <p>What a process of another user maps can be hidden. Then it must hold such a lease, since anybody can see that.
     */
    static boolean isHead(long pid, StateFile state, int head) {
        Optional<Boolean> maps = mapsForWriting(pid, state);
        if (maps.isPresent() && !maps.get()) {
            return false;
        }
        List<KernelLocks.Held> held = KernelLocks.read().orElse(List.of()).stream()
                .filter(lock -> lock.pid() == pid)
                .toList();
        if (held.stream().anyMatch(lock -> lock.covers(head))) {
            return true;
        }
        Optional<Long> inode = inodeOf(new DeviceFiles(state.file()).lockFile());
        boolean isKnownAsAnother = inode.isPresent() && held.stream().anyMatch(lock -> lock.isOfInode(inode.get()));
        return maps.isPresent() && !isKnownAsAnother;
    }

    /** Empty when that cannot be seen: of a process of another user, or of one whose first thread has ended already. */
    private static Optional<Boolean> mapsForWriting(long pid, StateFile state) {
        Optional<String> wanted = firstOf("self", words -> covers(words[ADDRESSES], state.address()))
                .map(HeadEvidence::fileOf);
        // The file as the kernel names it here, which is not what stat(2) says on every file system.
        if (wanted.isEmpty() || firstOf(Long.toString(pid), words -> true).isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(firstOf(
                        Long.toString(pid),
                        words -> words[ACCESS].equals(SHARED_FOR_WRITING)
                                && fileOf(words).equals(wanted.get()))
                .isPresent());
    }

    private interface Line {
        boolean is(String[] words);
    }

    private static Optional<String[]> firstOf(String process, Line wanted) {
        // Names may be in any character set.
        try (Stream<String> lines = Files.lines(Path.of("/proc", process, "maps"), StandardCharsets.ISO_8859_1)) {
            return lines.map(line -> line.split("\\s+", NAME + 1))
                    .filter(words -> words.length > INODE && wanted.is(words))
                    .findFirst();
        } catch (IOException | UncheckedIOException e) {
            return Optional.empty();
        }
    }

    private static boolean covers(String addresses, long address) {
        int dash = addresses.indexOf('-');
        return Long.compareUnsigned(Long.parseUnsignedLong(addresses, 0, dash, 16), address) <= 0
                && Long.compareUnsigned(address, Long.parseUnsignedLong(addresses, dash + 1, addresses.length(), 16))
                        < 0;
    }

    private static String fileOf(String[] words) {
        return words[DEVICE] + " " + words[INODE];
    }

    private static Optional<Long> inodeOf(Path file) {
        try {
            return Optional.of(FileGuard.look(file).inode());
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
