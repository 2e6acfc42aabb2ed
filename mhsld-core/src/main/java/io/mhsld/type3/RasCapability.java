package io.mhsld.type3;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The errors of a head's link and memory protocol as its RAS capability tells them (CXL r3.1 8.2.4.17): two status registers in which the host
 * clears bits by writing ones, masks, severities, and the headers of uncorrectable errors, first come first served. What a host does to
 * the registers are the methods with {@code write} in their names.
 *
 * <p>An error that the host has masked leaves no trace, and a device that comes up has all of them masked. An error that is not masked is also
 * an internal error in the sense of PCI Express Advanced Error Reporting: the {@link Listener} learns of that.
 */
public final class RasCapability {
    /** Dwords of the header log register. */
    public static final int HEADER_DWORDS = 16;

    /** Errors whose headers are kept; further ones only set their status bits. */
    public static final int MAX_QUEUED_ERRORS = 256;

    /** Capability bit: headers of several errors are kept. */
    private static final int MULTIPLE_HEADERS = 1 << 9;

    /** An error that the device could not correct, and its bit in the uncorrectable error registers (CXL r3.1 8.2.4.17.1). */
    public enum Uncorrectable {
        CACHE_DATA_PARITY(0),
        CACHE_ADDRESS_PARITY(1),
        CACHE_BE_PARITY(2),
        CACHE_DATA_ECC(3),
        MEM_DATA_PARITY(4),
        MEM_ADDRESS_PARITY(5),
        MEM_BE_PARITY(6),
        MEM_DATA_ECC(7),
        REINIT_THRESHOLD(8),
        RSVD_ENCODING(9),
        POISON_RECEIVED(10),
        RECEIVER_OVERFLOW(11),
        INTERNAL(14),
        CXL_IDE_TX(15),
        CXL_IDE_RX(16);

        private final int bit;

        Uncorrectable(int bit) {
            this.bit = bit;
        }

        /** Its bit number. */
        public int bit() {
            return bit;
        }

        int mask() {
            return 1 << bit;
        }

        /** The error of a name as {@link #toString} gives it. */
        public static Optional<Uncorrectable> of(String name) {
            return Arrays.stream(values())
                    .filter(error -> error.toString().equals(name))
                    .findFirst();
        }

        /** Lower case, with hyphens: its name in QMP. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** An error that the device has corrected, and its bit in the correctable error registers (CXL r3.1 8.2.4.17.4). */
    public enum Correctable {
        CACHE_DATA_ECC(0),
        MEM_DATA_ECC(1),
        CRC_THRESHOLD(2),
        RETRY_THRESHOLD(3),
        CACHE_POISON_RECEIVED(4),
        MEM_POISON_RECEIVED(5),
        PHYSICAL(6);

        private final int bit;

        Correctable(int bit) {
            this.bit = bit;
        }

        /** Its bit number. */
        public int bit() {
            return bit;
        }

        int mask() {
            return 1 << bit;
        }

        /** The error of a name as {@link #toString} gives it. */
        public static Optional<Correctable> of(String name) {
            return Arrays.stream(values())
                    .filter(error -> error.toString().equals(name))
                    .findFirst();
        }

        /** Lower case, with hyphens: its name in QMP. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /**
     * One uncorrectable error with what was being transferred.
     *
     * @param header dwords of the header log; missing ones are 0, those beyond {@value #HEADER_DWORDS} have no place in the register
     */
    public record UncorrectableError(Uncorrectable type, List<Integer> header) {
        /** Takes a copy. */
        public UncorrectableError {
            header = List.copyOf(header);
        }
    }

    /** Told of errors that are not masked: where the function would send a PCI Express error message (CXL r3.1 12.2.3.1). */
    public interface Listener {
        /** AER: Uncorrectable Internal Error. Fatal when the host has given one of the errors that severity. */
        void uncorrectableInternalError(boolean isFatal);

        /** AER: Corrected Internal Error. */
        void correctedInternalError();
    }

    private static final Listener NOBODY = new Listener() {
        @Override
        public void uncorrectableInternalError(boolean isFatal) {}

        @Override
        public void correctedInternalError() {}
    };

    private static final int ALL_UNCORRECTABLE =
            Arrays.stream(Uncorrectable.values()).mapToInt(Uncorrectable::mask).sum();
    private static final int ALL_CORRECTABLE =
            Arrays.stream(Correctable.values()).mapToInt(Correctable::mask).sum();

    /** The errors that the host has not cleared, oldest first: their types make up the status register. */
    private final Deque<UncorrectableError> errors = new ArrayDeque<>();

    private Listener listener = NOBODY;
    private int uncorrectableMask;
    private int uncorrectableSeverity;
    private int correctableStatus;
    private int correctableMask;
    private long uncorrectableSignals;
    private long correctedSignals;

    /** As the device comes up: no errors, all masked, all uncorrectable ones fatal. Resets change none of it. */
    RasCapability() {
        uncorrectableMask = ALL_UNCORRECTABLE;
        uncorrectableSeverity = ALL_UNCORRECTABLE;
        correctableMask = ALL_CORRECTABLE;
    }

    /** Tells this listener, and no other, of errors that are not masked. */
    public void onError(Listener newListener) {
        listener = newListener;
    }

    // ---- what the device does

    /**
     * Uncorrectable errors have happened, in this order and at one moment: those that are not masked are queued, and signalled as one.
     *
     * @return how many were not masked
     */
    public int report(List<UncorrectableError> happened) {
        int signalled = 0;
        int types = 0;
        for (UncorrectableError error : happened) {
            if ((uncorrectableMask & error.type.mask()) == 0) {
                queue(error);
                types |= error.type.mask();
                signalled++;
            }
        }
        if (signalled > 0) {
            uncorrectableSignals++;
            listener.uncorrectableInternalError((types & uncorrectableSeverity) != 0);
        }
        return signalled;
    }

    /** With a full queue, an error that its status bit tells already adds nothing that the host could see for a long time. */
    private void queue(UncorrectableError error) {
        if (errors.size() < MAX_QUEUED_ERRORS || (uncorrectableStatus() & error.type.mask()) == 0) {
            errors.add(error);
        }
    }

    /** A correctable error has happened; false when it is masked. */
    public boolean report(Correctable error) {
        if ((correctableMask & error.mask()) != 0) {
            return false;
        }
        correctableStatus |= error.mask();
        correctedSignals++;
        listener.correctedInternalError();
        return true;
    }

    /** How often {@link Listener#uncorrectableInternalError} was called, or would have been, since the device was made. */
    public long uncorrectableSignals() {
        return uncorrectableSignals;
    }

    /** How often {@link Listener#correctedInternalError} was called, or would have been, since the device was made. */
    public long correctedSignals() {
        return correctedSignals;
    }

    // ---- registers

    /** Bit n: the error of bit n has happened and is not cleared. */
    public int uncorrectableStatus() {
        int status = 0;
        for (UncorrectableError error : errors) {
            status |= error.type.mask();
        }
        return status;
    }

    /**
     * Clears what is written as 1. The bit of the first error alone clears that one error, so that the header of the next one can be read, and
     * stays set when that has the same type; several bits clear all errors of their types.
     */
    public void writeUncorrectableStatus(int bits) {
        if (errors.isEmpty()) {
            return;
        }
        if (bits == errors.getFirst().type.mask()) {
            errors.removeFirst();
        } else {
            errors.removeIf(error -> (bits & error.type.mask()) != 0);
        }
    }

    /** Bit n: the error of bit n is not recorded. */
    public int uncorrectableMask() {
        return uncorrectableMask;
    }

    /** Bits without an error behind them stay 0. */
    public void writeUncorrectableMask(int bits) {
        uncorrectableMask = bits & ALL_UNCORRECTABLE;
    }

    /** Bit n: the error of bit n is fatal. */
    public int uncorrectableSeverity() {
        return uncorrectableSeverity;
    }

    /** Bits without an error behind them stay 0. */
    public void writeUncorrectableSeverity(int bits) {
        uncorrectableSeverity = bits & ALL_UNCORRECTABLE;
    }

    /** Bit n: the correctable error of bit n has happened and is not cleared. */
    public int correctableStatus() {
        return correctableStatus;
    }

    /** Clears what is written as 1. */
    public void writeCorrectableStatus(int bits) {
        correctableStatus &= ~bits;
    }

    /** Bit n: the correctable error of bit n is not recorded. */
    public int correctableMask() {
        return correctableMask;
    }

    /** Bits without an error behind them stay 0. */
    public void writeCorrectableMask(int bits) {
        correctableMask = bits & ALL_CORRECTABLE;
    }

    /** Error Capabilities and Control: the bit number of the first error in bits 5:0, which means nothing while no status bit is set. */
    public int capabilitiesAndControl() {
        return MULTIPLE_HEADERS | (errors.isEmpty() ? 0 : errors.getFirst().type.bit);
    }

    /** The errors whose headers wait to be read, the one that the header log shows first. */
    public List<UncorrectableError> errors() {
        return List.copyOf(errors);
    }

    /** The header log register: dwords of the first error, zeros when there is none. */
    public int[] headerLog() {
        int[] log = new int[HEADER_DWORDS];
        if (!errors.isEmpty()) {
            List<Integer> header = errors.getFirst().header;
            for (int i = 0; i < Math.min(log.length, header.size()); i++) {
                log[i] = header.get(i);
            }
        }
        return log;
    }
}
