package io.mhsld.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.kenai.jffi.CallContext;
import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.LastError;
import com.kenai.jffi.Library;
import com.kenai.jffi.MemoryIO;
import com.kenai.jffi.Type;
import io.mhsld.media.NativeCode;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.util.Arrays;

/** System calls of a client: descriptors that go and come with messages, and counters of events. */
final class NativeSocket {
    private static final Library LIBRARY = NativeCode.load(Library::getDefault);
    private static final int EFD_NONBLOCK = 0x800;
    private static final int CONTROL_AT = 128;
    private static final int CONTROL_HEADER = 16;
    private static final int DESCRIPTORS_LIMIT = 253;

    private NativeSocket() {}

    static long call(String name, long... arguments) {
        Type[] types = new Type[3];
        Arrays.fill(types, Type.SINT64);
        long[] three = Arrays.copyOf(arguments, 3);
        return Invoker.getInstance()
                .invokeL3(
                        CallContext.getCallContext(Type.SINT64, types, CallingConvention.DEFAULT, true),
                        LIBRARY.getSymbolAddress(name),
                        three[0],
                        three[1],
                        three[2]);
    }

    /** A counter of events that is 0. */
    static int eventCounter() {
        return (int) call("eventfd", 0, EFD_NONBLOCK);
    }

    /** The events since the last time. */
    static long takeEvents(int counter) {
        ByteBuffer count = direct(Long.BYTES);
        return call("read", counter, address(count), Long.BYTES) == Long.BYTES ? count.getLong(0) : 0;
    }

    /** Waits for so many events since the last time; they are counted soon, and not at once. */
    static void awaitEvents(int counter, long events, String what) {
        long[] taken = {0};
        RunningVfioUserServer.await(events + " events: " + what, () -> {
            taken[0] += takeEvents(counter);
            return taken[0] >= events;
        });
        assertEquals(events, taken[0], what);
    }

    static void writeEvents(int counter, long events) {
        ByteBuffer count = direct(Long.BYTES).putLong(0, events);
        call("write", counter, address(count), Long.BYTES);
    }

    /** The end to read from and the end to write to. */
    static int[] pipe() {
        ByteBuffer ends = direct(2 * Integer.BYTES);
        call("pipe", address(ends));
        return new int[] {ends.getInt(0), ends.getInt(Integer.BYTES)};
    }

    static void close(int descriptor) {
        call("close", descriptor);
    }

    /** Sends bytes, and descriptors beside them. */
    static void send(SocketChannel channel, byte[] bytes, int... descriptors) throws IOException {
        ByteBuffer data = direct(bytes.length).put(0, bytes);
        ByteBuffer memory = header(data, descriptors.length);
        memory.putLong(CONTROL_AT, CONTROL_HEADER + (long) descriptors.length * Integer.BYTES);
        memory.putInt(CONTROL_AT + 8, 1).putInt(CONTROL_AT + 12, 1);
        for (int i = 0; i < descriptors.length; i++) {
            memory.putInt(CONTROL_AT + CONTROL_HEADER + i * Integer.BYTES, descriptors[i]);
        }
        long sent = call("sendmsg", number(channel), address(memory), 0x4000);
        if (sent != bytes.length) {
            throw new IOException(
                    "sent=" + sent + " error=" + LastError.getInstance().get());
        }
    }

    /** Receives up to so many bytes; fails when a descriptor comes with them. Empty at the end. */
    static ByteBuffer receive(SocketChannel channel, int limit) throws IOException {
        ByteBuffer data = direct(limit);
        ByteBuffer memory = header(data, DESCRIPTORS_LIMIT);
        long received = call("recvmsg", number(channel), address(memory), 0);
        if (received < 0) {
            throw new IOException("error=" + LastError.getInstance().get());
        }
        if (memory.getLong(40) != 0) {
            throw new AssertionError("a descriptor came: controlLength=" + memory.getLong(40));
        }
        return data.limit((int) received);
    }

    private static ByteBuffer header(ByteBuffer data, int descriptors) {
        int controlLength = CONTROL_HEADER + (descriptors + 1) / 2 * 2 * Integer.BYTES;
        ByteBuffer memory = direct(CONTROL_AT + controlLength);
        memory.putLong(16, address(memory) + 64).putLong(24, 1);
        memory.putLong(64, address(data)).putLong(72, data.capacity());
        if (descriptors > 0) {
            memory.putLong(32, address(memory) + CONTROL_AT).putLong(40, controlLength);
        }
        return memory;
    }

    private static ByteBuffer direct(int length) {
        return ByteBuffer.allocateDirect(length).order(ByteOrder.nativeOrder());
    }

    private static long address(ByteBuffer buffer) {
        return MemoryIO.getInstance().getDirectBufferAddress(buffer);
    }

    static int number(SocketChannel channel) {
        try {
            Method method = Class.forName("sun.nio.ch.SelChImpl").getMethod("getFDVal");
            method.setAccessible(true);
            return (Integer) method.invoke(channel);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("socket has no number", e);
        }
    }
}
