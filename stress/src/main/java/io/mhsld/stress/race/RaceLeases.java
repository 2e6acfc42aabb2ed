package io.mhsld.stress.race;

import io.mhsld.head.LeaseFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.atomic.AtomicInteger;

/** The lock file of the races for a lease: one for the whole JVM, in which each race has a byte of its own. */
final class RaceLeases {
    /** More than there can be races under way, and far from the end of what a lock can be put on. */
    private static final int BYTES = 1 << 20;

    private static final LeaseFile FILE = open();
    private static final AtomicInteger NEXT_BYTE = new AtomicInteger();

    private RaceLeases() {}

    static LeaseFile file() {
        return FILE;
    }

    /** The head whose lease this race is about. The lock file does not ask how many heads there are. */
    static int nextHead() {
        return Math.floorMod(NEXT_BYTE.getAndIncrement(), BYTES);
    }

    private static LeaseFile open() {
        try {
            Path file = Files.createTempFile("mhsld-stress-", ".lock");
            LeaseFile leases = LeaseFile.open(file, PosixFilePermissions.fromString("rw-------"));
            // Open is enough: locks belong to the file, not to its name.
            Files.delete(file);
            return leases;
        } catch (IOException e) {
            throw new UncheckedIOException("no lock file for the stress tests", e);
        }
    }
}
