package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.OtherUser;
import io.mhsld.cli.HeadProcesses.Head;
import io.mhsld.cli.HeadProcesses.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What docs/security.md promises of processes: files, working directory, network, other users. */
@Tag("one-java")
@Timeout(120)
@ExtendWith(HeadProcesses.Evidence.class)
class SecurityTest implements HeadProcesses.HoldsHeads {
    private Path folder;
    private HeadProcesses heads;

    @BeforeEach
    void makeFolder() throws IOException {
        // Like /tmp and /dev/shm: everybody may make files in it, and only the owner removes them.
        folder = Files.createTempDirectory(Path.of("/tmp"), "mhsld-security-");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        Files.setAttribute(folder, "unix:mode", 01777);
        heads = new HeadProcesses(folder.resolve("dev").toString());
    }

    @Override
    public HeadProcesses heads() {
        return heads;
    }

    @AfterEach
    void clean() throws IOException {
        heads.close();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    // ---- permissions

    @ParameterizedTest
    @CsvSource({"000,false", "077,false", "000,true", "077,true"})
    void shouldOpenItsFilesToNobodyElseWhateverTheUmask(String umask, boolean group) throws IOException {
        heads.umask = umask;
        List<String> init = new ArrayList<>(List.of("init", heads.name, "--size=64M"));
        if (group) {
            init.add("--group");
        }
        Outcome made = heads.runProcess(init.toArray(String[]::new));
        assertEquals(0, made.exitCode(), made.err());
        Path qmp = folder.resolve("qmp");
        heads.start(0, "--qmp=unix:" + qmp + ",server,nowait").awaitReady();
        Outcome added = heads.run("add", "--head=0", "--offset=0", "--length=4M");
        assertEquals(0, added.exitCode(), added.err());

        String ours = group ? "rw-rw----" : "rw-------";
        Map<String, String> expected = new TreeMap<>();
        for (String file : List.of("dev", "dev.lock", "dev.media", "dev.media.device", "dev.head0.sock")) {
            expected.put(file, ours);
        }
        // An address that somebody has chosen is for him alone.
        expected.put("qmp", "rw-------");
        assertEquals(expected, permissions());

        assertEquals(0, heads.run("fence", "--head=0").exitCode());
        assertEquals(0, heads.run("recover").exitCode());
        assertEquals(0, heads.run("destroy").exitCode());
        // A process that was killed leaves the socket that the next one of that name replaces.
        assertEquals(Set.of("qmp"), permissions().keySet());
    }

    private Map<String, String> permissions() throws IOException {
        Map<String, String> permissions = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                permissions.put(
                        file.getFileName().toString(),
                        PosixFilePermissions.toString(Files.getPosixFilePermissions(file, LinkOption.NOFOLLOW_LINKS)));
            }
        }
        return permissions;
    }

    // ---- working directory and temporary files

    @Test
    void shouldTakeNothingFromTheWorkingDirectoryAndLeaveNothingThere() throws Exception {
        Path hostile = Files.createDirectory(folder.resolve("hostile"));
        String evil = "evil.property=1\n-XX:+EvilFlag\n--evil\n";
        for (String name : List.of(
                "system.properties",
                ".hotspotrc",
                ".hotspot_compiler",
                "@init",
                "init",
                "head",
                "simplelogger.properties",
                "logging.properties",
                "boot.properties",
                ".mhsld.properties",
                "chronicle.properties",
                "libjffi-1.2.so")) {
            Files.writeString(hostile.resolve(name), evil);
        }
        Files.writeString(folder.resolve("system.properties"), evil);
        heads.workingFolder = hostile;

        Outcome made = heads.runProcess("init", heads.name, "--size=64M");
        assertEquals(0, made.exitCode(), made.err());
        Head head = heads.start(0).awaitReady();
        for (String verb : List.of(
                "add NAME --head 0 --offset 0 --length 4M",
                "mem NAME --head 0 crc --dpa 0 --length 4M",
                "cci NAME --head 0 4000",
                "events NAME --head 0",
                "status NAME",
                "map NAME",
                "extents NAME",
                "errors NAME",
                "verify NAME",
                "recover NAME",
                "--help")) {
            Outcome outcome = heads.runProcess(verb.replace("NAME", heads.name).split(" "));
            assertEquals(0, outcome.exitCode(), verb + outcome.err());
            // A JVM remarks on .hotspotrc and does not read it; the launcher keeps it from remarking.
            String said = outcome.out()
                    + outcome.err()
                            .lines()
                            .filter(line -> !line.contains(".hotspot"))
                            .toList();
            assertFalse(said.contains("evil") || said.contains("Evil"), said);
        }
        assertEquals(2, heads.runProcess("@init").exitCode(), "a word, not a file of words");

        String properties = output(
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                        Long.toString(head.process().pid()),
                        "VM.system_properties"),
                folder);
        assertTrue(properties.contains("java.version="), properties);
        assertFalse(properties.contains("evil"), properties);
        assertEquals(0, head.terminate());
        try (Stream<Path> files = Files.list(hostile)) {
            assertEquals(12, files.peek(file -> assertEquals(evil, read(file))).count());
        }
    }

    @Test
    void shouldLeaveNothingInTheTemporaryFolder() throws Exception {
        Path temporary = Files.createDirectory(folder.resolve("tmp"));
        heads.environment.put("JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir=" + temporary);
        heads.umask = "000";
        Head head = heads.startDevice(1)[0];
        Outcome added = heads.runProcess("add", heads.name, "--head=0", "--offset=0", "--length=4M");
        assertEquals(0, added.exitCode(), added.err());
        try (Stream<Path> files = Files.list(temporary)) {
            assertEquals(List.of(), files.toList(), "while it lives");
        }
        head.kill();
        try (Stream<Path> files = Files.list(temporary)) {
            assertEquals(List.of(), files.toList(), "when it was killed");
        }
    }

    // ---- network

    @Test
    void shouldHaveNoSocketOnTheNetworkButTheOneItListensOn() throws IOException {
        Head[] two = heads.startDevice(2);
        for (Head head : two) {
            assertEquals(Set.of(), networkSockets(head.process().pid()));
        }
        heads.run("add", "--head", "0", "--offset", "0", "--length", "4M");
        Head three = heads.start(2, "--qmp=tcp:127.0.0.1:0,server,nowait").awaitReady();
        assertEquals(Set.of("0A"), networkSockets(three.process().pid()), "one that listens, no other");
        for (Head head : two) {
            assertEquals(Set.of(), networkSockets(head.process().pid()));
        }
    }

    @Test
    void shouldHaveNothingOnTheClassPathThatReportsHome() {
        assertFalse(System.getProperty("java.class.path").contains("analytics"));
        assertThrows(ClassNotFoundException.class, () -> Class.forName("net.openhft.chronicle.analytics.Analytics"));
    }

    /** The states of a process's sockets of all kinds but unix. */
    private static Set<String> networkSockets(long pid) throws IOException {
        Set<String> inodes = new HashSet<>();
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/" + pid + "/fd"))) {
            for (Path descriptor : descriptors.toList()) {
                String target = Files.readSymbolicLink(descriptor).toString();
                if (target.startsWith("socket:[")) {
                    inodes.add(target.replaceAll("[^0-9]", ""));
                }
            }
        }
        assertFalse(inodes.isEmpty(), "its control socket");
        Set<String> states = new HashSet<>();
        for (String kind : List.of("tcp", "tcp6", "udp", "udp6", "raw", "raw6", "udplite", "packet", "netlink")) {
            Path table = Path.of("/proc/" + pid + "/net/" + kind);
            if (Files.exists(table)) {
                for (String line : Files.readAllLines(table)) {
                    String[] words = line.trim().split("\\s+");
                    boolean isOurs = Arrays.stream(words).anyMatch(inodes::contains);
                    if (isOurs) {
                        states.add(kind.startsWith("tcp") ? words[3] : kind);
                    }
                }
            }
        }
        return states;
    }

    // ---- other users

    @Test
    void shouldDenyAnotherUserEveryVerb() throws Exception {
        try (OtherUser nobody = OtherUser.nobody()) {
            heads.startDevice(1);
            Map<String, String> before = permissions();
            for (String verb : List.of(
                    "status NAME",
                    "map NAME",
                    "extents NAME",
                    "errors NAME",
                    "verify NAME",
                    "recover NAME",
                    "destroy NAME",
                    "fence NAME --head 0",
                    "init NAME --size 64M",
                    "add NAME --head 0 --offset 0 --length 4M",
                    "mem NAME --head 0 read --dpa 0 --length 1",
                    "head --mhd-head=1 --mhd-state_file=NAME")) {
                OtherUser.Outcome outcome = nobody.runMain(
                        Main.class.getName(), verb.replace("NAME", heads.name).split(" "));
                assertEquals(ExitCode.STATE_FILE_UNUSABLE.number(), outcome.exitCode(), verb + outcome.err());
                assertTrue(
                        outcome.err().contains("no permission") || outcome.err().contains("belongs to another user"),
                        verb + outcome.err());
            }
            assertEquals(before, permissions());
            OtherUser.Outcome connect =
                    nobody.runMain(OtherUser.Connect.class.getName(), "unix:" + heads.files.controlSocket(0));
            assertEquals("refused: Permission denied", connect.out().strip());
            assertTrue(heads.inspect().isSound());
        }
    }

    @Test
    void shouldNotRelyOnWhatAnotherUserHasPlanted() throws Exception {
        try (OtherUser user = OtherUser.withGroups(4_321, "")) {
            String init = "init NAME --size 64M";
            // His device, open to all, where ours was to be.
            assertEquals(0, heads.runProcess("init", heads.name, "--size=64M").exitCode());
            for (Path file : List.of(
                    heads.files.stateFile(),
                    heads.files.mediaFile(),
                    heads.files.lockFile(),
                    folder.resolve("dev.media.device"))) {
                Files.setAttribute(file, "unix:uid", OtherUser.NOBODY);
                Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
            }
            for (String verb : List.of(
                    "status NAME", "recover NAME", "head --mhd-head=0 --mhd-state_file=NAME", "fence NAME --head 0")) {
                assertDenied(user, verb, "state file belongs to another user, who does not share it");
            }
            assertDenied(user, init, "lock file belongs to another user, who does not share it");

            // What is made before the device is.
            for (String name : List.of("dev.lock", "dev.new", ".dev.media.new", "dev.media.device.new", "dev")) {
                clearFolder();
                Path planted = Files.writeString(folder.resolve(name), "planted");
                Files.setAttribute(planted, "unix:uid", OtherUser.NOBODY);
                Files.setPosixFilePermissions(planted, PosixFilePermissions.fromString("rw-rw-rw-"));
                assertDenied(user, init, "");
                assertEquals("planted", Files.readString(planted), name);
                assertEquals(Set.of(name), permissions().keySet());
            }
            clearFolder();
        }
    }

    private void assertDenied(OtherUser user, String verb, String why) throws Exception {
        OtherUser.Outcome outcome = user.runMain(
                Main.class.getName(), verb.replace("NAME", heads.name).split(" "));
        assertEquals(ExitCode.STATE_FILE_UNUSABLE.number(), outcome.exitCode(), verb + ": " + outcome.err());
        assertTrue(outcome.err().startsWith("mhsld: " + why), verb + ": " + outcome.err());
        assertFalse(outcome.err().contains("internal error"), outcome.err());
    }

    @Test
    void shouldShareADeviceWithTheMembersOfItsGroup() throws Exception {
        int group = 54_321;
        try (OtherUser member = OtherUser.withGroups(4_321, Integer.toString(group));
                OtherUser stranger = OtherUser.withGroups(4_322, Integer.toString(group + 1))) {
            assertEquals(
                    0,
                    heads.runProcess("init", heads.name, "--size=64M", "--group")
                            .exitCode());
            for (String file : List.of("dev", "dev.lock", "dev.media", "dev.media.device")) {
                Files.setAttribute(folder.resolve(file), "unix:gid", group);
            }
            heads.start(0).awaitReady();
            assertEquals(group, Files.getAttribute(heads.files.controlSocket(0), "unix:gid"));
            String[] add = ("add " + heads.name + " --head 0 --offset 0 --length 4M").split(" ");
            OtherUser.Outcome denied = stranger.runMain(Main.class.getName(), add);
            assertEquals(ExitCode.STATE_FILE_UNUSABLE.number(), denied.exitCode(), denied.err());
            OtherUser.Outcome added = member.runMain(Main.class.getName(), add);
            assertEquals(0, added.exitCode(), added.err());
            OtherUser.Outcome verified = member.runMain(Main.class.getName(), "verify", heads.name);
            assertEquals(0, verified.exitCode(), verified.out() + verified.err());
        }
    }

    // ---- parts

    private void clearFolder() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static String output(List<String> command, Path folder) throws Exception {
        Path out = folder.resolve("output");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        assertTrue(process.waitFor(30, TimeUnit.SECONDS));
        return Files.readString(out);
    }
}
