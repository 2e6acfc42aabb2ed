package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cli.HeadProcesses.Head;
import io.mhsld.cli.HeadProcesses.Outcome;
import io.mhsld.head.RegionSettings;
import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpJson;
import io.mhsld.register.Cdat;
import io.mhsld.socket.LocalAddress;
import io.mhsld.state.StateFile;
import io.mhsld.type3.DcRegion;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Unmodified Linux guests on heads: what their drivers see, and what two of them can do to each other. {@code scripts/guest test} runs it. */
@Tag("guest")
@EnabledIfEnvironmentVariable(
        named = "MHSLD_GUEST_TESTS",
        matches = "run",
        disabledReason = "boots virtual machines: scripts/guest test")
@Timeout(300)
@ExtendWith(HeadProcesses.Evidence.class)
class GuestTest implements HeadProcesses.HoldsHeads {
    private static final long SERIAL = 0xc0ffee;
    private static final String NOTHING = "0xFFFFFFFFFFFFFFFF";
    private static final String GONE = "the function does not answer: its head is gone:";
    private static final String KERNELS_CDAT = "hexdump -v -e '1/1 \"%02x\"' /sys/bus/cxl/devices/endpoint*/CDAT";

    /** A command of {@code dcd} takes a second or two, and a busy machine more. Without an end to its patience it takes minutes. */
    private static final long NOTICE_NS = TimeUnit.SECONDS.toNanos(45);

    @TempDir
    Path folder;

    private final HeadProcesses heads = new HeadProcesses();
    private final List<Guest> guests = new ArrayList<>();

    @Override
    public HeadProcesses heads() {
        return heads;
    }

    @AfterEach
    void endAll() {
        guests.forEach(Guest::close);
        heads.close();
    }

    private Path socket(int head) {
        return folder.resolve("head" + head + ".vfio");
    }

    private Head startForGuest(int head, String... options) {
        List<String> all = new ArrayList<>(List.of("--vfio-user=unix:" + socket(head), "--data-bar"));
        all.addAll(List.of(options));
        return heads.start(head, all.toArray(String[]::new));
    }

    private Guest guestOn(int head) {
        Guest guest = Guest.onHead(socket(head), folder, "guest" + head + "-" + guests.size());
        guests.add(guest);
        return guest;
    }

    private Outcome must(Outcome outcome) {
        assertEquals(0, outcome.exitCode(), outcome.out() + outcome.err());
        return outcome;
    }

    private Outcome add(int head, String offset, String length) {
        return heads.run("add", "--head=" + head, "--offset=" + offset, "--length=" + length);
    }

    /** All objects anywhere in a JSON value that have a member of this name. */
    private static List<Map<?, ?>> having(String member, Object value) {
        List<Map<?, ?>> found = new ArrayList<>();
        if (value instanceof Map<?, ?> map) {
            if (map.containsKey(member)) {
                found.add(map);
            }
            map.values().forEach(inner -> found.addAll(having(member, inner)));
        } else if (value instanceof Collection<?> list) {
            list.forEach(inner -> found.addAll(having(member, inner)));
        }
        return found;
    }

    /** Warnings and worse of the CXL stack and of PCI Express below it, without what differs from boot to boot. */
    private static Set<String> complaints(Guest guest) {
        Pattern ofTheStack = Pattern.compile("(?i)cxl|doe|dvsec|cdat|aer|pcieport|0000:0[cd]:");
        return guest.run("dmesg -r")
                .lines()
                .filter(line -> (Integer.parseInt(line.substring(1, line.indexOf('>'))) & 7) <= 4)
                .filter(line -> ofTheStack.matcher(line).find())
                .map(line -> line.replaceFirst("^<[0-9]+>\\[ *[0-9.]+\\] ", "")
                        .replaceAll("0x[0-9a-f]+", "0x")
                        .replaceAll("\\b[0-9a-f]{8,16}\\b", "N"))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void shouldDriveTheDynamicCapacityOfQemusOwnDeviceToo() {
        // The tool for the guest is not made for our device: it holds to the registers.
        Guest guest = Guest.onQemusOwn(folder, "type3");
        guests.add(guest);
        assertTrue(guest.run("dcd config").contains("region=1 dpa=0x10000000 length=0x10000000 "));
        try (QmpClient client = guest.qmp()) {
            order(client, "cxl-add-dynamic-capacity", "selection-policy", List.of(extent(0, 8), extent(16, 4)));
            order(client, "cxl-add-dynamic-capacity", "selection-policy", List.of(extent(64, 2)));
            assertTrue(guest.run("dcd events").contains("handle=2 type=add extent=0x1000000+0x400000 more=0"));
            assertEquals(
                    "accepted: extent=0x0+0x800000\naccepted: extent=0x1000000+0x400000\naccepted: extent=0x4000000+0x200000",
                    guest.run("dcd accept"));
            order(client, "cxl-release-dynamic-capacity", "removal-policy", List.of(extent(0, 4)));
            order(client, "cxl-add-dynamic-capacity", "selection-policy", List.of(extent(128, 2)));
            assertEquals("rejected: extent=0x8000000+0x200000", guest.run("dcd reject"));
            assertEquals("released: extent=0x0+0x400000", guest.run("dcd release"));
            assertEquals("released: extent=0x4000000+0x200000", guest.run("dcd --alone release 64M 2M"));
        }
        assertTrue(guest.run("dcd extents").contains("extents=2"));
        assertEquals(1, guest.tryRun("dcd release 64M 2M").status());
        assertEquals(3, guest.tryRun("dcd read 0").status(), "has no data BAR");
        assertEquals(0, guest.shutDown());
    }

    private static Map<String, Long> extent(long offsetMib, long lengthMib) {
        return Map.of("offset", offsetMib << 20, "len", lengthMib << 20);
    }

    private static void order(QmpClient client, String command, String policy, List<Map<String, Long>> extents) {
        assertTrue(client.execute(
                        command,
                        Map.of(
                                "path",
                                "/machine/peripheral/cxl0",
                                "host-id",
                                0,
                                policy,
                                "prescriptive",
                                "region",
                                0,
                                "extents",
                                extents))
                .error()
                .isEmpty());
    }

    @Test
    void shouldBeBoundByTheStockDriverAndShowWhatItIs() {
        Guest qemus = Guest.onQemusOwn(folder, "type3");
        guests.add(qemus);
        startForGuest(0, "--mhd-init", "--size=64M", "--sn=" + SERIAL).awaitReady();
        Guest guest = guestOn(0);

        Object listed = QmpJson.parse(guest.run("cxl list -vvv"));
        Map<?, ?> memory = having("memdev", listed).stream()
                .filter(object -> object.containsKey("serial"))
                .findFirst()
                .orElseThrow();
        assertEquals(SERIAL, ((Number) memory.get("serial")).longValue());
        String identity = heads.run("cci", "--head=0", "identify-memory-device").out();
        assertTrue(identity.contains("firmwareRevision: " + memory.get("firmware_version") + "\n"), identity);
        assertEquals(
                0, ((Number) having("total_size", listed).get(0).get("total_size")).longValue(), "no static capacity");
        List<?> decoders = (List<?>) having("decoders:endpoint2", listed).get(0).get("decoders:endpoint2");
        assertEquals(4, decoders.size());
        assertTrue(guest.run("dcd where").contains("driver=cxl_pci"));
        assertTrue(guest.run("dcd config").contains("region=0 dpa=0x0 length=0x4000000 "));

        Set<String> more = complaints(guest);
        more.removeAll(complaints(qemus));
        assertEquals(Set.of(), more, "QEMU's own device has no such line");
        assertEquals(0, guest.shutDown());
    }

    @Test
    void shouldHaveItsRegistersAndTablesSeenFromInside() {
        startForGuest(0, "--mhd-init", "--size=64M", "--num-dc-regions=2", "--shareable=1", "--sn=" + SERIAL)
                .awaitReady();
        Guest guest = guestOn(0);
        String cdat = cdat();
        String table = GuestRegisters.table(SERIAL, 512L << 20);
        assertTrue(table.lines().count() > 100, table);
        guest.awaitReady();
        guest.await(KERNELS_CDAT, cdat);
        guest.run("echo 0000:0d:00.0 >/sys/bus/pci/drivers/cxl_pci/unbind");
        assertEquals(cdat, guest.run("/guest-doe cdat").replace("\n", ""));
        assertAborts(guest);

        Guest.Outcome outcome = guest.tryRun("/guest-registers <<'END'\n" + table + "END");

        assertEquals(0, outcome.status(), outcome.out());
        assertTrue(outcome.out().contains("wrong=0 left-out=0"), outcome.out());
        // Nothing of that has hurt it.
        guest.run("echo 0000:0d:00.0 >/sys/bus/pci/drivers/cxl_pci/bind");
        assertTrue(guest.run("dcd where").contains("driver=cxl_pci"));
        guest.await(KERNELS_CDAT, cdat);
        assertEquals(0, guest.shutDown());
    }

    /** The table that the device has for these regions, as the digits of its bytes. */
    private String cdat() {
        try (StateFile state = StateFile.open(heads.files.stateFile(), StateFile.Access.READ_ONLY, 0)) {
            List<DcRegion> regions = state.geometry().regions().stream()
                    .map(region -> RegionSettings.current(state, region.id()))
                    .toList();
            return HexFormat.of().formatHex(new Cdat(regions).bytes());
        }
    }

    /** Aborts an exchange at each point at which it can be: after that the mailbox is idle, and knows nothing of what was before. */
    private static void assertAborts(Guest guest) {
        String request = "00000001 00000003 00000000 go"; // discovery, of the first kind of objects
        String whole = " status " + request + " answer status";
        String idleThenAnswered = "00000000\n00000001\n00000003\n01000001\n00000000";
        assertEquals(idleThenAnswered, guest.run("/guest-doe 00000001 00000003 abort" + whole), "half a request");
        assertEquals(
                "00000001\n" + idleThenAnswered,
                guest.run("/guest-doe " + request + " read abort" + whole),
                "half an answer");
        assertEquals(
                "00000004\n00000004\n" + idleThenAnswered,
                guest.run("/guest-doe 00ff1234 00000003 00000000 go status " + request + " status abort" + whole),
                "an error");
    }

    @Test
    void shouldBringEventsToTheGuestsDriverByInterrupt() {
        startForGuest(0, "--mhd-init", "--size=64M").awaitReady();
        Guest guest = guestOn(0);
        guest.run("echo 1 >/sys/kernel/tracing/events/cxl/enable");

        List<String> logs = List.of("informational", "warning", "failure", "fatal");
        for (String log : logs) {
            injectGeneralMediaEvent(log, 0x1000 * (logs.indexOf(log) + 1));
        }
        for (String log : logs) {
            String named = log.substring(0, 1).toUpperCase(Locale.ROOT) + log.substring(1);
            String trace = guest.await("grep log=" + named + " /sys/kernel/tracing/trace", "cxl_general_media");
            assertTrue(trace.contains("dpa=" + (logs.indexOf(log) + 1) + "000"), trace);
            // The driver has cleared it: the log of the device is empty again.
            HeadProcesses.await(
                    "the event to be cleared",
                    () -> heads.run("events", "--head=0", "--log=" + log).out().contains("unread=0"));
        }
        assertEquals("4", guest.run(interruptedVectors("[2-5]")));

        // Its driver asks for the mailbox's interrupt when it binds; it has run commands since.
        guest.run("echo 1 >/sys/bus/cxl/devices/mem0/security/sanitize");
        guest.await(interruptedVectors("7"), "1");
        guest.await("cat /sys/bus/cxl/devices/mem0/security/state", "disabled");
        assertEquals(0, guest.shutDown());
    }

    private void injectGeneralMediaEvent(String log, int dpa) {
        Map<String, Object> event = new LinkedHashMap<>(Map.of("path", "cxl-mem0", "log", log, "flags", 1, "dpa", dpa));
        event.putAll(Map.of("descriptor", 3, "type", 3, "transaction-type", 1, "sub-type", 0));
        try (QmpClient client = QmpClient.connect(LocalAddress.unix(heads.files.controlSocket(0)), 5_000)) {
            assertEquals(
                    Optional.empty(),
                    client.execute("cxl-inject-general-media-event", event).error());
        }
    }

    /** How many of these vectors have interrupted the one processor. */
    private static String interruptedVectors(String pattern) {
        return "awk '/PCI-MSIX.* " + pattern + "-edge/ && $2 > 0 { count++ } END { print 0 + count }' /proc/interrupts";
    }

    @Test
    void shouldShareTheDeviceBetweenTwoGuestsAndAHeadWithout() {
        startForGuest(0, "--mhd-init", "--size=64M").awaitReady();
        startForGuest(1).awaitReady();
        heads.start(2).awaitReady();
        Guest a = guestOn(0);
        Guest b = guestOn(1);
        a.awaitReady();
        b.awaitReady();

        must(add(0, "0", "8M"));
        assertEquals(NOTHING, a.run("dcd read 0"), "offered is not accepted");
        assertTrue(a.run("dcd accept").contains("accepted: extent=0x0+0x800000"));
        assertTrue(a.run("dcd extents").contains("extents=1"));
        assertRefused(add(1, "4M", "8M"));

        a.run("dcd write 4M 0x1122334455667788 && dcd write 8388607 0x5a 8");
        assertEquals("0x1122334455667788", a.run("dcd read 4M"));
        assertEquals("0x5A", a.run("dcd read 8388607 8"));
        assertEquals("0x55667788", a.run("dcd read 4M 32"));
        assertEquals(NOTHING, b.run("dcd read 4M"), "reads nothing");
        b.run("dcd write 4M 0");
        assertEquals("0x1122334455667788", a.run("dcd read 4M"), "nobody else's store came through");
        assertRefused(heads.run("mem", "--head=2", "read", "--dpa=4M", "--length=8"));
        assertRefused(heads.run("mem", "--head=1", "read", "--dpa=4M", "--length=8"));
        assertTrue(a.tryRun("dcd release 16M 2M").out().contains("refused"));
        for (String wrong : List.of(
                "read abc",
                "read 08",
                "read 0x",
                "read k",
                "read 0 64 1",
                "write 0 abc",
                "write 0 0x",
                "release 0",
                "release 0 x",
                "release 0 8M 0",
                "command xyz",
                "command 0100 0",
                "command 0100 zz")) {
            assertEquals(2, a.tryRun("dcd " + wrong).status(), wrong);
        }

        a.run("dcd release 0 4M");
        assertEquals(NOTHING, a.run("dcd read 0"), "released is gone from view");
        assertEquals("0x1122334455667788", a.run("dcd read 4M"));
        must(add(1, "0", "2M"));
        assertTrue(b.run("dcd accept").contains("accepted: extent=0x0+0x200000"));
        assertEquals("0x0000000000000000", b.run("dcd read 0"));
        must(heads.run("verify"));
        assertEquals(0, a.shutDown());
        assertEquals(0, b.shutDown());
    }

    @Test
    void shouldLetTheOtherGuestHaveWhatADeadOneHeld() {
        Head head = startForGuest(0, "--mhd-init", "--size=64M").awaitReady();
        Head other = startForGuest(1).awaitReady();
        heads.start(2).awaitReady();
        Guest a = guestOn(0);
        Guest b = guestOn(1);
        a.awaitReady();
        b.awaitReady();
        must(add(0, "0", "4M"));
        a.run("dcd accept && dcd write 0x1000 0x1122334455667788");

        a.killQemu();
        // The virtual machine was the host's body; what holds the capacity is the head.
        assertRefused(add(1, "0", "4M"));
        assertRefused(add(2, "0", "4M"));
        assertTrue(b.run("dcd extents").contains("extents=0"));

        head.kill();
        must(add(1, "0", "4M"));
        assertTrue(b.run("dcd accept").contains("accepted: extent=0x0+0x400000"));
        assertEquals("0x0000000000000000", b.run("dcd read 0x1000"), "scrubbed");
        must(heads.run("verify"));
        // Who comes back as head 0 has nothing, and its guest sees nothing.
        startForGuest(0).awaitReady();
        Guest again = guestOn(0);
        assertTrue(again.run("dcd extents").contains("extents=0"));
        assertEquals(NOTHING, again.run("dcd read 0x1000"));
        must(heads.run("verify"));

        assertDoesNotWaitForAMailboxForEver(b);
        assertNoticesThatItsHeadIsGone(b, other);
        assertEquals(0, b.shutDown());
    }

    /**
     * No mailbox of ours keeps its doorbell. So {@code dcd} is shown a function whose device registers are said to be in the data BAR: what has been
     * written there stays, which is what a mailbox that does nothing is like, and what the host does not have reads as ones.
     */
    private static void assertDoesNotWaitForAMailboxForEver(Guest guest) {
        // The array of capabilities with one entry: the mailbox, 80h behind it, whose payload has 2 KiB.
        guest.run("dcd write 1M 0x0000000100010000; dcd write 0x100010 0x0000008000010002; dcd write 0x100080 11");
        assertDoesNotAnswer(
                "the mailbox does not answer: its doorbell stays set: waitedSeconds=2",
                guest,
                withDeviceRegistersAt("0x100000", "dcd extents"));
        assertDoesNotAnswer(GONE, guest, withDeviceRegistersAt("0x800000", "dcd extents"));
        // The array is there, and the mailbox is not.
        guest.run("dcd write 0x100010 0x0070000000010002");
        assertDoesNotAnswer(GONE, guest, withDeviceRegistersAt("0x100000", "dcd extents"));
        assertTrue(guest.run("dcd extents").contains("extents=1"), "the function itself is well");
    }

    private static String withDeviceRegistersAt(String offset, String command) {
        return """
                real=/sys/bus/pci/devices/0000:0d:00.0 shown=/tmp/shown/0000:0d:00.0
                mkdir -p $shown && cp $real/config $real/class $shown/
                data=$(sed -n '5s/ .*//p' $real/resource)
                sed "3s/^0x[0-9a-f]*/$(printf 0x%%016x $((data + %s)))/" $real/resource >$shown/resource
                mount --bind /tmp/shown /sys/bus/pci/devices
                %s
                status=$?
                umount /sys/bus/pci/devices
                exit $status""".formatted(offset, command);
    }

    private static void assertNoticesThatItsHeadIsGone(Guest guest, Head head) {
        guest.run("(while dcd extents; do :; done; echo ended) >/tmp/loop 2>&1 &");
        guest.await("cat /tmp/loop", "extents=1");
        head.kill();
        long startNs = System.nanoTime();
        String said = guest.await("cat /tmp/loop", "ended");
        assertTrue(System.nanoTime() - startNs < NOTICE_NS, said);
        assertTrue(said.contains("dcd: " + GONE + " function="), said);
        for (String verb : List.of(
                "config",
                "extents",
                "accept",
                "release 0 2M",
                "read 0",
                "write 0 1",
                "command 0001",
                "--alone events")) {
            assertDoesNotAnswer(GONE, guest, "dcd " + verb);
        }
    }

    private static void assertDoesNotAnswer(String words, Guest guest, String command) {
        long startNs = System.nanoTime();
        Guest.Outcome outcome = guest.tryRun(command);
        assertEquals("dcd: " + words + " function=0000:0d:00.0", outcome.out(), command);
        assertEquals(3, outcome.status(), command);
        assertTrue(System.nanoTime() - startNs < NOTICE_NS, command);
    }

    private static void assertRefused(Outcome outcome) {
        assertEquals(ExitCode.REFUSED.number(), outcome.exitCode(), outcome.out() + outcome.err());
        assertFalse(outcome.err().isEmpty());
    }
}
