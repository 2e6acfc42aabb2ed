package io.mhsld.stress.contest;

import io.mhsld.head.LeaseFile;
import io.mhsld.stress.process.SharedFile;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.agrona.concurrent.UnsafeBuffer;

/** Takes a lease and stores one number after the other, each in two places, until it is killed. */
final class DyingHolder {
    static final int FIRST = 0;
    static final int SECOND = 128;
    static final int LENGTH = 256;
    static final int NO_LEASE = 4;

    private DyingHolder() {}

    /** Arguments: lock file, head, shared file. */
    public static void main(String[] arguments) {
        UnsafeBuffer memory = SharedFile.map(Path.of(arguments[2]), LENGTH);
        LeaseFile leases = LeaseFile.open(Path.of(arguments[0]), PosixFilePermissions.fromString("rw-------"));
        if (leases.tryHead(Integer.parseInt(arguments[1])).isEmpty()) {
            System.exit(NO_LEASE);
        }
        // Release: the first of the two is never behind the second.
        long number = memory.getLong(FIRST) + 1;
        while (leases.isInPlace()) {
            for (long end = number + 10_000; number < end; number++) {
                memory.putLongRelease(FIRST, number);
                memory.putLongRelease(SECOND, number);
            }
        }
    }
}
