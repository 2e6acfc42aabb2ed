package io.mhsld.stress.storm;

import java.util.Locale;

/**
 * A mistake that is put into the heads on purpose, to see that the storm finds it.
 */
enum Mistake {
    /** A scrub, and giving memory back, that leaves the bytes where they are. */
    SCRUB(
            "mhsld-core/src/main/java/io/mhsld/media/FileSpace.java",
            "int error = Fallocate.call(descriptor, Fallocate.PUNCH_HOLE, offset, lengthBytes);",
            "int error = 0;"),
    /** A claim that does not see head 0. */
    CLAIM(
            "mhsld-core/src/main/java/io/mhsld/state/OwnerMap.java",
            "if ((word & mask) != 0) {",
            "if ((word & mask & ~lowBits) != 0) {"),
    /** A claim that, when it fails, takes back more than it had set. */
    ROLL_BACK(
            "mhsld-core/src/main/java/io/mhsld/state/OwnerMap.java",
            "clear(head, first, block - first);",
            "clear(head, 0, blockCount);"),
    /** A reaper that clears the blocks of heads that live. */
    REAPER(
            "mhsld-core/src/main/java/io/mhsld/head/Reaper.java",
            "if (lease.isEmpty()) {",
            "if (lease.isEmpty()) { state.ownerMap().forEachRunVolatile(head, (f, c) -> state.ownerMap().clear(head, f, c));"),
    /** A reaper that takes a stopped process for a dead one. */
    STOPPED(
            "mhsld-core/src/main/java/io/mhsld/head/Reaper.java",
            "if (lease.isEmpty()) {",
            "if (lease.isEmpty()) { try { if (java.nio.file.Files.readString(java.nio.file.Path.of(\"/proc/\" +"
                    + " state.heads().readAcquire(head).pid() + \"/stat\")).contains(\") T \")) {"
                    + " state.ownerMap().forEachRunVolatile(head, (f, c) -> state.ownerMap().clear(head, f, c)); } }"
                    + " catch (java.io.IOException e) { /* gone */ }"),
    /** A reaper that leaves the last block of each run to the dead. */
    LEFTOVERS(
            "mhsld-core/src/main/java/io/mhsld/head/Reaper.java",
            "freed += state.ownerMap().clear(head, block, blocks);",
            "freed += state.ownerMap().clear(head, block, blocks > 1 ? blocks - 1 : blocks);"),
    /** A release that leaves the owner map as it is. */
    RELEASE(
            "mhsld-core/src/main/java/io/mhsld/head/SharedCapacity.java",
            "letGo(extent, isOwnMemory, sanitize);",
            "media.giveBack(geometry.mediaOffsetOfDpa(extent.startDpa()), extent.lengthBytes());");

    private final String source;
    private final String sound;
    private final String wrong;

    Mistake(String source, String sound, String wrong) {
        this.source = source;
        this.sound = sound;
        this.wrong = wrong;
    }

    SourceChange change() {
        return new SourceChange(source, sound, wrong);
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
