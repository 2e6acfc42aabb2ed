package io.mhsld.head;

import io.mhsld.state.Geometry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The kernel's list of file locks, as far as they can be leases. Processes that this one cannot see are not in it. */
final class KernelLocks {
    private static final Path LIST = Path.of("/proc/locks");

    // A line: number, type, mandatory or not, access, process, major:minor:inode, first and last byte. Of a lock that
    // is
    // waited for, the second word is an arrow.
    private static final int TYPE = 1;
    private static final int ACCESS = 3;
    private static final int PID = 4;
    private static final int PLACE = 5;
    private static final int FIRST = 6;
    private static final int LAST = 7;

    /** Behind the heads: the right to change the device, and the table lock. */
    private static final int LAST_BYTE = Geometry.MAX_HEADS + 1;

    /**
     * Locked bytes. The kernel makes one range of adjacent ones that a process has locked one by one.
     *
     * @param place the file, as the kernel names it: major:minor:inode
     */
    record Held(long pid, String place, long first, long last) {
        boolean covers(long position) {
            return first <= position && position <= last;
        }

        /** Across file systems this may be another file of that number. */
        boolean isOfInode(long inode) {
            return place.endsWith(":" + inode);
        }
    }

    private KernelLocks() {}

    /** All locks that can be leases; empty where the kernel keeps its list to itself. */
    static Optional<List<Held>> read() {
        try (Stream<String> lines = Files.lines(LIST)) {
            return Optional.of(parse(lines));
        } catch (IOException | UncheckedIOException e) {
            return Optional.empty();
        }
    }

    static List<Held> parse(Stream<String> lines) {
        return lines.map(line -> line.trim().split("\\s+"))
                .filter(words -> words.length > LAST && words[TYPE].equals("POSIX") && words[ACCESS].equals("WRITE"))
                .filter(words -> isLease(words[LAST]))
                .map(words -> new Held(
                        Long.parseLong(words[PID]),
                        words[PLACE],
                        Long.parseLong(words[FIRST]),
                        Long.parseLong(words[LAST])))
                .toList();
    }

    /** Somebody who locks a whole file, whatever it is, locks bytes too that are no leases, mostly up to "EOF". */
    private static boolean isLease(String last) {
        try {
            return Long.parseLong(last) <= LAST_BYTE;
        } catch (NumberFormatException e) {
            return false;
        }
    }
}
