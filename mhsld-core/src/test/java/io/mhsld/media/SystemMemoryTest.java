package io.mhsld.media;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SystemMemoryTest {
    private static final String MEMINFO = """
            MemTotal:       24683672 kB
            MemFree:          100000 kB
            MemAvailable:    2000000 kB
            SwapTotal:        900000 kB
            SwapFree:         500000 kB
            """;
    private static final long MACHINE_BYTES = 2_500_000L << 10;

    @TempDir
    Path root;

    @Test
    void shouldCountAvailableMemoryAndSwap() throws IOException {
        write("proc/meminfo", MEMINFO);
        assertEquals(MACHINE_BYTES, SystemMemory.availableBytes(root));
    }

    @Test
    void shouldKnowNoBoundWhereNothingTells() throws IOException {
        assertEquals(Long.MAX_VALUE, SystemMemory.availableBytes(root));
        write("proc/meminfo", "something else\n\n");
        write("proc/self/cgroup", "nonsense\n0::\n");
        assertEquals(Long.MAX_VALUE, SystemMemory.availableBytes(root));
    }

    @Test
    void shouldObeyTheTightestGroupOnTheWayUp() throws IOException {
        write("proc/meminfo", MEMINFO);
        write("proc/self/cgroup", "0::/outer/inner\n");
        write("sys/fs/cgroup/outer/memory.max", "1000000\n");
        write("sys/fs/cgroup/outer/memory.current", "900000\n");
        write(
                "sys/fs/cgroup/outer/memory.stat",
                "anon 5\nfile 400000\ninactive_file 30000\nactive_file 20000\nshmem 350000\n");
        write("sys/fs/cgroup/outer/inner/memory.max", "max\n");
        write("sys/fs/cgroup/outer/inner/memory.current", "800000\n");
        assertEquals(150_000, SystemMemory.availableBytes(root));

        write("sys/fs/cgroup/outer/inner/memory.max", "810000\n");
        assertEquals(10_000, SystemMemory.availableBytes(root));

        write("sys/fs/cgroup/outer/inner/memory.max", "700000\n"); // lowered below what is used
        assertEquals(0, SystemMemory.availableBytes(root));
    }

    @Test
    void shouldObeyTheFirstFormOfControlGroups() throws IOException {
        write("proc/meminfo", MEMINFO);
        write("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/docker/0123\n0::/\n");
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", "500000\n"); // in the container the path does not exist
        write("sys/fs/cgroup/memory/memory.usage_in_bytes", "100000\n");
        write(
                "sys/fs/cgroup/memory/memory.stat",
                "inactive_file 1\ntotal_inactive_file 7000\ntotal_active_file 3000\n");
        assertEquals(410_000, SystemMemory.availableBytes(root));

        write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        assertEquals(MACHINE_BYTES, SystemMemory.availableBytes(root));
    }

    @Test
    void shouldLookAtTheMountWhenThePathLeavesIt() throws IOException {
        write("proc/self/cgroup", "0::/../../elsewhere\n");
        write("sys/fs/cgroup/memory.max", "5000\n");
        write("sys/fs/cgroup/memory.current", "2000\n");
        assertEquals(3000, SystemMemory.availableBytes(root));
    }

    @Test
    void shouldTellSomethingPlausibleHere() {
        assertTrue(SystemMemory.availableBytes() > 1 << 20);
    }

    private void write(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
