package io.mhsld.media;

import com.kenai.jffi.CallContext;
import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.HeapInvocationBuffer;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.LastError;
import com.kenai.jffi.Library;
import com.kenai.jffi.Type;

/**
 * The system call fallocate(2), which Java does not offer. It goes through jffi, the lowest layer of what Chronicle's own library
 * for such calls stands on: the layers above cost three times its loading time and memory, and lose the error number on the way.
 */
final class Fallocate {
    /** Reserves a range. */
    static final int RESERVE = 0;
    /** Turns a range into a hole and leaves the length of the file alone: FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE. */
    static final int PUNCH_HOLE = 0x02 | 0x01;

    // Linux's generic error numbers. The few machines that number some of them otherwise get an exception with the
    // number in it.
    static final int EINTR = 4;
    static final int EBADF = 9;
    static final int ENOMEM = 12;
    static final int ENOSPC = 28;
    static final int ENOSYS = 38;
    static final int EOPNOTSUPP = 95;
    static final int EDQUOT = 122;

    private static final int MAX_INTERRUPTIONS = 1000;

    private Fallocate() {}

    /**
     * Calls fallocate, again when a signal interrupts it.
     *
     * @return 0, or the error number; {@link #ENOSYS} where native calls cannot be had (unknown platform, temporary folder without
     *     execution).
     */
    static int call(int descriptor, int mode, long offset, long lengthBytes) {
        int error = EINTR;
        for (int attempt = 0; error == EINTR && attempt < MAX_INTERRUPTIONS; attempt++) {
            error = callOnce(descriptor, mode, offset, lengthBytes);
        }
        return error;
    }

    private static int callOnce(int descriptor, int mode, long offset, long lengthBytes) {
        try {
            return Function.call(descriptor, mode, offset, lengthBytes);
        } catch (LinkageError e) {
            return ENOSYS;
        }
    }

    /** Loads the native code at its first use: up to 60 ms and 6 MiB that a head spends only when it scrubs. */
    private static final class Function {
        private static final long ADDRESS = address();
        private static final CallContext CONTEXT = CallContext.getCallContext(
                Type.SINT32,
                new Type[] {Type.SINT32, Type.SINT32, Type.SINT64, Type.SINT64},
                CallingConvention.DEFAULT,
                true);

        private static long address() {
            Library library = NativeCode.load(Library::getDefault);
            // Where both exist, the plain name may take 32-bit offsets.
            long address = library.getSymbolAddress("fallocate64");
            if (address == 0) {
                address = library.getSymbolAddress("fallocate");
            }
            if (address == 0) {
                throw new UnsatisfiedLinkError("fallocate");
            }
            return address;
        }

        static int call(int descriptor, int mode, long offset, long lengthBytes) {
            HeapInvocationBuffer arguments = new HeapInvocationBuffer(CONTEXT);
            arguments.putInt(descriptor);
            arguments.putInt(mode);
            arguments.putLong(offset);
            arguments.putLong(lengthBytes);
            int result = Invoker.getInstance().invokeInt(CONTEXT, ADDRESS, arguments);
            return result == 0 ? 0 : LastError.getInstance().get();
        }
    }
}
