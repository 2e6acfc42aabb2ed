package io.mhsld.stress.soak;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What is measured of a process, from outside. */
enum Measure {
    /** Open descriptors. */
    DESCRIPTORS("", 3, 3, 0) {
        @Override
        double of(long pid) throws IOException {
            try (Stream<Path> open = Files.list(Path.of("/proc", Long.toString(pid), "fd"))) {
                return open.count();
            }
        }
    },
    /** Mappings of a file: the C library and the JVM make and give back anonymous ones as they like. */
    FILE_MAPPINGS("", 3, 3, 0) {
        @Override
        double of(long pid) throws IOException {
            return mappings(pid).filter(line -> line.indexOf('/') >= 0).count();
        }
    },
    /** All mappings. */
    MAPPINGS("", 12, 12, 0) {
        @Override
        double of(long pid) throws IOException {
            return mappings(pid).count();
        }
    },
    /** Threads. */
    THREADS("", 3, 3, 0) {
        @Override
        double of(long pid) throws IOException {
            return status(pid, "Threads");
        }
    },
    /**
     * Memory of its own in RAM, MiB: without shared memory and files, without what the C library holds and nobody uses, and without what the JVM's
     * compilers work in. One large method takes them 50 MiB for a second, whenever its turn comes.
     */
    RESIDENT("MiB", 16, 12, 8) {
        @Override
        double of(long pid) throws IOException {
            for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
                run(pid, "System.trim_native_heap");
                double before = status(pid, "RssAnon");
                OptionalDouble compilers = compilersKib(pid);
                double after = status(pid, "RssAnon");
                if (compilers.isEmpty()) {
                    break;
                }
                if (Math.abs(after - before) < STEADY_KIB) {
                    return (after - compilers.getAsDouble()) / 1024;
                }
            }
            return Double.NaN;
        }
    },
    /** Heap in use after a collection of all of it, MiB. */
    HEAP_AFTER_GC("MiB", 2, 1.5, 1) {
        @Override
        double of(long pid) throws IOException {
            return heap(pid).orElse(Double.NaN);
        }
    };

    /** A generation, or a heap of another collector, in the words of Java 17 or 25. */
    private static final Pattern USED =
            Pattern.compile("^ *(?:.* generation|DefNew|Tenured|.*-first heap) .*used (\\d+)K");

    private static final Pattern TRACKED = Pattern.compile("- *(\\w[\\w ]*) \\(reserved=\\d+KB, committed=(\\d+)KB");
    /** A category of the JVM's account of its memory, which is always there. */
    private static final String COMPILER = "Compiler";
    /** Another one, left out when it is empty: what compilers gave back and will take again. */
    private static final String ARENA_CHUNK = "Arena Chunk";

    private static final int ATTEMPTS = 5;
    private static final double STEADY_KIB = 1024;
    private static final double YOUNG_HOURS = 0.1;
    private static final int JCMD_PATIENCE_S = 30;

    private final String unit;
    private final double leastRiseYoung;
    private final double leastRise;
    private final double leastPerHour;

    Measure(String unit, double leastRiseYoung, double leastRise, double leastPerHour) {
        this.unit = unit;
        this.leastRiseYoung = leastRiseYoung;
        this.leastRise = leastRise;
        this.leastPerHour = leastPerHour;
    }

    /** Measures a live process. */
    abstract double of(long pid) throws IOException;

    String unit() {
        return unit;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    /**
     * What is called growth over so many hours: less is settling in. For descriptors, threads and mappings a few; for memory what compiled code and
     * allocators take as they go, more in the first minutes, or so much per hour, whichever is more.
     */
    double leastRise(double hours) {
        return hours < YOUNG_HOURS ? leastRiseYoung : Math.max(leastRise, leastPerHour * hours);
    }

    private static Stream<String> mappings(long pid) throws IOException {
        return Files.readAllLines(Path.of("/proc", Long.toString(pid), "maps")).stream();
    }

    private static double status(long pid, String name) throws IOException {
        List<String> lines = Files.readAllLines(Path.of("/proc", Long.toString(pid), "status"));
        for (String line : lines) {
            if (line.startsWith(name + ":")) {
                return Double.parseDouble(
                        line.substring(name.length() + 1).replace("kB", "").strip());
            }
        }
        throw new IOException("no such line: name=" + name + " pid=" + pid);
    }

    /** By the JDK's own tool; empty when the process does not answer it. */
    private static OptionalDouble heap(long pid) throws IOException {
        run(pid, "GC.run");
        double usedKib = 0;
        boolean found = false;
        for (String line : run(pid, "GC.heap_info")) {
            Matcher used = USED.matcher(line);
            if (used.find()) {
                usedKib += Double.parseDouble(used.group(1));
                found = true;
            }
        }
        return found ? OptionalDouble.of(usedKib / 1024) : OptionalDouble.empty();
    }

    /** What the JVM's compilers have, KiB; empty when the JVM keeps no account of it. */
    private static OptionalDouble compilersKib(long pid) throws IOException {
        double sumKib = 0;
        boolean found = false;
        for (String line : run(pid, "VM.native_memory", "summary", "scale=KB")) {
            Matcher tracked = TRACKED.matcher(line);
            if (tracked.find()
                    && (tracked.group(1).equals(COMPILER) || tracked.group(1).equals(ARENA_CHUNK))) {
                found |= tracked.group(1).equals(COMPILER);
                sumKib += Double.parseDouble(tracked.group(2));
            }
        }
        return found ? OptionalDouble.of(sumKib) : OptionalDouble.empty();
    }

    private static List<String> run(long pid, String... command) throws IOException {
        List<String> words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                "-J-XX:TieredStopAtLevel=1",
                "-J-XX:+UseSerialGC",
                Long.toString(pid)));
        words.addAll(List.of(command));
        Process jcmd = new ProcessBuilder(words).redirectErrorStream(true).start();
        try {
            List<String> said = jcmd.inputReader().lines().toList();
            jcmd.waitFor(JCMD_PATIENCE_S, TimeUnit.SECONDS);
            return said;
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }
}
