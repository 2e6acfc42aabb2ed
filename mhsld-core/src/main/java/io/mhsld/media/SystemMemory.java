package io.mhsld.media;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * How much memory can still be taken before the kernel kills somebody for it: a file in memory may be allowed to grow beyond what the
 * machine or the container has.
 */
final class SystemMemory {
    /** Larger limits mean none; the first form of control groups writes 2^63 rounded down to a page. */
    private static final long NO_LIMIT = 1L << 62;

    private SystemMemory() {}

    /** Bytes to be had by this process, {@link Long#MAX_VALUE} where nothing tells. */
    static long availableBytes() {
        return availableBytes(Path.of("/"));
    }

    static long availableBytes(Path root) {
        return Math.min(machineBytes(root), controlGroupBytes(root));
    }

    private static long machineBytes(Path root) {
        List<String> facts = lines(root.resolve("proc/meminfo"));
        long availableKib = field(facts, "MemAvailable:");
        return availableKib < 0 ? Long.MAX_VALUE : (availableKib + Math.max(0, field(facts, "SwapFree:"))) << 10;
    }

    private static long controlGroupBytes(Path root) {
        long available = Long.MAX_VALUE;
        for (String line : lines(root.resolve("proc/self/cgroup"))) {
            String[] parts = line.split(":", 3); // number:controllers:path
            if (parts.length < 3) {
                continue;
            }
            if (parts[1].isEmpty()) {
                Path mount = root.resolve("sys/fs/cgroup");
                available = Math.min(available, groupBytes(mount, parts[2], "memory.max", "memory.current", ""));
            } else if (List.of(parts[1].split(",")).contains("memory")) {
                Path mount = root.resolve("sys/fs/cgroup/memory");
                available = Math.min(
                        available,
                        groupBytes(mount, parts[2], "memory.limit_in_bytes", "memory.usage_in_bytes", "total_"));
            }
        }
        return available;
    }

    /** The least that the group and those around it allow. In a container the path may be the host's: then only the mount counts. */
    private static long groupBytes(Path mount, String path, String limitFile, String usageFile, String statPrefix) {
        long available = Long.MAX_VALUE;
        Path group = mount.resolve(path.substring(Math.min(1, path.length()))).normalize();
        for (Path at = group.startsWith(mount) ? group : mount; at.startsWith(mount); at = at.getParent()) {
            long limit = number(lines(at.resolve(limitFile)));
            long usage = number(lines(at.resolve(usageFile)));
            if (limit < 0 || limit >= NO_LIMIT || usage < 0) {
                continue;
            }
            // Cached file pages count as used, but are dropped before anybody is killed.
            List<String> stat = lines(at.resolve("memory.stat"));
            long cache = Math.max(0, field(stat, statPrefix + "inactive_file"))
                    + Math.max(0, field(stat, statPrefix + "active_file"));
            available = Math.min(available, Math.max(0, limit - usage + Math.min(cache, usage)));
        }
        return available;
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            return List.of();
        }
    }

    private static long field(List<String> lines, String name) {
        for (String line : lines) {
            String[] words = line.split("\\s+");
            if (words[0].equals(name) && words.length > 1) {
                return number(List.of(words[1]));
            }
        }
        return -1;
    }

    private static long number(List<String> lines) {
        try {
            return lines.isEmpty() ? -1 : Long.parseLong(lines.get(0).trim());
        } catch (NumberFormatException e) {
            return -1; // "max"
        }
    }
}
