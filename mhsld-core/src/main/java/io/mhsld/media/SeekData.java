package io.mhsld.media;

import com.kenai.jffi.CallContext;
import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.LastError;
import com.kenai.jffi.Library;
import com.kenai.jffi.Type;

/**
 * The system call lseek(2), of which Java offers little: where is the next byte of a file that is no hole, where the next hole? Asking costs a third of
 * making a hole where there is one already. File positions are not used otherwise, so that they change does no harm.
 */
final class SeekData {
    private static final int SEEK_END = 2;
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;

    /** Nothing but a hole up to the end of the file. */
    private static final int ENXIO = 6;

    private SeekData() {}

    /**
     * True when the kernel says that the whole range, which lies in the file, is a hole: it reads as zero, whoever has written what before.
     * False when some of it is data, and where the kernel does not know.
     */
    static boolean isHole(int descriptor, long offset, long lengthBytes) {
        try {
            long next = Function.call(descriptor, offset, SEEK_DATA);
            return next >= 0
                    ? next - offset >= lengthBytes
                    : LastError.getInstance().get() == ENXIO;
        } catch (LinkageError e) {
            return false;
        }
    }

    /** True when the kernel says that no part of the range is a hole: a store takes no space. */
    static boolean isData(int descriptor, long offset, long lengthBytes) {
        try {
            return Function.call(descriptor, offset, SEEK_HOLE) - offset >= lengthBytes;
        } catch (LinkageError e) {
            return false;
        }
    }

    /** The length of the file, negative where it cannot be asked for so: a third of the time that Java takes. */
    static long length(int descriptor) {
        try {
            return Function.call(descriptor, 0, SEEK_END);
        } catch (LinkageError e) {
            return -1;
        }
    }

    private static final class Function {
        private static final long ADDRESS = address();
        /** Numbers as wide as registers go the short way through jffi; the system looks at the lower half of those that are narrower. */
        private static final CallContext CONTEXT = CallContext.getCallContext(
                Type.SINT64, new Type[] {Type.SINT64, Type.SINT64, Type.SINT64}, CallingConvention.DEFAULT, true);

        private static long address() {
            Library library = NativeCode.load(Library::getDefault);
            // Where both exist, the plain name may take 32-bit offsets.
            long address = library.getSymbolAddress("lseek64");
            if (address == 0) {
                address = library.getSymbolAddress("lseek");
            }
            if (address == 0) {
                throw new UnsatisfiedLinkError("lseek");
            }
            return address;
        }

        static long call(int descriptor, long offset, int whence) {
            return Invoker.getInstance().invokeL3(CONTEXT, ADDRESS, descriptor, offset, whence);
        }
    }
}
