package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.Extent;
import io.mhsld.type3.MediaEvents;
import io.mhsld.type3.MediaPoison;
import io.mhsld.type3.MediaPoison.Source;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import io.mhsld.type3.TestDevice;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PoisonCommandsTest {
    private static final long BASE = TestDevice.BASE;
    private static final long REGION_BYTES = 1L << 30;
    private static final long END = BASE + 2 * REGION_BYTES;
    private static final int MORE = 1;
    private static final int OVERFLOW = 2;
    private static final int SCANNING = 4;

    /** Two regions side by side. */
    private final Host host = new Host(2, Optional.empty());

    private final List<String> told = new ArrayList<>();

    PoisonCommandsTest() {
        host.device.onMediaEvent(new MediaEvents() {
            @Override
            public void poisonInjected(MediaPoison.Line line) {
                told.add("injected " + Long.toHexString(line.dpa()));
            }

            @Override
            public void poisonCleared(long dpa) {
                told.add("cleared " + Long.toHexString(dpa));
            }

            @Override
            public void poisonFound(MediaPoison.Line line) {
                told.add("found " + Long.toHexString(line.dpa()) + "+" + line.lengthBytes());
            }

            @Override
            public void poisonRead(long dpa, long lengthBytes) {
                told.add("read " + Long.toHexString(dpa));
            }

            @Override
            public void poisonListOverflowed() {
                told.add("overflow");
            }
        });
    }

    private static byte[] range(long dpa, long lines) {
        return Host.input(16).putLong(dpa).putLong(lines).array();
    }

    private ReturnCode inject(long dpa) {
        return host.code(0x4301, Host.input(8).putLong(dpa).array());
    }

    private ReturnCode clear(long dpa, int value) {
        byte[] input = new byte[72];
        Arrays.fill(input, (byte) value);
        return host.code(
                0x4302,
                ByteBuffer.wrap(input)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(dpa)
                        .array());
    }

    private ReturnCode scan(long dpa, long lines, int flags) {
        return host.code(
                0x4304,
                Host.input(17).putLong(dpa).putLong(lines).put((byte) flags).array());
    }

    /** Flags and records: address with source, and lines. */
    private static String list(ByteBuffer answer, int flagsAt, int countAt) {
        int count = answer.getShort(countAt);
        assertEquals(32 + 16 * count, answer.capacity());
        StringBuilder text = new StringBuilder().append(answer.get(flagsAt)).append(':');
        for (int i = 0; i < count; i++) {
            text.append(' ').append(Long.toHexString(answer.getLong(32 + 16 * i) - BASE));
            text.append('+').append(answer.getInt(40 + 16 * i));
        }
        return text.toString();
    }

    private String poison(long dpa, long lines) {
        return list(host.output(0x4300, range(dpa, lines)), 0, 10);
    }

    private String all() {
        return poison(BASE, 2 * REGION_BYTES / 64);
    }

    private String results() {
        return list(host.output(0x4305, ""), 16, 18);
    }

    private Optional<Cause> read(long dpa, int length) {
        return host.device.read(dpa, new byte[length], 0, length).map(Refusal::cause);
    }

    // ---- list, inject, clear

    @Test
    void shouldListWhatWasInjectedAndClearIt() {
        assertEquals("0:", all());
        assertEquals(ReturnCode.SUCCESS, inject(BASE + 0x1000));
        assertEquals(ReturnCode.SUCCESS, inject(BASE + 0x1040));
        assertEquals(ReturnCode.SUCCESS, inject(BASE + 0x40));
        assertEquals("0: 43+1 1003+1 1043+1", all());
        assertEquals(ReturnCode.SUCCESS, clear(BASE + 0x1000, 0));
        assertEquals("0: 43+1 1043+1", all());
        assertEquals("0: 1043+1", poison(BASE + 0x1040, 1));
        assertEquals("0:", poison(BASE + 0x1000, 1));
        assertEquals(List.of("injected 10001000", "injected 10001040", "injected 10000040", "cleared 10001000"), told);
    }

    @Test
    void shouldLeaveWhatIsPoisonedPoisoned() {
        inject(BASE);
        assertEquals(ReturnCode.SUCCESS, inject(BASE));
        assertEquals("0: 3+1", all());
        assertEquals(List.of("injected 10000000"), told);
    }

    @Test
    void shouldListAThirdOfAFullListAtATimeAndFromTheBeginWhenAskedForSomethingElse() {
        for (int i = 0; i < 256; i++) {
            assertEquals(ReturnCode.SUCCESS, inject(BASE + 128L * i));
        }
        assertTrue(all().startsWith(MORE + ": 3+1 83+1"));
        assertEquals("0: 83+1", poison(BASE + 128, 1));
        String first = all();
        String second = all();
        String third = all();
        assertTrue(first.startsWith(MORE + ": 3+1 ") && first.split(" ").length == 127, first);
        assertTrue(second.startsWith(MORE + ": 3f03+1 ") && second.split(" ").length == 127, second);
        assertEquals("0: 7e03+1 7e83+1 7f03+1 7f83+1", third);
        assertEquals(first, all());
    }

    @ParameterizedTest
    @CsvSource({"0x4300", "0x4303", "0x4304"})
    void shouldRefuseRangesThatThereAreNot(String opcode) {
        int code = Integer.decode(opcode);
        int length = code == 0x4304 ? 17 : 16;
        long all = END / 64;
        ReturnCode ok = code == 0x4304 ? ReturnCode.BACKGROUND_STARTED : ReturnCode.SUCCESS;
        assertEquals(ok, host.code(code, Arrays.copyOf(range(0, all), length)), "below the first region is a gap");
        host.steps.all();
        assertEquals(ok, host.code(code, Arrays.copyOf(range(END - 64, 1), length)));
        host.steps.all();
        assertEquals(ReturnCode.INVALID_INPUT, host.code(code, Arrays.copyOf(range(BASE, 0), length)));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(code, Arrays.copyOf(range(BASE + 1, 1), length)));
        for (byte[] range : new byte[][] {
            range(0, all + 1),
            range(END, 1),
            range(END - 64, 2),
            range(-64, 1),
            range(-64, 2),
            range(BASE, -1),
            range(BASE, 1L << 58),
            range(64, Long.MIN_VALUE)
        }) {
            assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, host.code(code, Arrays.copyOf(range, length)));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {BASE - 64, END, 0, -64})
    void shouldRefuseAddressesOutsideTheRegions(long dpa) {
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, inject(dpa));
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, clear(dpa, 0));
        assertEquals(ReturnCode.INVALID_INPUT, inject(dpa + 1));
        assertEquals(ReturnCode.INVALID_INPUT, clear(dpa + 32, 0));
        assertEquals(List.of(), told);
    }

    @Test
    void shouldInjectNoMoreThanTheListHolds() {
        for (int i = 0; i < 256; i++) {
            assertEquals(ReturnCode.SUCCESS, inject(BASE + 64L * i));
        }
        assertEquals(ReturnCode.INJECT_POISON_LIMIT_REACHED, inject(BASE + 64L * 256));
        assertEquals(ReturnCode.SUCCESS, inject(BASE), "what is there is no more");
        assertEquals(ReturnCode.SUCCESS, clear(BASE + 64, 0));
        assertEquals(ReturnCode.SUCCESS, inject(BASE + 64L * 256));
    }

    // ---- the data path

    @Test
    void shouldRefuseToReadPoisonUntilItIsCleared() {
        host.owning(0, 1);
        byte[] data = {1, 2, 3, 4};
        assertEquals(Optional.empty(), host.device.write(BASE + 0x1000, data, 0, 4));
        inject(BASE + 0x1000);
        assertEquals(Optional.of(Cause.POISONED), read(BASE + 0x1000, 4));
        assertEquals(Optional.of(Cause.POISONED), read(BASE + 0x103F, 1));
        assertEquals(Optional.of(Cause.POISONED), read(BASE, 1 << 20));
        assertEquals(Optional.empty(), read(BASE, 0x1000));
        assertEquals(Optional.empty(), read(BASE + 0x1040, 64));
        assertThrows(IllegalStateException.class, () -> host.device.crc32c(BASE, 1 << 20));
        assertEquals(Optional.empty(), host.device.checkAccess(BASE, 1 << 20));
        assertEquals(Optional.empty(), host.device.write(BASE + 0x1000, new byte[64], 0, 64), "writes go through");
        assertEquals(Optional.of(Cause.POISONED), read(BASE + 0x1000, 4));
        assertEquals(ReturnCode.SUCCESS, clear(BASE + 0x1000, 0x77));
        byte[] line = new byte[66];
        assertEquals(Optional.empty(), host.device.read(BASE + 0xFFF, line, 0, 66));
        byte[] expected = new byte[66];
        Arrays.fill(expected, 1, 65, (byte) 0x77);
        assertArrayEquals(expected, line);
        assertEquals("read 10001000", told.get(1));
        assertEquals("read 1000103f", told.get(2));
    }

    @Test
    void shouldWriteALineThatIsNotPoisonedAndNoneThatIsNotTheHosts() {
        host.owning(0, 1);
        assertEquals(ReturnCode.SUCCESS, clear(BASE, 5));
        byte[] line = new byte[64];
        assertEquals(Optional.empty(), host.device.read(BASE, line, 0, 64));
        assertEquals(5, line[63]);
        assertEquals(ReturnCode.SUCCESS, clear(BASE + TestDevice.BLOCK, 5));
        host.owning(1, 1);
        assertEquals(Optional.empty(), host.device.read(BASE + TestDevice.BLOCK, line, 0, 64));
        assertEquals(0, line[63], "written to free capacity");
    }

    @Test
    void shouldOfferCapacityWithoutPoison() {
        inject(BASE + 0x1000);
        inject(BASE + TestDevice.BLOCK);
        host.owning(0, 1);
        assertEquals("0: 200003+1", all());
        assertEquals(Optional.empty(), read(BASE, 1 << 20));
    }

    // ---- overflow and scans

    private void overflow() {
        for (int i = 0; i < 256; i++) {
            inject(BASE + 128L * i);
        }
        told.clear();
        host.device.setTimestampNs(1_000);
        assertEquals(Optional.empty(), host.device.injectPoison(BASE + REGION_BYTES, 128, Source.INTERNAL));
        host.clock.advanceNs(5);
        assertEquals(Optional.empty(), host.device.injectPoison(BASE + REGION_BYTES + 256, 64, Source.EXTERNAL));
        assertEquals(List.of("overflow", "injected 50000000", "injected 50000100"), told);
        told.clear();
    }

    @Test
    void shouldSayWhenTheListOverflowedAndRecoverByAScan() {
        overflow();
        ByteBuffer answer = host.output(0x4300, range(BASE + REGION_BYTES, 64));
        assertEquals(OVERFLOW + ":", list(answer, 0, 10));
        assertEquals(1_000, answer.getLong(2));
        assertEquals(1, host.outputBytes(0x4200, "")[0], "maintenance needed");
        assertEquals(ReturnCode.SUCCESS, clear(BASE, 0));
        assertEquals(ReturnCode.BACKGROUND_STARTED, scan(BASE, 2 * REGION_BYTES / 64, 1));
        host.steps.all();
        answer = host.output(0x4300, range(BASE + REGION_BYTES, 64));
        assertEquals(OVERFLOW + ": 40000002+2", list(answer, 0, 10), "there was room for one");
        clear(BASE + 128, 0);
        scan(BASE, 2 * REGION_BYTES / 64, 1);
        host.steps.all();
        answer = host.output(0x4300, range(BASE + REGION_BYTES, 64));
        assertEquals("0: 40000002+2 40000101+1", list(answer, 0, 10));
        assertEquals(0, answer.getLong(2));
        assertEquals(List.of("cleared 10000000", "cleared 10000080"), told, "silent scans");
    }

    @Test
    void shouldRefuseToReadWhatTheListHadNoRoomFor() {
        overflow();
        assertEquals(Optional.empty(), host.device.capacity().add(1, List.of(TestDevice.blocks(1, 1)), Extent.NO_TAG));
        assertTrue(host.device.poison().isPoisoned(BASE + REGION_BYTES + 64, 1));
        assertFalse(host.device.poison().isPoisoned(BASE + REGION_BYTES + 128, 128));
        assertTrue(host.device.poison().isPoisoned(BASE + REGION_BYTES + 128, 129));
    }

    @Test
    void shouldFindPoisonByAScanAndTellIt() {
        inject(BASE + 0x1000);
        host.device.injectPoison(BASE + (256L << 20) - 64, 128, Source.INTERNAL);
        inject(BASE + REGION_BYTES);
        told.clear();
        assertEquals(ReturnCode.UNSUPPORTED, host.code(0x4305, ""), "there was no scan");
        assertEquals(5, host.output(0x4303, range(BASE, REGION_BYTES / 64)).getInt());
        assertEquals(ReturnCode.BACKGROUND_STARTED, scan(BASE, REGION_BYTES / 64, 0));
        assertEquals(ReturnCode.BUSY, host.code(0x4305, ""));
        assertEquals(SCANNING + ": 1003+1", poison(BASE, 0x1000));
        assertEquals(4, host.steps.all());
        assertEquals("0: 1003+1 fffffc2+2", results());
        assertEquals("0: 1003+1 fffffc2+2", results());
        assertEquals(List.of("found 10001000+64", "found 1fffffc0+128"), told);
        host.device.reset();
        assertEquals(ReturnCode.UNSUPPORTED, host.code(0x4305, ""));
    }

    @Test
    void shouldSayWhereAScanWasAborted() {
        inject(BASE + 0x1000);
        scan(BASE, REGION_BYTES / 64, 0);
        host.steps.one();
        assertEquals(ReturnCode.SUCCESS, host.code(0x0005, ""));
        ByteBuffer answer = host.output(0x4305, "");
        assertEquals("2: 1003+1", list(answer, 16, 18));
        assertEquals(BASE + (256L << 20), answer.getLong(0));
        assertEquals((768L << 20) / 64, answer.getLong(8));
    }

    @Test
    void shouldGiveResultsInParts() {
        for (int i = 0; i < 130; i++) {
            inject(BASE + 128L * i);
        }
        scan(BASE, 1 << 20, 1);
        host.steps.all();
        String first = results();
        assertTrue(first.startsWith(MORE + ": 3+1 ") && first.split(" ").length == 127, first);
        assertEquals("0: 3f03+1 3f83+1 4003+1 4083+1", results());
        assertEquals(first, results());
    }
}
