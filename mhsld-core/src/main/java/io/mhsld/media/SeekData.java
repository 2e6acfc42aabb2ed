package io.mhsld.media;

import com.kenai.jffi.CallContext;
import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.HeapInvocationBuffer;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.LastError;
import com.kenai.jffi.Library;
import com.kenai.jffi.Type;

/**
 * The system call lseek(2) with SEEK_DATA, which Java does not offer: where is the next byte of a file that is no hole? Asking costs a third of
 * making a hole where there is one already. File positions are not used otherwise, so that they change does no harm.
 */
final class SeekData {
    private static final int SEEK_DATA = 3;

    /** Nothing but a hole up to the end of the file. */
    private static final int ENXIO = 6;

    private SeekData() {}

    /**
     * True when the kernel says that the whole range, which lies in the file, is a hole: it reads as zero, whoever has written what before.
     * False when some of it is data, and where the kernel does not know.
     */
    static boolean isHole(int descriptor, long offset, long lengthBytes) {
        try {
            long next = Function.call(descriptor, offset);
            return next >= 0
                    ? next - offset >= lengthBytes
                    : LastError.getInstance().get() == ENXIO;
        } catch (LinkageError e) {
            return false;
        }
    }

    private static final class Function {
        private static final long ADDRESS = address();
        private static final CallContext CONTEXT = CallContext.getCallContext(
                Type.SINT64, new Type[] {Type.SINT32, Type.SINT64, Type.SINT32}, CallingConvention.DEFAULT, true);

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

        static long call(int descriptor, long offset) {
            HeapInvocationBuffer arguments = new HeapInvocationBuffer(CONTEXT);
            arguments.putInt(descriptor);
            arguments.putLong(offset);
            arguments.putInt(SEEK_DATA);
            return Invoker.getInstance().invokeLong(CONTEXT, ADDRESS, arguments);
        }
    }
}
