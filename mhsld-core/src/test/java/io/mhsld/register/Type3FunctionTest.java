package io.mhsld.register;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cci.Mailbox;
import io.mhsld.type3.EventHeader;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.Extent;
import io.mhsld.type3.ExtentJournal;
import io.mhsld.type3.GeneralMediaEvent;
import io.mhsld.type3.HandSteps;
import io.mhsld.type3.MediaError;
import io.mhsld.type3.MediaPoison;
import io.mhsld.type3.MultiHeadHooks;
import io.mhsld.type3.RasCapability.Correctable;
import io.mhsld.type3.RasCapability.Uncorrectable;
import io.mhsld.type3.RasCapability.UncorrectableError;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import io.mhsld.type3.ReleaseRequest;
import io.mhsld.type3.Seeds;
import io.mhsld.type3.SparseMemory;
import io.mhsld.type3.TestDevice;
import io.mhsld.type3.Type3Device;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The whole function of a head, as whoever carries its accesses sees it. */
class Type3FunctionTest {
    private static final int CONFIGURATION = 7;
    private static final int COMPONENT = 0;
    private static final int DEVICE = 2;
    private static final int DATA = 4;

    private static final int COMMAND = 0x04;
    private static final int DEVICE_CONTROL = 0x88;
    private static final int FUNCTION_LEVEL_RESET = 0x8000;
    private static final int DOE = 0x190;
    private static final int AER_UNCORRECTABLE = 0x204;
    private static final int AER_CORRECTABLE = 0x210;
    private static final int RAS = 0x1080;
    private static final int DECODER_0 = 0x1138;
    private static final int MSIX_TABLE = 0x2000;

    private static final long BASE = TestDevice.BASE;
    private static final long BLOCK = TestDevice.BLOCK;

    private final Type3Device device = TestDevice.withRegions(1);
    private final HandSteps steps = new HandSteps();
    private final Mailbox mailbox = new Mailbox(device, Optional.empty(), error -> {
        throw new AssertionError("internal error", error);
    });
    private final List<Refusal> refusals = new ArrayList<>();
    private final List<Integer> interrupts = new ArrayList<>();
    private final List<ResetKind> resets = new ArrayList<>();
    private final Type3Function function = new Type3Function(device, mailbox, true, refusals::add);
    private final MailboxDriver driver = new MailboxDriver(region(DEVICE));

    Type3FunctionTest() {
        device.background().runLater(steps);
        device.ras().onError(function.internalErrors());
        function.onInterrupt(interrupts::add);
        function.onReset(resets::add);
    }

    // ---- words

    private RegisterPart region(int region) {
        return new RegisterPart() {
            @Override
            public long lengthBytes() {
                return function.regionLengthBytes(region);
            }

            @Override
            public void read(long offset, byte[] destination, int destinationOffset, int lengthBytes) {
                function.read(region, offset, destination, destinationOffset, lengthBytes);
            }

            @Override
            public void write(long offset, byte[] source, int sourceOffset, int lengthBytes) {
                function.write(region, offset, source, sourceOffset, lengthBytes);
            }

            @Override
            public void reset(ResetKind kind) {
                throw new AssertionError(kind);
            }
        };
    }

    private long read(int region, long offset, int bytes) {
        byte[] read = new byte[Long.BYTES];
        function.read(region, offset, read, 0, bytes);
        return ByteBuffer.wrap(read).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    private void write(int region, long offset, int bytes, long value) {
        byte[] written = ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array();
        function.write(region, offset, written, 0, bytes);
    }

    private byte[] data(long offset, int length) {
        byte[] bytes = new byte[length + 2];
        Arrays.fill(bytes, (byte) 0x33);
        function.read(DATA, offset, bytes, 1, length);
        assertEquals(0x3333, bytes[0] << 8 | bytes[length + 1], "bytes around what was asked for");
        return Arrays.copyOfRange(bytes, 1, length + 1);
    }

    private static byte[] all(int value, int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    private void own(long first, long count) {
        assertEquals(
                Optional.empty(), device.capacity().add(0, List.of(TestDevice.blocks(first, count)), Extent.NO_TAG));
        assertEquals(0, driver.capacity(0x4802, BASE + first * BLOCK, count * BLOCK));
    }

    private void report(EventLog.Kind log) {
        device.report(log, EventHeader.INFORMATIONAL, GeneralMediaEvent.of(new MediaError(BASE, 0, 0, 0)));
    }

    // ---- regions

    @TestFactory
    Stream<DynamicTest> shouldDoWhatItsTableSays() {
        return RegisterTable.places(0x1234, 2L << 30).stream()
                .flatMap(place -> Stream.of(DynamicTest.dynamicTest(
                        place.space() + " " + place.layout().name(), () -> shouldShow(place))));
    }

    /** What nobody has touched reads as the table says, in the address space of the function. */
    private void shouldShow(RegisterTable.Place place) {
        Type3Device same = new Type3Device(
                new Type3Device.Identity(0x1234, 0, device.identity().regions()),
                new TestDevice.HandClock(),
                MultiHeadHooks.NONE,
                ExtentJournal.NONE,
                new SparseMemory());
        Type3Function untouched =
                new Type3Function(same, new Mailbox(same, Optional.empty(), error -> {}), true, refusals::add);
        int region = switch (place.space()) {
            case CONFIGURATION -> CONFIGURATION;
            case COMPONENT -> COMPONENT;
            case DEVICE -> DEVICE;
        };
        for (RegisterField field : place.layout().fields()) {
            if (!field.isLong()) {
                long bits = 0;
                for (int i = 0; i < field.widthBits(); i++) {
                    int bit = field.lowBit() + i;
                    byte[] one = new byte[1];
                    untouched.read(region, place.offsetOf(field) + bit / Byte.SIZE, one, 0, 1);
                    bits |= (one[0] >> bit % Byte.SIZE & 1L) << i;
                }
                assertEquals(field.initial(), bits, field.toString());
            }
        }
    }

    @Test
    void shouldHaveTheRegionsOfItsBars() {
        assertEquals(
                List.of(0x1_0000L, 0L, 0x4000L, 0L, 2L << 30, 0L, 0L, 0x1000L, 0L, 0L),
                LongStream.range(0, 10)
                        .map(region -> function.regionLengthBytes((int) region))
                        .boxed()
                        .toList());
        assertEquals(0, function.regionLengthBytes(-1));
        assertEquals(8, function.interruptVectors());
        Type3Function plain = new Type3Function(device, mailbox, false, refusals::add);
        assertEquals(0, plain.regionLengthBytes(DATA));
        assertThrows(IllegalArgumentException.class, () -> plain.read(DATA, BASE, new byte[4], 0, 4));
        assertEquals(Optional.empty(), plain.dataBarBytes());
    }

    // ---- memory

    @Test
    void shouldServeWhatTheHostOwns() {
        own(1, 2);
        byte[] written = new byte[4096];
        new Random(1).nextBytes(written);
        function.write(DATA, BASE + 2 * BLOCK - 100, written, 0, written.length);
        assertArrayEquals(written, data(BASE + 2 * BLOCK - 100, written.length));
        for (int width = 1; width <= 8; width++) {
            assertArrayEquals(Arrays.copyOf(written, width), data(BASE + 2 * BLOCK - 100, width));
        }
        assertEquals(List.of(), refusals);
    }

    @Test
    void shouldReadOnesAndSwallowWritesElsewhere() {
        own(1, 1);
        for (long offset : new long[] {0, BASE - 8, BASE, BASE + 2 * BLOCK, BASE + (1L << 30), (2L << 30) - 8}) {
            refusals.clear();
            function.write(DATA, offset, all(0x77, 8), 0, 8);
            assertArrayEquals(all(0xFF, 8), data(offset, 8), () -> Long.toHexString(offset));
            assertEquals(2, refusals.size(), "counted once for each access");
        }
        own(0, 1);
        assertArrayEquals(all(0, 8), data(BASE, 8), "nothing was written");
    }

    @Test
    void shouldServeTheOwnedPartOfAnAccessThatStraddles() {
        own(1, 1);
        function.write(DATA, BASE, all(0x55, 3 * (int) BLOCK), 0, 3 * (int) BLOCK);
        assertEquals(1, refusals.size());
        byte[] read = data(BASE + BLOCK - 3, (int) BLOCK + 6);
        assertArrayEquals(all(0xFF, 3), Arrays.copyOf(read, 3));
        assertArrayEquals(all(0x55, (int) BLOCK), Arrays.copyOfRange(read, 3, 3 + (int) BLOCK));
        assertArrayEquals(all(0xFF, 3), Arrays.copyOfRange(read, 3 + (int) BLOCK, read.length));
        assertEquals(2, refusals.size());
        assertEquals(Cause.ACCESS_INVALID, refusals.get(1).cause());
        own(0, 1);
        own(2, 1);
        assertArrayEquals(all(0, 8), data(BASE + BLOCK - 8, 8));
        assertArrayEquals(all(0, 8), data(BASE + 2 * BLOCK, 8));
    }

    @Test
    void shouldLoseWhatIsReleasedAtOnce() {
        own(0, 3);
        function.write(DATA, BASE, all(0x11, 8), 0, 8);
        assertEquals(0, driver.capacity(0x4803, BASE, BLOCK));
        assertArrayEquals(all(0xFF, 8), data(BASE, 8));
        assertEquals(
                Optional.empty(),
                device.capacity()
                        .release(ReleaseRequest.prescriptive(0, List.of(TestDevice.blocks(1, 1)))
                                .byForce(true)));
        assertArrayEquals(all(0xFF, 8), data(BASE + BLOCK, 8));
        assertArrayEquals(all(0, 8), data(BASE + 2 * BLOCK, 8));
    }

    @Test
    void shouldReadOnesInPlaceOfPoisonAlone() {
        own(0, 1);
        function.write(DATA, BASE, all(0x11, 256), 0, 256);
        device.injectPoison(BASE + 64, 64, MediaPoison.Source.INJECTED);
        byte[] read = data(BASE, 256);
        assertArrayEquals(all(0x11, 64), Arrays.copyOf(read, 64));
        assertArrayEquals(all(0xFF, 64), Arrays.copyOfRange(read, 64, 128));
        assertArrayEquals(all(0x11, 128), Arrays.copyOfRange(read, 128, 256));
        assertEquals(
                List.of(Cause.POISONED), refusals.stream().map(Refusal::cause).toList());
        assertEquals(1, device.log(EventLog.Kind.FAILURE).size(), "one record of one line");
        assertEquals(-1, read(DATA, BASE + 60, 8) >> 32);
    }

    @Test
    void shouldReadOnesWhileTheMediaIsDisabled() {
        own(0, 1);
        assertEquals(1, driver.run(0x4400).code());
        function.write(DATA, BASE, all(0x11, 8), 0, 8);
        assertArrayEquals(all(0xFF, 8), data(BASE, 8));
        assertEquals(Cause.MEDIA_DISABLED, refusals.get(0).cause());
        steps.all();
        assertArrayEquals(all(0, 8), data(BASE, 8));
    }

    // ---- resets

    private void arrange() {
        own(0, 1);
        function.write(DATA, BASE, all(0x11, 8), 0, 8);
        assertEquals(0, driver.run(0x0103, new byte[] {1, 1, 1, 1, 1}).code());
        report(EventLog.Kind.WARNING);
        driver.write(MailboxDriver.CONTROL, 4, 6);
        write(CONFIGURATION, COMMAND, 2, 0x0006);
        write(DEVICE, MSIX_TABLE, 8, 0xFEE0_0000L);
        write(COMPONENT, DECODER_0 + 8, 4, 0x1000_0000);
        write(COMPONENT, DECODER_0 + 0x10, 4, 0x200);
        assertEquals(0x600, read(COMPONENT, DECODER_0 + 0x10, 4), "committed");
        write(COMPONENT, RAS + 4, 4, 0);
        device.ras().report(List.of(new UncorrectableError(Uncorrectable.MEM_DATA_ECC, List.of(7))));
        resets.clear();
        interrupts.clear();
    }

    @Test
    void shouldKeepMemoryAndLogsThroughAFunctionLevelReset() {
        arrange();
        long startNs = System.nanoTime();
        write(CONFIGURATION, DEVICE_CONTROL, 2, FUNCTION_LEVEL_RESET);
        assertTrue(System.nanoTime() - startNs < 100_000_000L, "within 100 ms");
        assertEquals(List.of(ResetKind.FLR), resets);
        assertEquals(0, read(CONFIGURATION, DEVICE_CONTROL, 2) & FUNCTION_LEVEL_RESET);
        assertEquals(0, read(CONFIGURATION, COMMAND, 2));
        assertEquals(0, driver.read(MailboxDriver.CONTROL, 4));
        assertEquals(0, driver.read(MailboxDriver.COMMAND, 8));
        assertEquals(0, read(DEVICE, MSIX_TABLE, 8));

        assertEquals(1, device.capacity().acceptedCount());
        assertEquals(0x1111_1111_1111_1111L, read(DATA, BASE, 8));
        assertEquals(0x12, driver.read(MailboxDriver.EVENT_STATUS, 4), "warning and dynamic capacity");
        assertEquals(0x600, read(COMPONENT, DECODER_0 + 0x10, 4));
        assertEquals(1 << 7, read(COMPONENT, RAS, 4));
        report(EventLog.Kind.FATAL);
        assertEquals(List.of(5), interrupts, "the policy is as it was");
    }

    @Test
    void shouldForgetAllButWhatIsStickyByAConventionalReset() {
        arrange();
        function.reset();
        assertEquals(List.of(ResetKind.CONVENTIONAL), resets);
        assertEquals(0, device.capacity().acceptedCount());
        assertEquals(-1, read(DATA, BASE, 8));
        assertEquals(0, driver.read(MailboxDriver.EVENT_STATUS, 4));
        assertEquals(0, driver.read(MailboxDriver.CONTROL, 4));
        assertEquals(0, read(CONFIGURATION, COMMAND, 2));
        assertEquals(0, read(COMPONENT, DECODER_0 + 0x10, 4));
        assertEquals(1 << 7, read(COMPONENT, RAS, 4), "sticky");
        assertEquals(7, read(COMPONENT, RAS + 0x18, 4), "sticky");
        assertEquals(0, read(COMPONENT, RAS + 4, 4), "sticky");
        report(EventLog.Kind.WARNING);
        assertEquals(List.of(), interrupts, "no log interrupts");
        own(0, 1);
    }

    @Test
    void shouldEndABackgroundOperationByAConventionalResetOnly() {
        own(0, 4);
        driver.write(MailboxDriver.CONTROL, 4, 4);
        driver.run(0x4400);
        steps.one();
        write(CONFIGURATION, DEVICE_CONTROL, 2, FUNCTION_LEVEL_RESET);
        assertEquals(1, driver.read(MailboxDriver.STATUS, 1), "goes on");
        steps.all();
        assertEquals(0x64_4400, driver.read(MailboxDriver.BACKGROUND_STATUS, 8));
        assertEquals(List.of(), interrupts, "nobody has asked since");
        driver.run(0x4400);
        function.reset();
        assertEquals(0, driver.read(MailboxDriver.BACKGROUND_STATUS, 8));
        assertEquals(0x14, driver.read(MailboxDriver.MEMORY_STATUS, 4));
        steps.all();
        assertEquals(List.of(), interrupts);
    }

    // ---- interrupts and errors

    @Test
    void shouldInterruptWithTheVectorOfEachLog() {
        driver.run(0x0103, new byte[] {1, 1, 1, 1, 1});
        for (EventLog.Kind log : EventLog.Kind.values()) {
            if (log != EventLog.Kind.DYNAMIC_CAPACITY) {
                report(log);
                report(log);
            }
        }
        assertEquals(List.of(2, 3, 4, 5), interrupts);
        assertEquals(2, driver.drain(1));
        report(EventLog.Kind.WARNING);
        assertEquals(List.of(2, 3, 4, 5, 3), interrupts);
        own(0, 1);
        assertEquals(List.of(2, 3, 4, 5, 3, 2), interrupts);
        driver.run(0x0103, new byte[] {2, 2, 2, 2, 0});
        driver.drain(0);
        report(EventLog.Kind.INFORMATIONAL);
        assertEquals(6, interrupts.size(), "firmware's notifications are no messages");
    }

    @Test
    void shouldInterruptWhenADataObjectIsAnswered() {
        write(CONFIGURATION, DOE + 8, 4, 2);
        for (int word : new int[] {0x0000_0001, 3, 0}) {
            write(CONFIGURATION, DOE + 0x10, 4, word);
        }
        write(CONFIGURATION, DOE + 8, 4, 0x8000_0002L);
        assertEquals(List.of(0), interrupts);
        assertEquals(0x0000_0001, read(CONFIGURATION, DOE + 0x14, 4));
    }

    @Test
    void shouldShowErrorsInBothSetsOfRegisters() {
        device.ras().report(Correctable.MEM_DATA_ECC);
        assertEquals(0, read(COMPONENT, RAS + 0xC, 4), "masked");
        write(COMPONENT, RAS + 0x10, 4, 0);
        write(COMPONENT, RAS + 4, 4, 0);
        device.ras().report(Correctable.MEM_DATA_ECC);
        device.ras().report(List.of(new UncorrectableError(Uncorrectable.MEM_DATA_ECC, List.of(0x1234))));
        assertEquals(2, read(COMPONENT, RAS + 0xC, 4));
        assertEquals(1 << 7, read(COMPONENT, RAS, 4));
        assertEquals(0x1234, read(COMPONENT, RAS + 0x18, 4));
        assertEquals(1 << 14, read(CONFIGURATION, AER_CORRECTABLE, 4));
        assertEquals(1 << 22, read(CONFIGURATION, AER_UNCORRECTABLE, 4));
        write(CONFIGURATION, AER_UNCORRECTABLE, 4, -1);
        write(COMPONENT, RAS, 4, 1 << 7);
        assertEquals(0, read(CONFIGURATION, AER_UNCORRECTABLE, 4));
        assertEquals(0, read(COMPONENT, RAS, 4));
    }

    // ---- nonsense

    static LongStream seeds() {
        return Seeds.of(20);
    }

    /** Any access of any host: inside of a region it does something, outside it is refused, and no other thing happens. */
    @ParameterizedTest
    @MethodSource("seeds")
    void shouldTakeAnyAccess(long seed) {
        Random random = new Random(seed);
        own(0, 2);
        int served = 0;
        for (int i = 0; i < 20_000; i++) {
            int region = random.nextInt(11) - 1;
            long length = function.regionLengthBytes(region);
            int count = random.nextInt(10) == 0 ? random.nextInt(5000) : random.nextInt(9);
            long offset = random.nextInt(10) == 0
                    ? random.nextLong() >> random.nextInt(64)
                    : random.nextLong(Math.max(1, length)) >> random.nextInt(20);
            boolean isInside = length > 0 && offset >= 0 && count <= length && offset <= length - count;
            byte[] bytes = new byte[count];
            random.nextBytes(bytes);
            try {
                if (random.nextBoolean()) {
                    function.read(region, offset, bytes, 0, count);
                } else {
                    function.write(region, offset, bytes, 0, count);
                }
                assertTrue(isInside, "seed=" + seed + " step=" + i + " region=" + region + " offset=" + offset);
                served++;
            } catch (IllegalArgumentException e) {
                assertTrue(!isInside, "seed=" + seed + " step=" + i + " " + e);
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed=" + seed + " step=" + i, e);
            }
            steps.one();
        }
        assertTrue(served > 5_000, "seed=" + seed + " served=" + served);
        assertThrows(IllegalArgumentException.class, () -> function.read(DEVICE, 0, new byte[0], 0, -1));
        function.reset();
        assertEquals(0x3EB, driver.read(MailboxDriver.CAPABILITIES, 4));
        assertEquals(0, driver.run(0x4000).code());
    }
}
