package io.mhsld.register;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cci.InterruptListener;
import io.mhsld.cci.Mailbox;
import io.mhsld.register.MailboxDriver.Answer;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.Extent;
import io.mhsld.type3.HandSteps;
import io.mhsld.type3.TestDevice;
import io.mhsld.type3.Type3Device;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The device registers as a host's driver uses them. */
class DeviceRegistersTest {
    private static final int SUCCESS = 0;
    private static final int BACKGROUND_STARTED = 1;
    private static final int UNSUPPORTED = 3;
    private static final int INVALID_LENGTH = 0x16;
    private static final int SANITIZE = 0x4400;

    private final Type3Device device = TestDevice.withRegions(1);
    private final List<Integer> interrupts = new ArrayList<>();
    private final HandSteps steps = new HandSteps();
    private final Mailbox mailbox = new Mailbox(device, Optional.empty(), error -> {
        throw new AssertionError("internal error", error);
    });
    private final DeviceRegisters registers = new DeviceRegisters(device, mailbox, interrupts::add);
    private final MailboxDriver driver = new MailboxDriver(registers.space());

    DeviceRegistersTest() {
        device.background().runLater(steps);
    }

    @TestFactory
    Stream<DynamicTest> shouldDoWhatItsRowsSay() {
        return Stream.of(
                        DeviceRegisters.CAPABILITIES,
                        DeviceRegisters.EVENT_STATUS,
                        DeviceRegisters.MAILBOX,
                        DeviceRegisters.MEMORY_STATUS,
                        MsixTable.TABLE,
                        MsixTable.PENDING)
                .flatMap(AttributeTests::of);
    }

    /** Byte by byte as QEMU's Type-3 device has it, where a Linux driver looks: the doorbell's interrupt is offered besides. */
    @Test
    void shouldBeWhereDriversLook() {
        assertEquals(0x3_0001_0000L, driver.read(0, 8));
        int[][] capabilities = {{0x2_0001, 0x80, 8}, {0x1_0002, 0x88, 0x820}, {0x1_4000, 0x8A8, 8}};
        for (int i = 0; i < capabilities.length; i++) {
            for (int word = 0; word < 3; word++) {
                assertEquals(capabilities[i][word], driver.read(16 * (i + 1) + 4 * word, 4));
            }
            assertEquals(0, driver.read(16 * (i + 1) + 12, 4));
        }
        assertEquals(0x3EB, driver.read(MailboxDriver.CAPABILITIES, 4));
        assertEquals(0x14, driver.read(MailboxDriver.MEMORY_STATUS, 8));
        assertEquals(0x8B0, registers.space().lengthBytes());
    }

    @Test
    void shouldIdentifyInAccessesOfEveryWidth() {
        for (int width : new int[] {1, 2, 3, 4, 8, 69, 2048}) {
            Answer answer = driver.withWidth(width).run(0x4000);
            assertEquals(SUCCESS, answer.code(), "width " + width);
            assertEquals(0x45, answer.payload().length);
            assertArrayEquals(mailbox.execute(0x4000, new byte[0]).payload(), answer.payload());
            assertEquals("mhsld", new String(answer.payload(), 0, 5, StandardCharsets.US_ASCII));
        }
    }

    @Test
    void shouldCarryWholePayloads() {
        byte[] label = new byte[Mailbox.MAX_PAYLOAD_BYTES];
        for (int width : new int[] {1, 4, 7, 2048}) {
            new Random(width).nextBytes(label);
            Arrays.fill(label, 0, 8, (byte) 0);
            assertEquals(SUCCESS, driver.withWidth(width).run(0x4103, label).code());
            byte[] where = {0, 0, 0, 0, (byte) (label.length - 8 & 0xFF), (byte) ((label.length - 8) >> 8), 0, 0};
            assertArrayEquals(
                    Arrays.copyOfRange(label, 8, label.length),
                    driver.run(0x4102, where).payload());
        }
    }

    @Test
    void shouldRefuseWrongLengthsAndUnknownCommands() {
        assertEquals(INVALID_LENGTH, driver.run(0x4000, (byte) 0).code());
        assertEquals(INVALID_LENGTH, driver.run(0x0100).code());
        for (long length : new long[] {2049, 4096, 0xFFFFF}) {
            Answer answer = driver.ring(0x4103, length);
            assertEquals(INVALID_LENGTH, answer.code());
            assertEquals(0, answer.payload().length);
            assertEquals(UNSUPPORTED, driver.ring(0x5600, length).code());
        }
        assertEquals(UNSUPPORTED, driver.run(0x0001).code());
        assertEquals(UNSUPPORTED, driver.run(0xFFFF).code());
        assertEquals(SUCCESS, driver.run(0x4000).code());
        assertEquals(0, driver.read(MailboxDriver.STATUS, 8) >>> 48, "vendor specific status");
    }

    @Test
    void shouldLeaveNoInputInTheAnswer() {
        for (int i = 0; i < Mailbox.MAX_PAYLOAD_BYTES; i += 8) {
            driver.write(MailboxDriver.PAYLOAD + i, 8, -1);
        }
        driver.ring(0x4000, 0);
        for (int i = 0x45; i < Mailbox.MAX_PAYLOAD_BYTES; i++) {
            assertEquals(0, driver.read(MailboxDriver.PAYLOAD + i, 1));
        }
    }

    @Test
    void shouldRunOnlyWhenTheDoorbellIsRung() {
        driver.write(MailboxDriver.COMMAND, 8, 0x4000);
        driver.write(MailboxDriver.CONTROL, 4, 2);
        driver.write(MailboxDriver.CONTROL + 1, 1, 1);
        assertEquals(0x4000, driver.read(MailboxDriver.COMMAND, 8));
        driver.write(MailboxDriver.CONTROL, 1, 1);
        assertEquals(0x45_4000, driver.read(MailboxDriver.COMMAND, 8));
        assertEquals(0, driver.read(MailboxDriver.CONTROL, 4), "what is not written as 1 is off");
    }

    @Test
    void shouldRunACommandThatOneAccessBringsWithItsDoorbell() {
        byte[] access = new byte[12];
        access[0] = 1;
        access[4] = 0x00;
        access[5] = 0x40;
        registers.space().write(MailboxDriver.CONTROL, access, 0, access.length);
        assertEquals(0x45_4000, driver.read(MailboxDriver.COMMAND, 8));
    }

    @Test
    void shouldInterruptAfterADoorbellOnlyWhenAsked() {
        driver.run(0x4000);
        assertEquals(List.of(), interrupts);
        driver.write(MailboxDriver.CONTROL, 4, 2);
        driver.run(0x4000);
        assertEquals(List.of(7), interrupts);
    }

    @Test
    void shouldShowASanitizeAndInterruptAtItsEnd() {
        own(4);
        driver.write(MailboxDriver.CONTROL, 4, 4);
        assertEquals(BACKGROUND_STARTED, driver.run(SANITIZE).code());
        assertEquals(0x1C, driver.read(MailboxDriver.MEMORY_STATUS, 4), "media disabled");
        assertEquals(1, driver.read(MailboxDriver.STATUS, 4));
        assertEquals(SANITIZE, driver.read(MailboxDriver.BACKGROUND_STATUS, 8));
        assertTrue(steps.one());
        long percent = driver.read(MailboxDriver.BACKGROUND_STATUS + 2, 1);
        assertTrue(percent > 0 && percent < 100, "percent " + percent);
        assertEquals(6, driver.run(SANITIZE).code(), "busy");
        assertEquals(SUCCESS, driver.run(0x0102).code(), "other commands go on");
        assertEquals(List.of(), interrupts);
        steps.all();
        assertEquals(List.of(7), interrupts);
        assertEquals(0x64_4400, driver.read(MailboxDriver.BACKGROUND_STATUS, 8));
        assertEquals(0, driver.read(MailboxDriver.STATUS, 1));
        assertEquals(0x14, driver.read(MailboxDriver.MEMORY_STATUS, 4));
    }

    @Test
    void shouldCallAnAbortedOperationEnded() {
        own(4);
        driver.write(MailboxDriver.CONTROL, 4, 4);
        driver.run(SANITIZE);
        steps.one();
        assertEquals(SUCCESS, driver.run(0x0005).code());
        assertEquals(0x12_0064_4400L, driver.read(MailboxDriver.BACKGROUND_STATUS, 8));
        assertEquals(List.of(7), interrupts);
        assertEquals(0x1C, driver.read(MailboxDriver.MEMORY_STATUS, 4), "its media stays disabled");
    }

    @Test
    void shouldNotInterruptForTheBackgroundUnlessAsked() {
        own(1);
        driver.run(SANITIZE);
        steps.all();
        assertEquals(List.of(), interrupts);
    }

    /** Linux' driver asks once, when it binds, and rings by writing 1 alone from then on. */
    @Test
    void shouldInterruptForTheBackgroundThoughTheDoorbellWasRungWithoutAsking() {
        own(1);
        driver.write(MailboxDriver.CONTROL, 4, 4);
        for (int opcode : new int[] {0x4000, SANITIZE}) {
            driver.write(MailboxDriver.COMMAND, 8, opcode);
            driver.write(MailboxDriver.CONTROL, 4, 1);
            assertEquals(0, driver.read(MailboxDriver.CONTROL, 4), "reads back as written");
        }
        steps.all();
        assertEquals(List.of(7), interrupts);
    }

    @Test
    void shouldNotInterruptForTheBackgroundAfterThatWasTurnedOff() {
        own(1);
        driver.write(MailboxDriver.CONTROL, 4, 4);
        driver.write(MailboxDriver.CONTROL, 1, 0);
        driver.run(SANITIZE);
        steps.all();
        driver.write(MailboxDriver.CONTROL, 4, 4);
        registers.space().reset(ResetKind.FLR);
        driver.run(SANITIZE);
        steps.all();
        assertEquals(List.of(), interrupts);
    }

    /** As Linux' driver goes about it: read and clear until the status is 0. No record stays behind without an interrupt. */
    @Test
    void shouldInterruptAgainAfterALogWasCleared() {
        mailbox.onInterrupt(new InterruptListener() {
            @Override
            public void message(int number, EventLog.Kind log) {
                interrupts.add(number);
            }

            @Override
            public void firmware(int vector, EventLog.Kind log) {
                throw new AssertionError("no message for firmware");
            }
        });
        assertEquals(SUCCESS, driver.run(0x0103, new byte[] {1, 1, 1, 1, 1}).code());
        offer(0, 1);
        offer(1, 1);
        assertEquals(List.of(2), interrupts);
        assertEquals(0x10, driver.read(MailboxDriver.EVENT_STATUS, 8));
        assertEquals(2, driver.drain(4));
        assertEquals(0, driver.read(MailboxDriver.EVENT_STATUS, 8));
        offer(2, 1);
        assertEquals(List.of(2, 2), interrupts);
        assertEquals(1, driver.drain(4));
        assertEquals(SUCCESS, driver.run(0x0103, new byte[] {2, 1, 1, 1, 0}).code());
        offer(3, 1);
        assertEquals(List.of(2, 2), interrupts);
    }

    @Test
    void shouldForgetWhatWasWrittenWithEveryReset() {
        for (ResetKind kind : ResetKind.values()) {
            driver.write(MailboxDriver.CONTROL, 4, 6);
            driver.run(0x4000);
            registers.space().reset(kind);
            assertEquals(0, driver.read(MailboxDriver.CONTROL, 4));
            assertEquals(0, driver.read(MailboxDriver.COMMAND, 8));
            assertEquals(0, driver.read(MailboxDriver.PAYLOAD, 8));
            assertEquals(0x3EB, driver.read(MailboxDriver.CAPABILITIES, 4));
            assertFalse(device.background().isRunning());
        }
    }

    private void offer(int first, int count) {
        assertEquals(
                Optional.empty(), device.capacity().add(0, List.of(TestDevice.blocks(first, count)), Extent.NO_TAG));
    }

    private void own(int count) {
        offer(0, count);
        assertEquals(SUCCESS, driver.capacity(0x4802, TestDevice.BASE, count * TestDevice.BLOCK));
    }
}
