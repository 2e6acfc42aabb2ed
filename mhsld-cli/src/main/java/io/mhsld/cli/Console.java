package io.mhsld.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * Where a verb reads and writes, so that tests can put their own streams there.
 *
 * @param out facts
 * @param err messages
 * @param isTerminal colours are welcome: {@code out} is a terminal, and nobody has said otherwise
 * @param columns width of the terminal, or what stands for it
 */
public record Console(PrintStream out, PrintStream err, boolean isTerminal, int columns) {
    private static final int DEFAULT_COLUMNS = 80;
    private static final int MIN_COLUMNS = 20;

    /** No terminal is wider, and a picture takes time by its width. */
    static final int MAX_COLUMNS = 10_000;

    /**
     * The process's own streams. Width from COLUMNS, which the launcher sets on a terminal, else 80; colours when standard output is a
     * terminal, TERM is not {@code dumb} and NO_COLOR is empty.
     */
    public static Console ofProcess() {
        Map<String, String> environment = System.getenv();
        boolean mayPaint = environment.getOrDefault("NO_COLOR", "").isEmpty()
                && !environment.getOrDefault("TERM", "dumb").equals("dumb");
        return new Console(
                System.out, System.err, mayPaint && isTerminal(1), columnsOf(environment.getOrDefault("COLUMNS", "")));
    }

    /** System.console() tells of both ends at once, and since Java 22 of neither; the kernel knows what a descriptor is. */
    private static boolean isTerminal(int descriptor) {
        try {
            String file = Files.readSymbolicLink(Path.of("/proc/self/fd", Integer.toString(descriptor)))
                    .toString();
            return file.startsWith("/dev/pts/") || file.startsWith("/dev/tty") || file.equals("/dev/console");
        } catch (IOException e) {
            return false;
        }
    }

    static int columnsOf(String text) {
        try {
            return Math.min(Math.max(MIN_COLUMNS, Integer.parseInt(text.trim())), MAX_COLUMNS);
        } catch (NumberFormatException e) {
            return DEFAULT_COLUMNS;
        }
    }
}
