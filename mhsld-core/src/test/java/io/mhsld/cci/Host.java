package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mhsld.type3.Extent;
import io.mhsld.type3.HandSteps;
import io.mhsld.type3.TestDevice;
import io.mhsld.type3.Type3Device;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * A host that writes and reads payloads by hand, byte by byte, so that the layouts of the code under test have no part in it.
 */
final class Host {
    final TestDevice.HandClock clock = new TestDevice.HandClock();
    final Type3Device device;
    final Mailbox mailbox;

    /** The same head by messages. */
    final Mailbox ldCci;

    /** What goes on in the background, step by step. */
    final HandSteps steps = new HandSteps();

    Host(int regions, Optional<MultiHeadInfo> multiHead) {
        device = TestDevice.with(TestDevice.regions(regions), clock);
        mailbox = new Mailbox(device, multiHead, error -> {
            throw new AssertionError("internal error", error);
        });
        ldCci = mailbox.ldCci();
        device.background().runLater(steps);
    }

    /** Offers blocks of the first region and accepts them. */
    Host owning(long first, long count) {
        assertEquals(
                Optional.empty(), device.capacity().add(0, List.of(TestDevice.blocks(first, count)), Extent.NO_TAG));
        assertEquals(ReturnCode.SUCCESS, respond(blocks(first, count)));
        return this;
    }

    static Host singleHeaded() {
        return new Host(1, Optional.empty());
    }

    static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits.replace(" ", ""));
    }

    ReturnCode code(int opcode, String inputDigits) {
        return code(opcode, hex(inputDigits));
    }

    ReturnCode code(int opcode, byte[] input) {
        Response response = mailbox.execute(opcode, input);
        if (!response.isSuccess()) {
            assertEquals(0, response.payload().length, "payload of an error");
        }
        return response.code();
    }

    /** Little-endian bytes for tables of inputs. */
    static ByteBuffer input(int length) {
        return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The output of a command that must succeed. */
    ByteBuffer output(int opcode, String inputDigits) {
        return output(opcode, hex(inputDigits));
    }

    ByteBuffer output(int opcode, byte[] input) {
        Response response = mailbox.execute(opcode, input);
        assertEquals(ReturnCode.SUCCESS, response.code());
        return ByteBuffer.wrap(response.payload()).order(ByteOrder.LITTLE_ENDIAN);
    }

    byte[] outputBytes(int opcode, String inputDigits) {
        Response response = mailbox.execute(opcode, hex(inputDigits));
        assertEquals(ReturnCode.SUCCESS, response.code());
        return response.payload();
    }

    static byte[] extentList(boolean more, long[]... extents) {
        ByteBuffer list = ByteBuffer.allocate(8 + 24 * extents.length).order(ByteOrder.LITTLE_ENDIAN);
        list.putInt(extents.length).put((byte) (more ? 1 : 0)).position(8);
        for (long[] extent : extents) {
            list.putLong(extent[0]).putLong(extent[1]).putLong(0);
        }
        return list.array();
    }

    /** A range in blocks of the first region: start DPA and length. */
    static long[] blocks(long first, long count) {
        return new long[] {TestDevice.BASE + first * TestDevice.BLOCK, count * TestDevice.BLOCK};
    }

    ReturnCode respond(long[]... extents) {
        return code(0x4802, extentList(false, extents));
    }

    ReturnCode release(long[]... extents) {
        return code(0x4803, extentList(false, extents));
    }

    /** 4801h: returned, total, generation, and the extents' start and length. */
    record ExtentAnswer(long returned, long total, long generation, List<long[]> extents) {}

    ExtentAnswer extents(long count, long start) {
        ByteBuffer input = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        input.putInt((int) count).putInt((int) start);
        ByteBuffer output = output(0x4801, input.array());
        int returned = output.getInt(0);
        List<long[]> extents = new ArrayList<>();
        for (int i = 0; i < returned; i++) {
            extents.add(new long[] {output.getLong(16 + 40 * i), output.getLong(24 + 40 * i)});
        }
        assertEquals(16 + 40 * returned, output.capacity());
        return new ExtentAnswer(returned, output.getInt(4), output.getInt(8), extents);
    }

    ByteBuffer events() {
        return output(0x0100, "04");
    }

    ReturnCode clear(int... handles) {
        ByteBuffer input = ByteBuffer.allocate(6 + 2 * handles.length).order(ByteOrder.LITTLE_ENDIAN);
        input.put((byte) 4).put((byte) 0).put((byte) handles.length).position(6);
        Arrays.stream(handles).forEach(handle -> input.putShort((short) handle));
        return code(0x0101, input.array());
    }
}
