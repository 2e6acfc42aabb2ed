package io.mhsld.stress.storm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/**
 * A mistake that is put into the heads on purpose, to see that the storm finds it: one place of one of the product's own sources is changed,
 * and that class, compiled anew, takes the place of the sound one.
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
            "return Outcome.ALIVE;",
            "state.ownerMap().forEachRunVolatile(head, (f, c) -> state.ownerMap().clear(head, f, c)); return"
                    + " Outcome.ALIVE;"),
    /** A reaper that takes a stopped process for a dead one. */
    STOPPED(
            "mhsld-core/src/main/java/io/mhsld/head/Reaper.java",
            "return Outcome.ALIVE;",
            "try { if (java.nio.file.Files.readString(java.nio.file.Path.of(\"/proc/\" +"
                    + " state.heads().readAcquire(head).pid() + \"/stat\")).contains(\") T \")) {"
                    + " state.ownerMap().forEachRunVolatile(head, (f, c) -> state.ownerMap().clear(head, f, c)); } }"
                    + " catch (java.io.IOException e) { /* gone */ } return Outcome.ALIVE;"),
    /** A reaper that leaves the last block of each run to the dead. */
    LEFTOVERS(
            "mhsld-core/src/main/java/io/mhsld/head/Reaper.java",
            "freed += state.ownerMap().clear(head, block, blocks);",
            "freed += state.ownerMap().clear(head, block, blocks > 1 ? blocks - 1 : blocks);"),
    /** A release that leaves the owner map as it is. */
    RELEASE(
            "mhsld-core/src/main/java/io/mhsld/head/SharedCapacity.java",
            "extents.forEach(this::giveBackAndClear);",
            "extents.forEach(e -> media.giveBack(geometry.mediaOffsetOfDpa(e.startDpa()), e.lengthBytes()));");

    private final String source;
    private final String sound;
    private final String wrong;

    Mistake(String source, String sound, String wrong) {
        this.source = source;
        this.sound = sound;
        this.wrong = wrong;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * Compiles the class with the mistake in it.
     *
     * @return where it is, to be put before the sound one
     */
    Path compile(Path folder) {
        try {
            Path root = Path.of(Mistake.class
                            .getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .resolve("../../..")
                    .normalize();
            Path file = root.resolve(source);
            String text = Files.readString(file);
            int place = text.indexOf(sound);
            if (place < 0 || text.indexOf(sound, place + 1) >= 0) {
                throw new IllegalStateException("place for a mistake is not there just once: mistake=" + this
                        + " sound=\"" + sound + "\" file=" + file);
            }
            Path classes = Files.createDirectories(folder.resolve("broken"));
            Path changed = classes.resolve(file.getFileName());
            Files.writeString(changed, text.replace(sound, wrong));
            JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
            int status = compiler.run(
                    null,
                    null,
                    null,
                    "-nowarn",
                    "-proc:none",
                    "-cp",
                    String.join(java.io.File.pathSeparator, HeadLauncher.libraries()),
                    "-d",
                    classes.toString(),
                    changed.toString());
            if (status != 0) {
                throw new IllegalStateException("mistake cannot be compiled: mistake=" + this + " file=" + changed);
            }
            return classes;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
