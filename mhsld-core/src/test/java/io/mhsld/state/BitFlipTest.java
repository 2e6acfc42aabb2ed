package io.mhsld.state;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.state.StateFileDescriptor.Section;
import io.mhsld.state.StateFileException.Problem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import org.agrona.concurrent.errors.DistinctErrorLog;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every bit of a small state file is flipped, one at a time, and the inspector looks. {@link #fields} says for every field which of its bits are
 * told, under which invariant, and why the others cannot be: a bit that is told and should not be is a failure just as one that is missed.
 */
@Tag("one-java")
@Timeout(300)
class BitFlipTest {
    private static final long MIB = 1L << 20;

    /** Two regions of 21 blocks, one byte for each lane: the map ends in the middle of a word. */
    private static final Geometry GEOMETRY =
            Geometry.of(3, 2 * 42 * MIB, 2, 2 * MIB).withShareable(Set.of(1));

    private static final UUID TAG = new UUID(0x0123_4567_89AB_CDEFL, 0x1122_3344_5566_7788L);
    private static final long REGION_1 = GEOMETRY.regions().get(1).baseDpa();

    private static final UUID SHARED = new UUID(0x5AA5_5AA5_0FF0_0FF0L, 0x0123_3210_4567_7654L);

    /** Serves, alive: two accepted extents, of which one is shared, and two offered in one group. */
    private static final int LIVE = 0;

    /** Nobody is it; it was somebody once. */
    private static final int NOBODY = 1;

    /** Died, with one extent of its own, and one that it shares with the live one. */
    private static final int DEAD = 2;

    @TempDir
    Path folder;

    private StateFile state;
    private MappedByteBuffer bytes;

    @BeforeEach
    void makeDevice() throws IOException {
        Path file = folder.resolve("device");
        StateFile.create(
                file,
                folder.resolve("device.new"),
                GEOMETRY,
                new StateFile.Identity(TAG, 0, 0, false, "/media"),
                PosixFilePermissions.fromString("rw-------"));
        state = StateFile.open(file, StateFile.Access.READ_WRITE, 0);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            bytes = channel.map(FileChannel.MapMode.READ_WRITE, 0, channel.size());
        }
        bytes.order(ByteOrder.LITTLE_ENDIAN);
        fill();
        assertEquals(List.of(), inspect());
    }

    @AfterEach
    void close() {
        state.close();
    }

    private void fill() {
        hold(LIVE, 7, List.of(entry(0, 4, 0), shared(), entry(20 * MIB, 2, 5), entry(30 * MIB, 1, 5)));
        state.heads().serveRelease(LIVE, "/dev/shm/device.head0.sock");
        set(LIVE, Counter.ADDS, 5, Counter.ADDS_REFUSED, 3, Counter.CLAIM_CONFLICTS, 2, Counter.BYTES_READ, 4096);
        DistinctErrorLog log = new DistinctErrorLog(state.errorLog(LIVE), () -> 1_700_000_000_000L);
        for (Exception error : List.of(new IllegalStateException("first"), new IllegalArgumentException("second"))) {
            error.setStackTrace(Arrays.copyOf(error.getStackTrace(), 2)); // the whole of it has no room
            assertTrue(log.record(error));
        }

        hold(NOBODY, 3, List.of(entry(10 * MIB, 1, 0)));
        set(NOBODY, Counter.BLOCKS_RELEASED, 1, Counter.EXTENTS_HELD, 0, Counter.BLOCKS_OWNED, 0, Counter.ADDS, 1);
        state.ownerMap().clear(NOBODY, 5, 1);
        state.extents(NOBODY).writeSeqlock(List.of(), 4);
        state.heads().freeRelease(NOBODY);

        hold(DEAD, 1, List.of(entry(40 * MIB, 1, 0), shared()));
        state.heads().serveRelease(DEAD, "/dev/shm/device.head2.sock");
        set(DEAD, Counter.ADDS, 2);
        fillTables();
    }

    private void fillTables() {
        TagTable tags = state.tags();
        tags.beginChange();
        tags.fillPlain(0, SHARED, 1, List.of(new TagTable.Range(REGION_1, 6 * MIB)));
        tags.addHolder(0, LIVE);
        tags.addHolder(0, DEAD);
        tags.publish(0, false);
        // Nobody has it, and the fabric manager keeps it.
        tags.fillPlain(
                1,
                TAG,
                1,
                List.of(
                        new TagTable.Range(REGION_1 + 20 * MIB, 2 * MIB),
                        new TagTable.Range(REGION_1 + 10 * MIB, 4 * MIB)));
        tags.publish(1, true);
        // It was something once.
        tags.fillPlain(2, TAG, 1, List.of(new TagTable.Range(REGION_1, 6 * MIB)));
        tags.publish(2, true);
        tags.free(2);
        tags.endChange();
        List<PoisonTable.Run> poison = List.of(new PoisonTable.Run(128, 64, 3), new PoisonTable.Run(REGION_1, 4096, 2));
        state.poison().writeRelease(poison.subList(0, 1), List.of(), true, 1);
        state.poison().writeRelease(poison, List.of(new PoisonTable.Run(8192, 192, 1)), true, 7);
    }

    private static ExtentTable.Entry shared() {
        return new ExtentTable.Entry(REGION_1, 6 * MIB, SHARED, 1, 0);
    }

    private void hold(int head, int generation, List<ExtentTable.Entry> entries) {
        state.heads().nextIncarnationRelease(head);
        state.heads().startRelease(head, 4711, 123_456, 1_700_000_000_000L);
        state.heads().beginOperationRelease(head);
        long accepted = 0;
        long owned = 0;
        for (ExtentTable.Entry entry : entries) {
            long blocks = entry.lengthBytes() / (2 * MIB);
            long first = GEOMETRY.blockOfDpa(entry.startDpa());
            if (entry.sharedSequence() > 0) {
                assertEquals(blocks, state.ownerMap().share(head, first, blocks));
            } else {
                assertEquals(OwnerMap.CLAIMED, state.ownerMap().claim(head, first, blocks));
            }
            owned += blocks;
            accepted += entry.isPending() ? 0 : blocks;
        }
        state.extents(head).writeSeqlock(entries, generation);
        set(
                head,
                Counter.BLOCKS_OWNED,
                owned,
                Counter.EXTENTS_HELD,
                (long) entries.size(),
                Counter.BLOCKS_ACCEPTED,
                accepted);
        state.heads().endOperationRelease(head);
    }

    private void set(int head, Object... counters) {
        for (int i = 0; i < counters.length; i += 2) {
            state.counters(head).setRelease((Counter) counters[i], ((Number) counters[i + 1]).longValue());
        }
    }

    private static ExtentTable.Entry entry(long dpa, long blocks, long group) {
        return new ExtentTable.Entry(dpa, blocks * 2 * MIB, TAG, 0, group);
    }

    private List<Finding> inspect() {
        return Inspector.inspect(state, head -> head == LIVE).findings();
    }

    // ---- the table

    /**
     * A field, and what is told of each of its bits.
     *
     * @param told under which invariant a flip of that bit is told, "" for one that cannot be told
     */
    private record Field(String name, long offset, int lengthBytes, int step, IntFunction<String> told) {
        Field(String name, long offset, int lengthBytes, IntFunction<String> told) {
            this(name, offset, lengthBytes, 1, told);
        }
    }

    /** Long stretches of what means nothing yet: some bits of them. */
    private static Field unused(String name, long offset, int lengthBytes) {
        return new Field(name, offset, lengthBytes, 61, bit -> UNTOLD);
    }

    private static Field field(String name, long offset, int lengthBytes, String always) {
        return new Field(name, offset, lengthBytes, bit -> always);
    }

    private static Field field(String name, long offset, int lengthBytes, String invariant, IntPredicate isTold) {
        return new Field(name, offset, lengthBytes, bit -> isTold.test(bit) ? invariant : "");
    }

    private static final String UNTOLD = "";

    private List<Field> fields() {
        List<Field> fields = new ArrayList<>();
        fields.add(field("reserved end of header", 1536, 2560, "I7"));
        for (int head : new int[] {LIVE, NOBODY, DEAD}) {
            addRow(fields, head);
            addTable(fields, head);
            addCounters(fields, head);
            addErrorLog(fields, head);
        }
        addTags(fields);
        addRegionsAndPoison(fields);
        long map = Section.OWNER_MAP.offset(GEOMETRY);
        // Who gets a bit beside its own has it in no extent, or it is no head; who loses one has an extent too many.
        fields.add(new Field("lanes", map, 42, bit -> bit % 8 < 3 ? "I2" : "I1"));
        fields.add(field("lanes beyond the last block", map + 42, 6, "I1"));
        for (Section section : Section.values()) {
            long end = section.offset(GEOMETRY) + section.lengthBytes(GEOMETRY);
            fields.add(field("end of " + section, end, (int) (Geometry.roundUp(end, 4096) - end), "I7"));
        }
        return fields;
    }

    private void addRow(List<Field> fields, int head) {
        long row = Section.HEAD_TABLE.offset(GEOMETRY) + head * 256L;
        String name = "row of head " + head + ": ";
        boolean free = head == NOBODY;
        // Any number below 2^48 is as good as another, but in another one than it says in the tag's row a head holds no
        // tag.
        fields.add(new Field(name + "incarnation", row, 8, bit -> bit >= 48 ? "I6" : head == NOBODY ? UNTOLD : "I2"));
        // The lowest bit says that an operation is under way: so it may be, but for a head that nobody is.
        fields.add(field(name + "operation", row + 8, 8, "I6", bit -> bit >= 48 || (bit == 0 && free)));
        // From free (0): starting (1), serving (2) without a process; from serving: reaping (3), which may be, and free
        // (0), with a process.
        fields.add(field(name + "state", row + 16, 4, "I6", bit -> free ? true : bit != 0));
        fields.add(field(name + "reserved", row + 20, 4, "I7"));
        fields.add(field(name + "process id", row + 24, 8, "I6", bit -> free || bit >= 22));
        fields.add(field(name + "process start", row + 32, 8, "I6", bit -> free || bit >= 42));
        fields.add(field(name + "attached", row + 40, 8, "I6", bit -> bit >= 48));
        // 26 bytes; a shorter path does not end as it must, a longer one (up to 124) ends in NULs.
        fields.add(field(name + "socket length", row + 48, 4, "I6"));
        // Only its first byte and its end are known.
        String socket = "/dev/shm/device.head0.sock";
        fields.add(field(name + "socket", row + 52, socket.length(), "I6", bit -> {
            int at = bit / 8;
            char flipped = (char) (socket.charAt(at) ^ (1 << (bit % 8)));
            boolean isEnd = at == 0 || at >= socket.indexOf(".head0");
            return !free && (isEnd || flipped >= 0x80 || Character.isISOControl(flipped));
        }));
        fields.add(field(name + "socket, unused", row + 52 + 26, 124 - 26, UNTOLD));
        fields.add(field(name + "reserved", row + 176, 80, "I7"));
    }

    private void addTable(List<Field> fields, int head) {
        long table = Section.EXTENT_TABLES.offset(GEOMETRY) + head * 36_864L;
        String name = "extents of head " + head + ": ";
        int used = head == LIVE ? 4 : head == DEAD ? 2 : 0;
        fields.add(field(name + "sequence", table, 8, "I2", bit -> bit == 0 || bit >= 48));
        // What is beyond the count is no extent, or an old one that is not owned any more.
        fields.add(field(name + "count", table + 8, 4, "I2"));
        // Some number or other, but not none when something has been accepted.
        fields.add(field(name + "generation", table + 12, 4, "I2", bit -> head == DEAD && bit == 0));
        fields.add(field(name + "reserved", table + 16, 48, "I7"));
        for (int i = 0; i < 512; i++) {
            long entry = table + 64 + i * 64L;
            String at = name + "entry " + i + " ";
            boolean pending = head == LIVE && i >= 2;
            if (i < used) {
                fields.add(field(at + "dpa", entry, 8, "I2"));
                fields.add(field(at + "length", entry + 8, 8, "I2"));
                // A tag is any number, but one group has one.
                // Shared capacity is known by its tag.
                boolean isShared = i == 1;
                fields.add(field(at + "tag", entry + 16, 16, pending || isShared ? "I2" : UNTOLD));
                // Of another group: later than what follows, or than any that was offered, or pending and counted as
                // accepted.
                int index = i;
                fields.add(new Field(at + "group", entry + 32, 8, bit -> toldOfGroup(head, index, bit)));
                fields.add(field(at + "shared sequence", entry + 40, 4, "I2"));
            } else {
                fields.add(field(at + "unused", entry, 44, UNTOLD));
            }
            fields.add(field(at + "reserved", entry + 44, 20, "I7"));
        }
        fields.add(field(name + "reserved end", table + 64 + 512 * 64, 4032, "I7"));
    }

    private void addTags(List<Field> fields) {
        long table = Section.TAG_TABLE.offset(GEOMETRY);
        fields.add(field("tags: sequence", table, 8, "I2", bit -> bit >= 48));
        fields.add(field("tags: reserved", table + 8, 56, "I7"));
        for (int i = 0; i < 128; i++) {
            long row = table + 64 + i * 8768L;
            String name = "tag row " + i + ": ";
            boolean shared = i == 0;
            boolean kept = i == 1;
            boolean used = shared || kept;
            // Kept by the fabric manager too: so it may be. Of a row that is nothing, any epoch will do.
            fields.add(field(name + "life", row, 8, "I2", bit -> used ? !(shared && bit == 2) : bit < 16));
            // Who is made a holder had another incarnation, or none: it is one that has gone.
            fields.add(
                    field(name + "holders", row + 8, 8, "I2", bit -> used && (bit > 2 || (shared && bit != NOBODY))));
            fields.add(field(name + "tag, region, count, checksum", row + 16, 28, used ? "I2" : UNTOLD));
            fields.add(field(name + "reserved", row + 44, 20, "I7"));
            fields.add(field(name + "incarnations", row + 64, 24, "I2", bit -> shared && bit / 64 != NOBODY));
            fields.add(unused(name + "incarnations of no head", row + 88, 488));
            int extents = shared ? 1 : kept ? 2 : 0;
            fields.add(field(name + "extents", row + 576, extents * 16, "I2"));
            fields.add(unused(name + "no extents", row + 576L + extents * 16L, (512 - extents) * 16));
        }
    }

    private void addRegionsAndPoison(List<Field> fields) {
        for (int region = 0; region < 2; region++) {
            long row = Section.REGION_SETTINGS.offset(GEOMETRY) + region * 64L;
            // 42 MiB have no larger block size than 2 MiB, which may be proposed; sanitize and generation are any.
            fields.add(field("region settings", row, 8, "I7", bit -> bit < 32 && bit != 8 && bit != 16));
            fields.add(field("region settings: reserved", row + 8, 56, "I7"));
        }
        long table = Section.POISON_TABLE.offset(GEOMETRY);
        // The two lowest bits go together.
        fields.add(field("poison: current", table, 8, "I7", bit -> bit < 2 || bit >= 48));
        // One that was adding poison may have died.
        fields.add(field("poison: adding", table + 8, 8, "I7", bit -> bit > 0));
        fields.add(field("poison: reserved", table + 16, 48, "I7"));
        for (int i = 0; i < 2; i++) {
            long list = table + 64 + i * 30_784L;
            boolean counts = i == 0;
            // Two records: none is as good, more are not there.
            fields.add(field("poison: count", list, 4, "I7", bit -> counts && bit != 1));
            fields.add(field("poison: flags", list + 4, 4, "I7", bit -> counts && bit != 0));
            fields.add(field("poison: time", list + 8, 8, UNTOLD));
            fields.add(field("poison: unlisted count", list + 16, 4, "I7", bit -> counts && bit != 0));
            fields.add(field("poison: reserved", list + 20, 44, "I7"));
            for (int at = 0; at < 256 + 1024; at++) {
                long record = list + 64 + at * 24L;
                boolean isOne = counts && (at < 2 || at == 256);
                fields.add(field("poison: place", record, 16, "I7", bit -> isOne && !isStillPossible(record, bit)));
                fields.add(field("poison: source", record + 16, 4, "I7", bit -> isOne && bit > 2));
                fields.add(field("poison: reserved", record + 20, 4, "I7"));
            }
        }
    }

    /** Whole lines of one region, 21 blocks long. */
    private boolean isStillPossible(long record, int bit) {
        long dpa = bytes.getLong((int) record) ^ (bit < 64 ? 1L << bit : 0);
        long length = bytes.getLong((int) record + 8) ^ (bit < 64 ? 0 : 1L << (bit - 64));
        boolean isInside = GEOMETRY.regions().stream()
                .anyMatch(region -> dpa >= region.baseDpa()
                        && dpa < region.baseDpa() + 42 * MIB
                        && length <= region.baseDpa() + 42 * MIB - dpa);
        return isInside && length > 0 && dpa % 64 == 0 && length % 64 == 0;
    }

    private static String toldOfGroup(int head, int index, int bit) {
        boolean pending = head == LIVE && index >= 2;
        if (!pending) {
            // Offered, the head says; and its counters, that it was accepted.
            return "I8";
        }
        // Five groups were offered; 5 is 101 in binary. 4 and 1 are among them, and earlier: only behind a 5 they stand
        // wrong.
        boolean isEarlier = bit == 0 || bit == 2;
        return isEarlier && index == 2 ? UNTOLD : "I2";
    }

    private void addCounters(List<Field> fields, int head) {
        long row = Section.COUNTERS.offset(GEOMETRY) + head * 256L;
        boolean counting = head != NOBODY;
        Map<Counter, IntPredicate> told = new EnumMap<>(Counter.class);
        Arrays.stream(Counter.values()).forEach(counter -> told.put(counter, bit -> bit >= 60));
        told.put(Counter.BLOCKS_OWNED, bit -> true);
        told.put(Counter.EXTENTS_HELD, bit -> true);
        // Nobody has accepted less than it has released; a head that counts, exactly what it holds more.
        told.put(Counter.BLOCKS_ACCEPTED, bit -> counting || bit == 0 || bit >= 60);
        told.put(Counter.BLOCKS_RELEASED, bit -> counting || bit != 0);
        // Conflicts are refused adds: 2 of 3 by the live head, 0 of 0 by the dead one.
        told.put(Counter.CLAIM_CONFLICTS, bit -> bit >= 60 || (counting && (head == DEAD || bit >= 2)));
        // From 3 to 1; to 2 is as good.
        told.put(Counter.ADDS_REFUSED, bit -> bit >= 60 || (head == LIVE && bit == 1));
        for (Counter counter : Counter.values()) {
            String name = "counter of head " + head + ": " + counter.label();
            if (counter == Counter.ADDS && head == LIVE) {
                // 5 groups were offered, the last one awaits its answer: there were not fewer.
                fields.add(new Field(
                        name,
                        row + counter.place() * 8L,
                        8,
                        bit -> bit >= 60 ? "I8" : bit == 0 || bit == 2 ? "I2" : ""));
            } else {
                fields.add(field(name, row + counter.place() * 8L, 8, "I8", told.get(counter)));
            }
        }
        fields.add(field("unused counters of head " + head, row + 96, 160, "I7"));
    }

    private void addErrorLog(List<Field> fields, int head) {
        long log = Section.ERROR_LOGS.offset(GEOMETRY) + head * 8192L;
        long at = log;
        while (bytes.getInt((int) at) != 0) {
            int length = bytes.getInt((int) at);
            long start = at;
            int room = (int) (log + 8192 - start);
            fields.add(new Field("error log: length", at, 4, bit -> toldOfLength(start, length ^ (1 << bit), room)));
            fields.add(field("error log: count", at + 4, 4, "I7", bit -> bit == 31));
            fields.add(field("error log: last time", at + 8, 8, "I7", bit -> bit >= 48));
            fields.add(field("error log: first time", at + 16, 8, "I7", bit -> bit >= 48));
            long next = at + (length + 7 & -8);
            fields.add(field("error log: text", at + 24, (int) (next - at - 24), UNTOLD));
            at = next;
        }
        fields.add(field(
                "error log: end", at, 4, "I7", bit -> (1 << bit) < 24 || (1 << bit) > log + 8192 - bytesEnd(head)));
        fields.add(field("error log: unused", at + 4, (int) (log + 8192 - at - 4), UNTOLD));
    }

    private long bytesEnd(int head) {
        long at = Section.ERROR_LOGS.offset(GEOMETRY) + head * 8192L;
        while (bytes.getInt((int) at) != 0) {
            at += bytes.getInt((int) at) + 7 & -8;
        }
        return at;
    }

    /** A length is told when it is none, or when what stands behind it then is no record. */
    private String toldOfLength(long start, int length, int room) {
        if (length == 0) {
            return UNTOLD;
        }
        if (length < 24 || length > room) {
            return "I7";
        }
        ByteBuffer behind = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        int at = (int) start + (length + 7 & -8);
        int end = (int) start + room;
        if (at > end - 24) {
            return UNTOLD;
        }
        int next = behind.getInt(at);
        if (next == 0) {
            return UNTOLD;
        }
        boolean isRecord = next >= 24
                && next <= end - at
                && behind.getInt(at + 4) >= 0
                && isTime(behind.getLong(at + 8))
                && isTime(behind.getLong(at + 16));
        return isRecord ? toldOfLength(at, next, end - at) : "I7";
    }

    private static boolean isTime(long ms) {
        return ms >= 0 && ms <= 253_402_300_799_999L;
    }

    // ---- the tests

    @Test
    void shouldTellEveryFlippedBitThatCanBeTold() {
        List<Field> fields = fields();
        int[] covered = new int[bytes.capacity()];
        List<String> wrong = new ArrayList<>();
        int flips = 0;
        for (Field field : fields) {
            for (int at = 0; at < field.lengthBytes; at++) {
                covered[(int) field.offset + at]++;
            }
            for (int bit = 0; bit < field.lengthBytes * 8; bit += field.step) {
                int at = (int) field.offset + bit / 8;
                byte before = bytes.get(at);
                bytes.put(at, (byte) (before ^ (1 << (bit % 8))));
                List<Finding> findings = inspect();
                bytes.put(at, before);
                flips++;
                String expected = field.told.apply(bit);
                boolean asExpected = expected.isEmpty()
                        ? findings.isEmpty()
                        : findings.stream()
                                .anyMatch(finding -> finding.invariant().equals(expected));
                if (!asExpected && wrong.size() < 40) {
                    wrong.add(field.name + " bit " + bit + " expected " + (expected.isEmpty() ? "nothing" : expected)
                            + " met " + findings);
                }
                findings.stream().filter(f -> f.facts().containsKey("offset")).forEach(f -> {
                    long offset = ((Number) f.facts().get("offset")).longValue();
                    assertTrue(offset >= 0 && offset < bytes.capacity(), f.toString());
                });
            }
        }
        assertTrue(flips > 1_000_000, "flips=" + flips);
        assertEquals(List.of(), wrong);
        for (int at = 1536; at < covered.length; at++) {
            assertEquals(1, covered[at], "byte " + at + " of the file stands in no field, or in two");
        }
        assertEquals(List.of(), inspect());
    }

    /** The first 1536 bytes are covered by magic, version and checksum; the rest of the page is reserved, and verify tells of it. */
    @Test
    void shouldAnswerEveryFlippedBitOfHeaderPage() {
        Map<Problem, Integer> answers = new EnumMap<>(Problem.class);
        for (int bit = 0; bit < 4096 * 8; bit++) {
            int at = bit / 8;
            byte before = bytes.get(at);
            bytes.put(at, (byte) (before ^ (1 << (bit % 8))));
            try (StateFile opened = StateFile.open(state.file(), StateFile.Access.READ_ONLY, 0)) {
                assertTrue(at >= 1536, "opened in spite of bit " + bit);
                List<Finding> findings =
                        Inspector.inspect(opened, head -> head == LIVE).findings();
                assertEquals(
                        List.of("I7 reserved bytes are not zero: section=header bytes=1 offset=0x"
                                + Integer.toHexString(at)),
                        findings.stream().map(Finding::toString).toList());
            } catch (StateFileException e) {
                Problem expected = at < 8
                        ? Problem.FOREIGN
                        : at < 12 ? (bit == 65 ? Problem.NOT_READY : Problem.FOREIGN) : Problem.DAMAGED;
                assertTrue(at < 1536, e.getMessage());
                assertEquals(expected, e.problem(), "bit " + bit + ": " + e.getMessage());
                answers.merge(e.problem(), 1, Integer::sum);
            } finally {
                bytes.put(at, before);
            }
        }
        assertEquals(
                Map.of(Problem.NOT_READY, 1, Problem.FOREIGN, 8 * 8 + 31, Problem.DAMAGED, 8 * (1536 - 12)), answers);
    }
}
