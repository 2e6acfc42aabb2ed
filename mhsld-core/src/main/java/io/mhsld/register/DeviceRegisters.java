package io.mhsld.register;

import static io.mhsld.register.RegisterField.fixed;

import io.mhsld.cci.Mailbox;
import io.mhsld.cci.Response;
import io.mhsld.cci.ReturnCode;
import io.mhsld.type3.BackgroundOperations;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.Type3Device;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/**
 * The device registers (CXL r3.1 8.2.8): which event logs have records, the mailbox, and whether the media can be had.
 *
 * <p>A command runs to its end within the write that rings the doorbell: a host never sees it rung, and the locks that hold while it is have
 * nothing to lock. What the mailbox started goes on in the background, and its registers say how far it is.
 */
final class DeviceRegisters {
    /** Vector of the doorbell and of the end of background operations, as on QEMU's Type-3 device. */
    static final int MAILBOX_VECTOR = 7;

    private static final int CAPABILITY_BYTES = 16;
    private static final int EVENT_STATUS_OFFSET = 0x80;
    private static final int EVENT_STATUS_BYTES = 8;
    private static final int MAILBOX_OFFSET = 0x88;
    private static final int PAYLOAD_OFFSET = 0x20;
    private static final int MAILBOX_BYTES = PAYLOAD_OFFSET + Mailbox.MAX_PAYLOAD_BYTES;
    private static final int MEMORY_STATUS_OFFSET = MAILBOX_OFFSET + MAILBOX_BYTES;
    private static final int MEMORY_STATUS_BYTES = 8;

    static final int LENGTH_BYTES = MEMORY_STATUS_OFFSET + MEMORY_STATUS_BYTES;

    private static final int MEDIA_READY = 1;
    private static final int MEDIA_DISABLED = 3;

    /** What is there, and where. */
    static final RegisterLayout CAPABILITIES = capabilities();

    /** One bit for each event log. */
    static final RegisterLayout EVENT_STATUS = new RegisterLayout(
            "event status",
            EVENT_STATUS_BYTES,
            Arrays.stream(EventLog.Kind.values())
                    .map(log -> shown(log + " log has records", 0, log.number(), 1, "8.2.8.3.1"))
                    .toList());

    // ---- mailbox

    static final RegisterField DOORBELL = written("doorbell", 4, 0, 1, "8.2.8.4.4");
    static final RegisterField DOORBELL_INTERRUPT = written("doorbell interrupt", 4, 1, 1, "8.2.8.4.4");
    static final RegisterField BACKGROUND_INTERRUPT =
            written("background command complete interrupt", 4, 2, 1, "8.2.8.4.4");
    static final RegisterField OPCODE = written("command opcode", 8, 0, 16, "8.2.8.4.5");
    static final RegisterField PAYLOAD_LENGTH = written("payload length", 8, 16, 20, "8.2.8.4.5");
    static final RegisterField BACKGROUND_OPERATION = shown("background operation", 0x10, 0, 1, "8.2.8.4.6");
    static final RegisterField RETURN_CODE = shown("return code", 0x10, 32, 16, "8.2.8.4.6");
    static final RegisterField VENDOR_STATUS = shown("vendor specific extended status", 0x10, 48, 16, "8.2.8.4.6");
    static final RegisterField BACKGROUND_OPCODE = shown("background command opcode", 0x18, 0, 16, "8.2.8.4.7");
    static final RegisterField BACKGROUND_PERCENT =
            shown("background command percentage complete", 0x18, 16, 7, "8.2.8.4.7");
    static final RegisterField BACKGROUND_CODE = shown("background command return code", 0x18, 32, 16, "8.2.8.4.7");
    static final RegisterField BACKGROUND_VENDOR_STATUS =
            shown("background command vendor specific extended status", 0x18, 48, 16, "8.2.8.4.7");
    static final RegisterField PAYLOAD =
            written("command payload", PAYLOAD_OFFSET, 0, Mailbox.MAX_PAYLOAD_BYTES * Byte.SIZE, "8.2.8.4.8");

    /** Commands and their answers. */
    static final RegisterLayout MAILBOX = RegisterLayout.of(
            "mailbox",
            MAILBOX_BYTES,
            made("payload size", 0, 0, 5, Integer.numberOfTrailingZeros(Mailbox.MAX_PAYLOAD_BYTES), "8.2.8.4.3"),
            made("doorbell interrupt capable", 0, 5, 1, 1, "8.2.8.4.3"),
            made("background command complete interrupt capable", 0, 6, 1, 1, "8.2.8.4.3"),
            made("interrupt message number", 0, 7, 4, MAILBOX_VECTOR, "8.2.8.4.3"),
            made("mailbox ready time", 0, 11, 8, 0, "8.2.8.4.3"),
            made("type", 0, 19, 4, 0, "8.2.8.4.3"),
            DOORBELL,
            DOORBELL_INTERRUPT,
            BACKGROUND_INTERRUPT,
            OPCODE,
            PAYLOAD_LENGTH,
            BACKGROUND_OPERATION,
            RETURN_CODE,
            VENDOR_STATUS,
            BACKGROUND_OPCODE,
            BACKGROUND_PERCENT,
            BACKGROUND_CODE,
            BACKGROUND_VENDOR_STATUS,
            PAYLOAD);

    // ---- memory device status

    static final RegisterField MEDIA_STATUS =
            new RegisterField("media status", 0, 2, 2, Attribute.RO, ResetDomain.FLR, MEDIA_READY, "8.2.8.5.1.1");

    /** How the device is; nothing here ever fails or needs a reset. */
    static final RegisterLayout MEMORY_STATUS = RegisterLayout.of(
            "memory device status",
            MEMORY_STATUS_BYTES,
            shown("device fatal", 0, 0, 1, "8.2.8.5.1.1"),
            shown("firmware halt", 0, 1, 1, "8.2.8.5.1.1"),
            MEDIA_STATUS,
            made("mailbox interfaces ready", 0, 4, 1, 1, "8.2.8.5.1.1"),
            shown("reset needed", 0, 5, 3, "8.2.8.5.1.1"));

    private final Mailbox primary;
    private final IntConsumer interrupts;
    private final RegisterBlock mailbox = new RegisterBlock(MAILBOX);
    private final RegisterSpace space = new RegisterSpace(LENGTH_BYTES);

    /** Does the host want to be told of the end of background operations? Not always what the register's bit says, see {@link #control}. */
    private boolean isBackgroundInterruptWanted;

    /** @param interrupts told the numbers of vectors; the end of a background operation is among them, whoever started it */
    DeviceRegisters(Type3Device device, Mailbox primary, IntConsumer interrupts) {
        this.primary = primary;
        this.interrupts = interrupts;
        RegisterBlock eventStatus = new RegisterBlock(EVENT_STATUS);
        for (EventLog.Kind log : EventLog.Kind.values()) {
            eventStatus.live(
                    EVENT_STATUS.fields().get(log.number()),
                    () -> device.log(log).size() > 0 ? 1 : 0);
        }
        RegisterBlock memoryStatus = new RegisterBlock(MEMORY_STATUS);
        memoryStatus.live(MEDIA_STATUS, () -> device.sanitizer().isMediaDisabled() ? MEDIA_DISABLED : MEDIA_READY);
        BackgroundOperations background = device.background();
        mailbox.live(BACKGROUND_OPERATION, () -> background.isRunning() ? 1 : 0);
        mailbox.live(BACKGROUND_OPCODE, () -> background.status().command());
        mailbox.live(BACKGROUND_PERCENT, () -> percentOf(background.status()));
        mailbox.live(BACKGROUND_CODE, () -> ReturnCode.of(background.status()).value());
        mailbox.onWrite(DOORBELL, (before, after) -> control(after != 0));
        background.onEnd(() -> interruptIf(isBackgroundInterruptWanted));
        space.with(0, new RegisterBlock(CAPABILITIES))
                .with(EVENT_STATUS_OFFSET, eventStatus)
                .with(MAILBOX_OFFSET, mailbox)
                .with(MEMORY_STATUS_OFFSET, memoryStatus);
    }

    /** The tables by their offsets. */
    static Map<Long, RegisterLayout> layouts() {
        return Map.of(
                0L,
                CAPABILITIES,
                (long) EVENT_STATUS_OFFSET,
                EVENT_STATUS,
                (long) MAILBOX_OFFSET,
                MAILBOX,
                (long) MEMORY_STATUS_OFFSET,
                MEMORY_STATUS);
    }

    RegisterPart space() {
        return new WrappedPart(space) {
            @Override
            public void reset(ResetKind kind) {
                super.reset(kind);
                isBackgroundInterruptWanted = mailbox.get(BACKGROUND_INTERRUPT) != 0;
            }
        };
    }

    /**
     * The control register was written; its three bits are in one byte. Linux' driver asks for the interrupt of background operations once, and then
     * rings the doorbell by writing 1: by the letter it never gets one. So a write that rings can turn that interrupt on, and not off.
     */
    private void control(boolean isRung) {
        boolean isAsked = mailbox.get(BACKGROUND_INTERRUPT) != 0;
        isBackgroundInterruptWanted = isAsked || (isRung && isBackgroundInterruptWanted);
        if (isRung) {
            runCommand();
        }
    }

    /** The answer takes the place of the input, all of it: no byte of an input is mistaken for one of an answer. */
    private void runCommand() {
        // One byte too many is as much too long as a million.
        int length = (int) Math.min(mailbox.get(PAYLOAD_LENGTH), Mailbox.MAX_PAYLOAD_BYTES + 1);
        byte[] input = Arrays.copyOf(mailbox.bytes(PAYLOAD), length);
        Response response = primary.execute((int) mailbox.get(OPCODE), input);
        byte[] output = response.payload();
        mailbox.setBytes(PAYLOAD, Arrays.copyOf(output, Mailbox.MAX_PAYLOAD_BYTES));
        mailbox.set(PAYLOAD_LENGTH, output.length);
        mailbox.set(RETURN_CODE, response.code().value());
        mailbox.set(VENDOR_STATUS, 0);
        mailbox.set(DOORBELL, 0);
        interruptIf(mailbox.get(DOORBELL_INTERRUPT) != 0);
    }

    private void interruptIf(boolean isWanted) {
        if (isWanted) {
            interrupts.accept(MAILBOX_VECTOR);
        }
    }

    /** Hosts take 100 for the end, and look at the return code then: also of what has failed or was aborted half way. */
    private static int percentOf(BackgroundOperations.Status status) {
        return switch (status.state()) {
            case NONE, RUNNING -> status.percent();
            case SUCCEEDED, FAILED, ABORTED -> 100;
        };
    }

    // ---- how a row is written

    private static RegisterLayout capabilities() {
        int[][] capabilities = {
            {0x0001, 2, EVENT_STATUS_OFFSET, EVENT_STATUS_BYTES},
            {0x0002, 1, MAILBOX_OFFSET, MAILBOX_BYTES},
            {0x4000, 1, MEMORY_STATUS_OFFSET, MEMORY_STATUS_BYTES}
        };
        List<RegisterField> rows = new ArrayList<>(List.of(
                made("array id", 0, 0, 16, 0, "8.2.8.1"),
                made("array version", 0, 16, 8, 1, "8.2.8.1"),
                made("array type", 0, 24, 4, 0, "8.2.8.1"),
                made("capabilities count", 0, 32, 16, capabilities.length, "8.2.8.1")));
        for (int i = 0; i < capabilities.length; i++) {
            String who = "capability " + (i + 1) + " ";
            int offset = (i + 1) * CAPABILITY_BYTES;
            rows.add(made(who + "id", offset, 0, 16, capabilities[i][0], "8.2.8.2"));
            rows.add(made(who + "version", offset, 16, 8, capabilities[i][1], "8.2.8.2"));
            rows.add(made(who + "offset", offset, 32, 32, capabilities[i][2], "8.2.8.2"));
            rows.add(made(who + "length", offset, 64, 32, capabilities[i][3], "8.2.8.2"));
        }
        return new RegisterLayout("device capabilities", (capabilities.length + 1) * CAPABILITY_BYTES, rows);
    }

    private static RegisterField made(String name, int offset, int lowBit, int bits, long value, String clause) {
        return fixed(name, offset, lowBit, bits, value, clause);
    }

    private static RegisterField written(String name, int offset, int lowBit, int bits, String clause) {
        return new RegisterField(name, offset, lowBit, bits, Attribute.RW, ResetDomain.FLR, 0, clause);
    }

    private static RegisterField shown(String name, int offset, int lowBit, int bits, String clause) {
        return new RegisterField(name, offset, lowBit, bits, Attribute.RO, ResetDomain.FLR, 0, clause);
    }
}
