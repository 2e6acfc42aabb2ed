package io.mhsld.register;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * The DOE mailbox (PCI Express r6.1 6.30, 7.9.24): software writes an object word by word, says go, and reads the answer word by word. It knows
 * two kinds of objects: discovery, which lists the kinds, and CXL table access, which gives the {@link Cdat}.
 *
 * <p>An object is answered before the access that says go is over, so nobody sees the mailbox busy. Words are transferred by accesses that
 * cover a mailbox register as a whole; parts of one transfer nothing. An object whose length is not the number of its words is dropped
 * without a sign (6.30.1). For a whole object without an answer - of an unknown kind, of a known one with contents that mean nothing, or sent
 * while an answer waits to be read - the error bit is set, and all but an abort is ignored until there was one.
 */
public final class DataObjectExchange implements RegisterPart {
    /** Its table. */
    public static final RegisterLayout LAYOUT = PciLayouts.extended(
                    "data object exchange capability", 0x18, 0x002E, 1, ConfigurationSpace.FLEX_BUS_OFFSET, "7.9.24.1")
            .at(0x04, "7.9.24.2")
            .fixed("doe interrupt support", 0, 1, 1)
            .fixed("doe interrupt message number", 1, 11, 0)
            .at(0x08, "7.9.24.3")
            // Abort and go are commands: they read 0.
            .plain("doe abort", 0, 1, ResetDomain.FLR, 0)
            .plain("doe interrupt enable", 1, 1, ResetDomain.FLR, 0)
            .plain("doe go", 31, 1, ResetDomain.FLR, 0)
            .at(0x0C, "7.9.24.4")
            .shown("doe busy", 0, 1, ResetDomain.FLR, 0)
            .cleared("doe interrupt status", 1, 1, ResetDomain.FLR)
            .shown("doe error", 2, 1, ResetDomain.FLR, 0)
            .shown("data object ready", 31, 1, ResetDomain.FLR, 0)
            .at(0x10, "7.9.24.5")
            .plain("doe write data mailbox", 0, 32, ResetDomain.FLR, 0)
            .at(0x14, "7.9.24.6")
            .plain("doe read data mailbox", 0, 32, ResetDomain.FLR, 0)
            .layout();

    /** The MSI-X vector of its interrupt. */
    public static final int INTERRUPT_VECTOR = 0;

    private static final RegisterField ABORT = RegisterRows.field(LAYOUT, "doe abort");
    private static final RegisterField INTERRUPT_ENABLE = RegisterRows.field(LAYOUT, "doe interrupt enable");
    private static final RegisterField GO = RegisterRows.field(LAYOUT, "doe go");
    private static final RegisterField INTERRUPT_STATUS = RegisterRows.field(LAYOUT, "doe interrupt status");
    private static final RegisterField ERROR = RegisterRows.field(LAYOUT, "doe error");
    private static final RegisterField READY = RegisterRows.field(LAYOUT, "data object ready");
    private static final RegisterField WRITE_MAILBOX = RegisterRows.field(LAYOUT, "doe write data mailbox");
    private static final RegisterField READ_MAILBOX = RegisterRows.field(LAYOUT, "doe read data mailbox");

    private static final int DISCOVERY = 0x0000_0001;
    private static final int TABLE_ACCESS = 0x0002_1E98;
    /** The kinds of objects by their discovery index: vendor in the low half, type above. */
    private static final int[] KINDS = {DISCOVERY, TABLE_ACCESS};

    private static final int HEADER_WORDS = 2;
    /** Every request that has an answer is of this many words; of longer ones no more are kept. */
    private static final int REQUEST_WORDS = 3;
    /** Length 0 stands for this one (6.30.1). */
    private static final int MAX_OBJECT_WORDS = 1 << 18;

    private static final int LAST_ENTRY = 0xFFFF;

    private final RegisterBlock block = new RegisterBlock(LAYOUT);
    private final Cdat cdat;
    private final int[] request = new int[REQUEST_WORDS];
    private int writtenWords;
    private int[] answer = {};
    private int readWords;
    private boolean isAbort;
    private boolean isGo;
    private Runnable interrupt = () -> {};

    /** An idle mailbox. */
    public DataObjectExchange(Cdat cdat) {
        this.cdat = cdat;
        block.live(ABORT, () -> 0, written -> isAbort = written != 0);
        block.live(GO, () -> 0, written -> isGo = written != 0);
        block.live(READ_MAILBOX, this::nextWord);
        block.live(WRITE_MAILBOX, () -> 0);
    }

    /** Tells this listener, and no other, when the function would send its DOE interrupt. */
    public void onInterrupt(Runnable listener) {
        interrupt = listener;
    }

    @Override
    public long lengthBytes() {
        return block.lengthBytes();
    }

    @Override
    public void read(long offset, byte[] destination, int destinationOffset, int lengthBytes) {
        block.read(offset, destination, destinationOffset, lengthBytes);
    }

    @Override
    public void write(long offset, byte[] source, int sourceOffset, int lengthBytes) {
        block.write(offset, source, sourceOffset, lengthBytes);
        boolean aborts = isAbort;
        boolean goes = isGo;
        isAbort = false;
        isGo = false;
        if (aborts) {
            clear();
        } else if (block.get(ERROR) == 0) {
            if (goes) {
                go();
            }
            if (covers(WRITE_MAILBOX, offset, lengthBytes)) {
                take(word(source, sourceOffset + (int) (WRITE_MAILBOX.offset() - offset)));
            }
            if (covers(READ_MAILBOX, offset, lengthBytes)) {
                advance();
            }
        }
    }

    @Override
    public void reset(ResetKind kind) {
        block.reset(kind);
        clear();
    }

    private static boolean covers(RegisterField register, long offset, int lengthBytes) {
        return offset <= register.offset() && register.offset() + Integer.BYTES <= offset + lengthBytes;
    }

    private void clear() {
        writtenWords = 0;
        answer = new int[0];
        readWords = 0;
        block.set(ERROR, 0);
        block.set(READY, 0);
    }

    private void take(int word) {
        if (writtenWords < REQUEST_WORDS) {
            request[writtenWords] = word;
        }
        // Beyond the longest object there is nothing to count.
        writtenWords = Math.min(writtenWords + 1, MAX_OBJECT_WORDS + 1);
    }

    private long nextWord() {
        return readWords < answer.length ? answer[readWords] & 0xFFFF_FFFFL : 0;
    }

    private void advance() {
        if (readWords < answer.length) {
            readWords++;
            if (readWords == answer.length) {
                answer = new int[0];
                readWords = 0;
                block.set(READY, 0);
            }
        }
    }

    private void go() {
        int words = writtenWords;
        writtenWords = 0;
        int length = words < HEADER_WORDS ? 0 : request[1] & (MAX_OBJECT_WORDS - 1);
        if (words < HEADER_WORDS || words != (length == 0 ? MAX_OBJECT_WORDS : length)) {
            return;
        }
        Optional<int[]> found = answer.length > 0 ? Optional.empty() : answerTo(words);
        if (found.isPresent()) {
            answer = found.get();
            readWords = 0;
            block.set(READY, 1);
        } else {
            block.set(ERROR, 1);
        }
        if (block.get(INTERRUPT_ENABLE) != 0) {
            block.set(INTERRUPT_STATUS, 1);
            interrupt.run();
        }
    }

    private Optional<int[]> answerTo(int words) {
        if (words != REQUEST_WORDS) {
            return Optional.empty();
        }
        int kind = request[0] & 0x00FF_FFFF;
        if (kind == DISCOVERY) {
            return Optional.of(discovery(request[2] & 0xFF));
        }
        return kind == TABLE_ACCESS ? table(request[2]) : Optional.empty();
    }

    /** 6.30.1.1. Behind the last kind there is vendor FFFFh. */
    private static int[] discovery(int index) {
        int word = index < KINDS.length ? KINDS[index] | (((index + 1) % KINDS.length) << 24) : 0xFFFF;
        return new int[] {DISCOVERY, REQUEST_WORDS, word};
    }

    /** CXL r3.1 8.1.11.1: read entry, table type CDAT; the entry comes with the handle of the one behind it. */
    private Optional<int[]> table(int asked) {
        int handle = asked >>> 16;
        if ((asked & 0xFFFF) != 0 || handle >= cdat.entries().size()) {
            return Optional.empty();
        }
        byte[] entry = cdat.entries().get(handle);
        int[] words = new int[REQUEST_WORDS + entry.length / Integer.BYTES];
        words[0] = TABLE_ACCESS;
        words[1] = words.length;
        words[2] = (handle + 1 < cdat.entries().size() ? handle + 1 : LAST_ENTRY) << 16;
        for (int i = REQUEST_WORDS; i < words.length; i++) {
            words[i] = word(entry, (i - REQUEST_WORDS) * Integer.BYTES);
        }
        return Optional.of(words);
    }

    private static int word(byte[] bytes, int offset) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(offset);
    }
}
