package io.mhsld.media;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import net.openhft.chronicle.core.Jvm;

/** What tests run in a JVM of its own: {@link #run} starts it, {@link #main} is it. */
final class MediaChild {
    private MediaChild() {}

    /**
     * Runs one act and returns all that the JVM printed, on both outputs.
     *
     * @param jars which jars the child gets to see.
     * @param actAndArguments those that begin with {@code -D} are for the JVM
     */
    static String run(Path directory, Predicate<String> jars, String... actAndArguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Xmx64m");
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> argument.startsWith("--"))
                .forEach(command::add);
        Arrays.stream(actAndArguments)
                .filter(argument -> argument.startsWith("-D"))
                .forEach(command::add);
        command.add("-cp");
        command.add(Arrays.stream(System.getProperty("java.class.path").split(":"))
                .map(entry -> Path.of(entry).toAbsolutePath().toString())
                .filter(jars)
                .collect(Collectors.joining(":")));
        command.add(MediaChild.class.getName());
        Arrays.stream(actAndArguments)
                .filter(argument -> !argument.startsWith("-D"))
                .forEach(command::add);
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("child hangs");
        }
        return output + (process.exitValue() == 0 ? "" : "exit " + process.exitValue());
    }

    public static void main(String[] arguments) {
        Path file = Path.of(arguments[1]);
        long length = Long.parseLong(arguments[2]);
        byte[] bytes = new byte[4096];
        switch (arguments[0]) {
            case "chronicle" -> Jvm.init();
            case "store" -> {
                try (Media media = Media.open(file, length, Media.Space.RESERVED)) {
                    media.fill(0, length, (byte) 77);
                }
            }
            case "scrub" -> {
                try (Media media = Media.open(file, length, Media.Space.RESERVED)) {
                    boolean all = media.scrub(0, length);
                    boolean half = media.scrub(0, length / 2);
                    media.read(0, bytes, 0, bytes.length);
                    System.out.println(
                            "all=" + all + " half=" + half + " zero=" + Arrays.equals(bytes, new byte[4096]));
                }
            }
            case "interrupted" -> {
                try (Media media = Media.open(file, length, Media.Space.SPARSE)) {
                    Thread.currentThread().interrupt();
                    Arrays.fill(bytes, (byte) 9);
                    media.write(0, bytes, 0, bytes.length);
                    media.fill(0, 100, (byte) 8);
                    media.read(0, bytes, 0, bytes.length);
                    System.out.println(bytes[99] + " " + bytes[100] + " " + Thread.interrupted());
                }
            }
            default -> throw new IllegalArgumentException(arguments[0]);
        }
        System.out.println("hostile=" + System.getProperty("mhsld.hostile"));
    }
}
