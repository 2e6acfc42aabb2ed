package io.mhsld.stress.fuzz;

import io.mhsld.cci.Layout;
import io.mhsld.cci.Layouts;
import io.mhsld.cci.Mailbox;
import io.mhsld.cci.MultiHeadInfo;
import io.mhsld.cci.Opcode;
import io.mhsld.cci.Payload;
import io.mhsld.cci.Response;
import io.mhsld.cci.ReturnCode;
import io.mhsld.type3.DcMemory;
import io.mhsld.type3.DcRegion;
import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.EventRecord;
import io.mhsld.type3.Extent;
import io.mhsld.type3.PendingGroup;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import io.mhsld.type3.ReleaseRequest;
import io.mhsld.type3.Type3Device;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * A host that sends any command with any payload, and a fabric manager that adds and takes, to one device: a row of steps, so that state is
 * reached. After each step the device is compared with a model of its blocks, and each answer with the layout that describes it.
 */
public final class MailboxCommands {
    private static final long BLOCK = 2L << 20;
    private static final int BLOCKS_PER_REGION = 64;
    private static final int STEPS_LIMIT = 400;
    private static final int UNKNOWN_OPCODE = 0x4804;

    /** Which may not support what they are asked for: a feature, a result, an operation. */
    private static final Set<Integer> UNSUPPORTED_IN_PART = Set.of(0x0501, 0x0502, 0x4305, 0x4402);

    private final Input input;
    private final CapacityModel model = new CapacityModel(BLOCK);
    private final List<DcRegion> regions = List.of(
            new DcRegion(0, 256L << 20, 256L << 20, BLOCKS_PER_REGION * BLOCK, BLOCK),
            new DcRegion(1, 512L << 20, 256L << 20, BLOCKS_PER_REGION * BLOCK, BLOCK));
    private final Type3Device device = new Type3Device(
            new Type3Device.Identity(7, 3, regions),
            Clock.fixed(Instant.ofEpochSecond(1), ZoneOffset.UTC),
            model,
            model,
            new NoMemory());
    private final DynamicCapacity capacity = device.capacity();

    /** By messages, for that has all commands of a head. */
    private final Mailbox mailbox = new Mailbox(device, Optional.of(new FiveHeads()), error -> {
                throw new AssertionError("internal error", error);
            })
            .ldCci();

    private final Map<Integer, Opcode> commands =
            mailbox.commands().stream().collect(Collectors.toMap(Opcode::code, command -> command));
    private final List<Runnable> steps = new ArrayList<>();

    private MailboxCommands(Input input) {
        this.input = input;
        device.background().runLater(steps::add);
    }

    /** Fails when device, model and answers disagree. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        MailboxCommands run = new MailboxCommands(new Input(bytes));
        for (int step = 0; step < STEPS_LIMIT && !run.input.isEmpty(); step++) {
            run.step();
            run.model.check(run.capacity);
        }
        run.device.reset();
        run.model.check(run.capacity);
        Check.equal(DynamicCapacity.MAX_EXTENTS, run.capacity.extentsAvailable(), "extents available after reset");
    }

    private void step() {
        switch (input.below(14)) {
            case 0 -> execute(opcode(), input.bytes(input.u8()));
            case 1 -> execute(opcode(), input.bytes(input.below(Mailbox.MAX_PAYLOAD_BYTES + 2)));
            case 2 -> execute(opcode(), new byte[input.below(Mailbox.MAX_PAYLOAD_BYTES + 2)]);
            case 3 -> capacity.add(input.below(3), ranges(), input.flag() ? new UUID(1, input.u8()) : Extent.NO_TAG);
            case 4 -> capacity.release(ReleaseRequest.prescriptive(input.below(3), ranges()));
            case 5 ->
                capacity.release(
                        ReleaseRequest.prescriptive(input.below(3), ranges()).byForce(true));
            case 6 -> execute(0x4802, hostList(offered()));
            case 7 -> execute(0x4803, hostList(capacity.accepted()));
            case 8 -> execute(0x4802 + (input.u8() & 1), hostList(List.of()));
            case 9 -> clearEvents();
            case 10 -> model.toggleForeign(dpa());
            case 11 -> checkAccess(dpa() + input.u16(), 1 + input.below(4 * (int) BLOCK));
            case 12 -> goOnInTheBackground();
            default -> {
                device.reset();
                mailbox.reset();
            }
        }
    }

    private void goOnInTheBackground() {
        List<Runnable> due = List.copyOf(steps);
        steps.clear();
        due.forEach(Runnable::run);
    }

    /** All opcodes of the interface, and some that are none. */
    private int opcode() {
        int row = input.u8();
        return row < 0xF0
                ? mailbox.commands().get(row % commands.size()).code()
                : row == 0xF0 ? UNKNOWN_OPCODE : input.u16();
    }

    private long dpa() {
        return regions.get(input.u8() & 1).baseDpa() + input.below(BLOCKS_PER_REGION) * BLOCK;
    }

    private List<Range> ranges() {
        List<Range> ranges = new ArrayList<>();
        int shape = input.u8();
        for (int i = shape & 7; i > 0; i--) {
            ranges.add(
                    shape < 0xF0
                            ? new Range(input.below(72) * BLOCK, input.below(9) * BLOCK)
                            : new Range(input.u64(), input.u64()));
        }
        if (shape == 0xE8) {
            for (int block = 0; block < BLOCKS_PER_REGION; block += 2) {
                ranges.add(new Range(block * BLOCK, BLOCK));
            }
        }
        return ranges;
    }

    private List<Extent> offered() {
        return capacity.pending().stream()
                .map(PendingGroup::extents)
                .filter(extents -> !extents.isEmpty())
                .skip(input.u8() & 1)
                .findFirst()
                .orElse(List.of());
    }

    /** What the host names: extents as they are, or less of them, or anything. */
    private byte[] hostList(List<Extent> known) {
        int shape = input.u8();
        List<Extent> named = new ArrayList<>();
        for (Extent extent : known.subList(0, Math.min(known.size(), 84))) {
            switch (shape & 3) {
                case 0 -> named.add(extent);
                case 1 -> {
                    if (input.flag()) {
                        named.add(extent);
                    }
                }
                case 2 ->
                    named.add(
                            extent.withRange(extent.startDpa() + input.below(3) * BLOCK, (1 + input.below(3)) * BLOCK));
                default ->
                    named.add(extent.withRange(extent.startDpa() + (input.u8() << 20), input.u16() * (BLOCK / 2)));
            }
        }
        for (int i = shape >> 4 & 3; i > 0; i--) {
            named.add(Extent.untagged(dpa(), input.below(9) * BLOCK));
        }
        if ((shape & 0x80) != 0) {
            named.add(Extent.untagged(input.u64(), input.u64()));
        }
        ByteBuffer list = ByteBuffer.allocate(8 + 24 * named.size()).order(ByteOrder.LITTLE_ENDIAN);
        list.putInt(named.size()).put((byte) (shape >> 2 & 1)).position(8);
        named.forEach(extent ->
                list.putLong(extent.startDpa()).putLong(extent.lengthBytes()).putLong(0));
        return list.array();
    }

    private void clearEvents() {
        List<EventRecord> oldest = device.log(EventLog.Kind.DYNAMIC_CAPACITY).oldest(input.u8());
        ByteBuffer list = ByteBuffer.allocate(6 + 2 * oldest.size()).order(ByteOrder.LITTLE_ENDIAN);
        list.put((byte) 4).put((byte) 0).put((byte) oldest.size()).position(6);
        oldest.forEach(record -> list.putShort((short) record.handle()));
        int before = device.log(EventLog.Kind.DYNAMIC_CAPACITY).size();
        Check.equal(ReturnCode.SUCCESS, execute(0x0101, list.array()).code(), "clearing the oldest records");
        int after = device.log(EventLog.Kind.DYNAMIC_CAPACITY).size();
        Check.equal(before - oldest.size(), after, "records left");
    }

    private Response execute(int opcode, byte[] payload) {
        List<Extent> before = capacity.accepted();
        Response response = mailbox.execute(opcode, payload);
        byte[] answer = response.payload();
        Check.that(response.code() != ReturnCode.INTERNAL_ERROR, "internal error");
        Check.that(response.isSuccess() || answer.length == 0, "an error has no payload");
        Check.that(answer.length <= Mailbox.MAX_PAYLOAD_BYTES, "payload too long");
        Optional<Opcode> row = Optional.ofNullable(commands.get(opcode));
        boolean isUnsupported = response.code() == ReturnCode.UNSUPPORTED;
        Check.that(isUnsupported || row.isPresent(), "an unknown command is supported");
        Check.that(!isUnsupported || row.isEmpty() || UNSUPPORTED_IN_PART.contains(opcode), "unsupported");
        if (row.isPresent() && response.isSuccess()) {
            checkLength(row.get(), payload, answer);
        }
        if (opcode < 0x4802 || opcode > 0x4803 || !response.isSuccess()) {
            Check.equal(before, capacity.accepted(), "accepted extents after a command that changes none");
        }
        if (opcode == 0x4801 && response.isSuccess()) {
            checkExtentList(payload, answer);
        }
        return response;
    }

    private static void checkLength(Opcode row, byte[] request, byte[] answer) {
        int length = request.length;
        Check.that(
                length >= row.input().min() && length <= row.input().max(), "a wrong input length is taken: " + length);
        Layout layout = row.response();
        ByteBuffer asked = ByteBuffer.wrap(request).order(ByteOrder.LITTLE_ENDIAN);
        switch (row.code()) {
            case 0x0401 -> Check.equal(asked.getInt(20), answer.length, "length of a log");
            case 0x0501 -> Check.that(answer.length <= asked.getChar(18), "more of a feature than wanted");
            case 0x4102 -> Check.equal(asked.getInt(4), answer.length, "length of labels");
            case 0x4402 -> Check.that(asked.getInt(4) == 0 || answer.length == 0, "ranges that are discovered");
            default -> {
                // The layout says all.
            }
        }
        if (answer.length == 0 && row.code() == 0x4402) {
            return;
        }
        Payload payload = layout.over(answer);
        Check.equal(layout.lengthBytes(payload.entryCount()), (long) answer.length, "length by layout of " + row);
    }

    private void checkExtentList(byte[] request, byte[] answer) {
        Payload asked = Layouts.GET_DC_EXTENT_LIST.over(request);
        Payload list = Layouts.DC_EXTENT_LIST.over(answer);
        Check.equal((long) capacity.acceptedCount(), list.number("totalExtents"), "total extents");
        Check.equal(Integer.toUnsignedLong(capacity.generation()), list.number("generation"), "generation");
        int start = (int) asked.number("startIndex");
        long most = Math.min(asked.number("extentCount"), capacity.acceptedCount() - start);
        Check.that(list.entryCount() <= most && (list.entryCount() > 0 || most == 0), "returned extents");
        for (int i = 0; i < list.entryCount(); i++) {
            Extent extent = capacity.accepted().get(start + i);
            Check.equal(extent.startDpa(), list.entry(i).number("startDpa"), "start of an extent");
            Check.equal(extent.lengthBytes(), list.entry(i).number("lengthBytes"), "length of an extent");
            Check.equal(extent.tag(), list.entry(i).uuid("tag"), "tag of an extent");
        }
    }

    private void checkAccess(long dpa, int lengthBytes) {
        Optional<Cause> cause = device.checkAccess(dpa, lengthBytes).map(Refusal::cause);
        boolean isInside = capacity.regionOf(dpa, lengthBytes).isPresent();
        boolean isDisabled = device.sanitizer().isMediaDisabled();
        Check.equal(
                isInside && model.isAccepted(dpa, lengthBytes) && !isDisabled,
                cause.isEmpty(),
                "access to dpa=" + dpa + " length=" + lengthBytes);
    }

    private static final class FiveHeads implements MultiHeadInfo {
        @Override
        public int headCount() {
            return 5;
        }

        @Override
        public int ldCount() {
            return 5;
        }

        @Override
        public int headOf(int ld) {
            return isAttached(ld) ? ld : NO_HEAD;
        }

        @Override
        public boolean isAttached(int head) {
            Check.that(head >= 0 && head < headCount(), "asked for head " + head);
            return head % 2 == 0;
        }
    }

    private static final class NoMemory implements DcMemory {
        @Override
        public void read(long dpa, byte[] destination, int destinationOffset, int lengthBytes) {}

        @Override
        public boolean write(long dpa, byte[] source, int sourceOffset, int lengthBytes) {
            return true;
        }

        @Override
        public boolean fill(long dpa, long lengthBytes, byte value) {
            return true;
        }

        @Override
        public int crc32c(long dpa, long lengthBytes) {
            return 0;
        }
    }
}
