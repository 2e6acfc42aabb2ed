package io.mhsld.stress.storm;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/**
 * One place of one of the product's own sources, changed on purpose; the class, compiled anew, takes the place of the sound one in the heads of
 * a trial that must find it.
 *
 * @param source the file, as seen from the checkout
 * @param sound what stands there, once
 * @param wrong what is put there instead
 */
public record SourceChange(String source, String sound, String wrong) {
    /** How often the text to be replaced is in the source: 1, or the source has changed and this must, too. */
    public int places() {
        String text = text();
        int places = 0;
        for (int at = text.indexOf(sound); at >= 0; at = text.indexOf(sound, at + 1)) {
            places++;
        }
        return places;
    }

    /**
     * Compiles the changed class.
     *
     * @return where it is, to be put before the sound one
     */
    public Path compile(Path folder) {
        if (places() != 1) {
            throw new IllegalStateException("place for a change is not there just once: places=" + places()
                    + " sound=\"" + sound + "\" file=" + file());
        }
        try {
            Path classes = Files.createDirectories(folder.resolve("broken"));
            Path changed = classes.resolve(file().getFileName());
            Files.writeString(changed, text().replace(sound, wrong));
            JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
            int status = compiler.run(
                    null,
                    null,
                    null,
                    "-nowarn",
                    "-proc:none",
                    "-cp",
                    String.join(File.pathSeparator, HeadLauncher.libraries()),
                    "-d",
                    classes.toString(),
                    changed.toString());
            if (status != 0) {
                throw new IllegalStateException("changed source cannot be compiled: file=" + changed);
            }
            return classes;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String text() {
        try {
            return Files.readString(file());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Beside the classes of this module, wherever the checkout is. */
    private Path file() {
        try {
            Path classes = Path.of(SourceChange.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            return classes.resolve("../../..").normalize().resolve(source);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
