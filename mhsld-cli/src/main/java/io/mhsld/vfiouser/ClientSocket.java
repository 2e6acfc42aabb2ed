package io.mhsld.vfiouser;

import com.kenai.jffi.CallContext;
import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.LastError;
import com.kenai.jffi.Library;
import com.kenai.jffi.MemoryIO;
import com.kenai.jffi.Platform;
import com.kenai.jffi.Type;
import io.mhsld.head.Lookout;
import io.mhsld.media.NativeCode;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/**
 * A connected unix socket that also receives descriptors, which Java's own does not: recvmsg(2) and send(2) through jffi, one call for a message each way.
 * A library for it exists (junixsocket), but it cannot be told to expect more than 60 descriptors at a time, and loses those of a message that has more,
 * still open. Here there is room for as many as the kernel ever gives.
 *
 * <pre>
 *   struct msghdr, 64-bit                       struct cmsghdr
 *    0  name            (none)                   0  length, with this header
 *    8  name length                              8  level   SOL_SOCKET
 *   16  parts           one                     12  type    SCM_RIGHTS
 *   24  number of parts                         16  descriptors, 4 bytes each
 *   32  control
 *   40  control length
 *   48  flags
 * </pre>
 */
final class ClientSocket implements AutoCloseable {
    /** Of one message: SCM_MAX_FD. */
    static final int RECEIVED_DESCRIPTORS_LIMIT = 253;

    private static final int BUFFER_LENGTH = 1 << 16;

    private static final int PARTS_OFFSET = 16;
    private static final int PART_COUNT_OFFSET = 24;
    private static final int CONTROL_OFFSET = 32;
    private static final int CONTROL_LENGTH_OFFSET = 40;
    private static final int MESSAGE_FLAGS_OFFSET = 48;
    /** Behind the msghdr. */
    private static final int PART_AT = 64;

    private static final int CONTROL_AT = 128;
    private static final int CONTROL_LEVEL_OFFSET = 8;
    private static final int CONTROL_TYPE_OFFSET = 12;
    private static final int CONTROL_DATA_OFFSET = 16;
    private static final int CONTROL_LENGTH = CONTROL_DATA_OFFSET + (RECEIVED_DESCRIPTORS_LIMIT + 1) * Integer.BYTES;
    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;

    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;

    private static final int POLLOUT = 0x4;
    private static final int POLLHUP = 0x10;
    private static final int POLLRDHUP = 0x2000;
    private static final int POLL_LENGTH = 8;
    private static final int POLL_RESULT_OFFSET = 6;

    private static final int EINTR = 4;
    private static final int EAGAIN = 11;

    private final SocketChannel channel;
    private final int number;
    private final ByteBuffer memory = direct(CONTROL_AT + CONTROL_LENGTH);
    private final long memoryAddress = addressOf(memory);
    private final ByteBuffer in = direct(BUFFER_LENGTH);
    private final ByteBuffer out = direct(BUFFER_LENGTH);
    private final long outAddress = addressOf(out);
    private final ByteBuffer poll = direct(POLL_LENGTH);
    private final int[] descriptors = new int[RECEIVED_DESCRIPTORS_LIMIT + 1];
    private final Lookout lookout = new Lookout();
    private int descriptorCount;
    private boolean closed;

    /** Takes over the channel. */
    ClientSocket(SocketChannel channel) throws IOException {
        this.channel = channel;
        this.number = Native.numberOf(channel);
        memory.putLong(PARTS_OFFSET, memoryAddress + PART_AT);
        memory.putLong(PART_COUNT_OFFSET, 1);
        memory.putLong(CONTROL_OFFSET, memoryAddress + CONTROL_AT);
        memory.putLong(PART_AT, addressOf(in));
        memory.putLong(PART_AT + Long.BYTES, BUFFER_LENGTH);
    }

    /**
     * Loads what is needed, once.
     *
     * @throws LinkageError when this system does not have it
     */
    static void load() {
        Native.load();
    }

    /** Waits for bytes; null at the end. Good until the next call. */
    ByteBuffer receive() throws IOException {
        descriptorCount = 0;
        long count = -1;
        boolean isNoneYet = true;
        lookout.begin();
        while (isNoneYet && lookout.looksOn()) {
            count = receive(MSG_DONTWAIT);
            isNoneYet = count < 0 && Native.error() == EAGAIN;
        }
        if (isNoneYet) {
            count = receive(0);
        }
        lookout.found();
        if (count < 0) {
            throw new IOException("cannot be received from: error=" + Native.error());
        }
        readDescriptors((int) memory.getLong(CONTROL_LENGTH_OFFSET));
        return count == 0 ? null : in.limit((int) count).position(0);
    }

    private long receive(int flags) {
        long count;
        do {
            memory.putLong(CONTROL_LENGTH_OFFSET, CONTROL_LENGTH);
            memory.putInt(MESSAGE_FLAGS_OFFSET, 0);
            count = Native.call(Native.RECVMSG, number, memoryAddress, MSG_CMSG_CLOEXEC | flags);
        } while (count < 0 && Native.error() == EINTR);
        return count;
    }

    /** Those that came with the last {@link #receive}. */
    int[] descriptors() {
        return descriptors;
    }

    /** How many of {@link #descriptors} there are. */
    int descriptorCount() {
        return descriptorCount;
    }

    private void readDescriptors(int controlLength) {
        int at = CONTROL_AT;
        int controlEnd = CONTROL_AT + controlLength;
        while (at + CONTROL_DATA_OFFSET <= controlEnd) {
            int length = (int) memory.getLong(at);
            if (length < CONTROL_DATA_OFFSET) {
                return;
            }
            if (memory.getInt(at + CONTROL_LEVEL_OFFSET) == SOL_SOCKET
                    && memory.getInt(at + CONTROL_TYPE_OFFSET) == SCM_RIGHTS) {
                int end = Math.min(at + length, controlEnd);
                for (int i = at + CONTROL_DATA_OFFSET; i + Integer.BYTES <= end; i += Integer.BYTES) {
                    descriptors[descriptorCount++] = memory.getInt(i);
                }
            }
            at += (length + Long.BYTES - 1) / Long.BYTES * Long.BYTES;
        }
    }

    /**
     * Sends the first bytes of an array, and waits for a peer that does not read until the time is over.
     *
     * @throws SocketTimeoutException when it is
     */
    void send(byte[] bytes, int lengthBytes, long timeoutMs) throws IOException {
        long endNs = 0;
        int sent = 0;
        while (sent < lengthBytes) {
            int piece = Math.min(lengthBytes - sent, BUFFER_LENGTH);
            out.put(0, bytes, sent, piece);
            long count = Native.call(Native.SEND, number, outAddress, piece, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (count >= 0) {
                sent += (int) count;
                continue;
            }
            int error = Native.error();
            if (error == EAGAIN) {
                long now = System.nanoTime();
                endNs = endNs == 0 ? now + TimeUnit.MILLISECONDS.toNanos(timeoutMs) : endNs;
                long leftMs = TimeUnit.NANOSECONDS.toMillis(endNs - now);
                if (leftMs <= 0) {
                    throw new SocketTimeoutException("does not read its answers: waitedMs=" + timeoutMs);
                }
                Native.poll(poll, number, POLLOUT, (int) leftMs);
            } else if (error != EINTR) {
                throw new IOException("cannot be sent to: error=" + error);
            }
        }
    }

    /** True when the other end is gone, whatever it has sent before. Any thread. */
    synchronized boolean isHungUp() {
        return closed || (Native.poll(direct(POLL_LENGTH), number, POLLRDHUP, 0) & (POLLRDHUP | POLLHUP)) != 0;
    }

    /** Whoever waits in here waits no longer. Any thread. */
    synchronized void shutDown() {
        if (!closed) {
            try {
                channel.shutdownInput();
                channel.shutdownOutput();
            } catch (IOException e) {
                // The other end was faster.
            }
        }
    }

    /** Only where nobody else receives or sends. */
    @Override
    public synchronized void close() throws IOException {
        closed = true;
        channel.close();
    }

    private static ByteBuffer direct(int length) {
        return ByteBuffer.allocateDirect(length).order(ByteOrder.nativeOrder());
    }

    private static long addressOf(ByteBuffer buffer) {
        return MemoryIO.getInstance().getDirectBufferAddress(buffer);
    }

    /** What the system does with descriptors. */
    static final class SystemDescriptors implements Descriptors, Bell.Clapper {
        private static final int F_SETFL = 4;
        private static final int F_DUPFD_CLOEXEC = 1030;
        private static final int O_NONBLOCK = 0x800;

        private final Bell bell = new Bell(this);

        // The bell's thread's own.
        private final ByteBuffer poll = direct(POLL_LENGTH);
        private final ByteBuffer count = direct(Long.BYTES);
        private final long countAddress = addressOf(count);

        SystemDescriptors() {
            bell.start();
        }

        @Override
        public void close(int descriptor) {
            Native.call(Native.CLOSE, descriptor, 0, 0);
        }

        @Override
        public boolean isEventCounter(int descriptor) {
            try {
                return Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor))
                                .toString()
                                .equals("anon_inode:[eventfd]")
                        && isMadeNotToWait(descriptor);
            } catch (IOException e) {
                return false;
            }
        }

        @Override
        public void signal(int counter) {
            bell.ring(counter);
        }

        @Override
        public void release(int counter) {
            bell.release(counter);
        }

        /** Waits until all that was released is closed. Not within a turn. */
        void settle() throws InterruptedException {
            bell.settle();
        }

        /** Nothing is counted any more. */
        void end() {
            bell.stop();
        }

        @Override
        public void add(int counter, long events) {
            // One that is full tells of events already. It is asked first, for it may be one that waits.
            if ((Native.poll(poll, counter, POLLOUT, 0) & POLLOUT) != 0) {
                count.putLong(0, events);
                Native.call(Native.WRITE, counter, countAddress, Long.BYTES);
            }
        }

        @Override
        public void drain(int counter) {
            if (isMadeNotToWait(counter)) {
                ByteBuffer taken = direct(Long.BYTES);
                Native.call(Native.READ, counter, addressOf(taken), taken.capacity());
            }
        }

        @Override
        public int copy(int counter) {
            return (int) Native.call(Native.FCNTL, counter, F_DUPFD_CLOEXEC, 0);
        }

        private static boolean isMadeNotToWait(int counter) {
            return (int) Native.call(Native.FCNTL, counter, F_SETFL, O_NONBLOCK) == 0;
        }
    }

    /** The calls, loaded at their first use. Numbers as wide as registers go the short way through jffi. */
    private static final class Native {
        private static final Library LIBRARY = NativeCode.load(Library::getDefault);
        private static final long RECVMSG = address("recvmsg");
        private static final long SEND = address("send");
        private static final long CLOSE = address("close");
        private static final long READ = address("read");
        private static final long WRITE = address("write");
        private static final long POLL = address("poll");
        private static final long FCNTL = address("fcntl");
        private static final CallContext THREE = context(3);
        private static final CallContext FOUR = context(4);

        private static CallContext context(int arguments) {
            Type[] types = new Type[arguments];
            Arrays.fill(types, Type.SINT64);
            return CallContext.getCallContext(Type.SINT64, types, CallingConvention.DEFAULT, true);
        }

        private static long address(String name) {
            long address = LIBRARY.getSymbolAddress(name);
            if (address == 0) {
                throw new UnsatisfiedLinkError(name);
            }
            return address;
        }

        static void load() {
            if (Platform.getPlatform().addressSize() != Long.SIZE) {
                throw new UnsatisfiedLinkError("descriptors are received on 64-bit systems only");
            }
        }

        static long call(long function, long first, long second, long third) {
            return Invoker.getInstance().invokeL3(THREE, function, first, second, third);
        }

        static long call(long function, long first, long second, long third, long fourth) {
            return Invoker.getInstance().invokeL4(FOUR, function, first, second, third, fourth);
        }

        static int error() {
            return LastError.getInstance().get();
        }

        /** What of these events has happened; the wait may be cut short by a signal. */
        static int poll(ByteBuffer memory, int descriptor, int events, int timeoutMs) {
            memory.putInt(0, descriptor);
            memory.putShort(Integer.BYTES, (short) events);
            memory.putShort(POLL_RESULT_OFFSET, (short) 0);
            call(POLL, addressOf(memory), 1, timeoutMs);
            return memory.getShort(POLL_RESULT_OFFSET);
        }

        /** The number by which the system knows a channel: a word of the JDK's own classes, which are open to us. */
        static int numberOf(SocketChannel channel) throws IOException {
            try {
                Method method = Class.forName("sun.nio.ch.SelChImpl").getMethod("getFDVal");
                method.setAccessible(true);
                return (Integer) method.invoke(channel);
            } catch (ReflectiveOperationException | RuntimeException e) {
                throw new IOException("socket has no number", e);
            }
        }
    }
}
