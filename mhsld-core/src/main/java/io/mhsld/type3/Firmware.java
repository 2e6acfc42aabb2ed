package io.mhsld.type3;

import io.mhsld.type3.BackgroundOperations.Step;
import io.mhsld.type3.BackgroundOperations.Work;
import io.mhsld.type3.Refusal.Cause;
import java.time.Clock;
import java.util.Arrays;
import java.util.Optional;

/**
 * The firmware slots of a device, and the package that is on its way into one (CXL r3.1 8.2.9.3). Slots are numbered from 1. They live as long as
 * the process: who starts again has the firmware that the device came with.
 */
public final class Firmware {
    /** Number of slots; the specification allows 1 to 4. */
    public static final int SLOTS = 2;

    /** How long a transfer waits for its next part (CXL r3.1 8.2.9.3.2). */
    public static final long TRANSFER_TIMEOUT_MS = 30_000;

    /** What the device came with. */
    public static final FirmwarePackage FACTORY = new FirmwarePackage("mhsld 0.1", false, false);

    private static final int NO_SLOT = 0;

    private final Clock clock;
    private final FirmwarePackage[] slots = new FirmwarePackage[SLOTS + 1];
    private int active = 1;
    private int staged = NO_SLOT;
    private Transfer transfer;

    Firmware(Clock clock) {
        this.clock = clock;
        slots[active] = FACTORY;
    }

    /** The slot whose firmware runs. */
    public int activeSlot() {
        return active;
    }

    /** The slot that the next reset activates, 0 when none. */
    public int stagedSlot() {
        return staged;
    }

    /** The revision in a slot, empty when the slot is. */
    public Optional<String> revision(int slot) {
        return Optional.ofNullable(slots[slot]).map(FirmwarePackage::revision);
    }

    /** The revision that runs. */
    public String activeRevision() {
        return slots[active].revision();
    }

    /** The next reset of the device: what was staged runs. */
    void reset() {
        transfer = null;
        if (staged != NO_SLOT && slots[staged] != null && !slots[staged].startsNot()) {
            active = staged;
        }
        staged = NO_SLOT;
    }

    // ---- transfer

    /**
     * A whole package at once. Refused with {@code FIRMWARE_TRANSFER_IN_PROGRESS}, {@code INVALID_VALUE} for a length that is not aligned,
     * {@code FIRMWARE_SLOT_INVALID} and {@code FIRMWARE_NOT_AUTHENTIC}.
     */
    public Optional<Refusal> transferWhole(int slot, byte[] data) {
        if (isTransferring()) {
            return inProgress();
        }
        FirmwarePackage.Check check = new FirmwarePackage.Check();
        check.append(data);
        return checkAligned(data)
                .or(() -> checkSlot(slot))
                .or(() -> checkPackage(check))
                .or(() -> {
                    store(slot, check);
                    return Optional.empty();
                });
    }

    /** The first part of a package. Refused like a whole one, and with {@code FIRMWARE_OUT_OF_ORDER} when it is not the first. */
    public Optional<Refusal> begin(long offset, byte[] data) {
        if (isTransferring()) {
            boolean isSentAgain = transfer.isRepetition(offset, data) && offset == 0;
            return isSentAgain ? Optional.empty() : inProgress();
        }
        if (offset != 0) {
            return outOfOrder(offset, 0);
        }
        return checkAligned(data).or(() -> {
            transfer = new Transfer();
            transfer.take(data);
            return Optional.empty();
        });
    }

    /**
     * One more part: the next one, or the last one again. Refused with {@code FIRMWARE_OUT_OF_ORDER}, also when nothing was begun or the transfer
     * has waited too long, and with {@code INVALID_VALUE} for a length that is not aligned.
     */
    public Optional<Refusal> append(long offset, byte[] data) {
        if (!isTransferring()) {
            return outOfOrder(offset, 0);
        }
        return checkAligned(data).or(() -> transfer.accept(offset, data));
    }

    /**
     * The last part. A slot that may not be written leaves the transfer as it is; a package that is not authentic ends it.
     *
     * @return what is left to do, or why it is refused
     */
    public Optional<Refusal> end(int slot, long offset, byte[] data) {
        if (!isTransferring()) {
            return outOfOrder(offset, 0);
        }
        return checkAligned(data)
                .or(() -> checkSlot(slot))
                .or(() -> transfer.accept(offset, data))
                .or(() -> {
                    transfer.applyLast();
                    Optional<Refusal> refusal = checkPackage(transfer.check);
                    if (refusal.isPresent()) {
                        transfer = null;
                    } else {
                        transfer.isWhole = true;
                    }
                    return refusal;
                });
    }

    /** Stores the package whose last part has come; until then, or until it is aborted, the transfer goes on. */
    public Work storing(int slot) {
        return new Work() {
            @Override
            public Step step() {
                store(slot, transfer.check);
                transfer = null;
                return Step.last();
            }

            @Override
            public boolean isAbortable() {
                return true;
            }

            @Override
            public void stopped() {
                transfer = null;
            }
        };
    }

    /** What has been transferred is forgotten; without a transfer there is nothing to do. */
    public void abortTransfer() {
        transfer = null;
    }

    private boolean isTransferring() {
        if (transfer != null && !transfer.isWhole && clock.millis() - transfer.lastPartMs > TRANSFER_TIMEOUT_MS) {
            transfer = null;
        }
        return transfer != null;
    }

    private static Optional<Refusal> checkAligned(byte[] data) {
        return data.length % FirmwarePackage.ALIGNMENT_BYTES == 0
                ? Optional.empty()
                : Refusal.of(Cause.INVALID_VALUE, "length=%d", data.length);
    }

    private Optional<Refusal> checkSlot(int slot) {
        boolean isOpen = slot >= 1 && slot <= SLOTS && slot != active;
        return isOpen
                ? Optional.empty()
                : Refusal.of(Cause.FIRMWARE_SLOT_INVALID, "slot=%d active=%d slots=%d", slot, active, SLOTS);
    }

    private static Optional<Refusal> checkPackage(FirmwarePackage.Check check) {
        return check.isErasure() || check.authenticated().isPresent()
                ? Optional.empty()
                : Refusal.of(Cause.FIRMWARE_NOT_AUTHENTIC, "");
    }

    private void store(int slot, FirmwarePackage.Check check) {
        slots[slot] = check.isErasure() ? null : check.authenticated().orElseThrow();
        if (staged == slot && slots[slot] == null) {
            staged = NO_SLOT;
        }
    }

    private static Optional<Refusal> inProgress() {
        return Refusal.of(Cause.FIRMWARE_TRANSFER_IN_PROGRESS, "");
    }

    private static Optional<Refusal> outOfOrder(long offset, long expected) {
        return Refusal.of(Cause.FIRMWARE_OUT_OF_ORDER, "offset=0x%x expected=0x%x", offset, expected);
    }

    // ---- activation

    /** May this slot's firmware be activated at the next reset? Refused with {@code FIRMWARE_SLOT_INVALID} or {@code …_IN_PROGRESS}. */
    public Optional<Refusal> checkActivation(int slot) {
        if (slot < 1 || slot > SLOTS || slots[slot] == null) {
            return Refusal.of(Cause.FIRMWARE_SLOT_INVALID, "slot=%d slots=%d", slot, SLOTS);
        }
        return isTransferring() ? inProgress() : Optional.empty();
    }

    /** As {@link #checkActivation}, and also {@code FIRMWARE_RESET_REQUIRED} and {@code FIRMWARE_ROLLED_BACK}. */
    public Optional<Refusal> checkOnlineActivation(int slot) {
        return checkActivation(slot).or(() -> {
            if (slot == active) {
                return Optional.empty();
            } else if (slots[slot].needsReset()) {
                return Refusal.of(Cause.FIRMWARE_RESET_REQUIRED, "slot=%d", slot);
            }
            return slots[slot].startsNot() ? Refusal.of(Cause.FIRMWARE_ROLLED_BACK, "slot=%d", slot) : Optional.empty();
        });
    }

    /** The next reset activates the slot; naming the active one takes an earlier choice back. */
    public Optional<Refusal> stage(int slot) {
        Optional<Refusal> refusal = checkActivation(slot);
        if (refusal.isEmpty()) {
            staged = slot == active ? NO_SLOT : slot;
        }
        return refusal;
    }

    /** Activates a slot that has passed {@link #checkOnlineActivation}. */
    public Work activating(int slot) {
        return new Work() {
            @Override
            public Step step() {
                active = slot;
                staged = staged == slot ? NO_SLOT : staged;
                return Step.last();
            }

            @Override
            public boolean isAbortable() {
                return true;
            }
        };
    }

    /** The last part is kept apart until the next one comes, for it may be sent once more. */
    private final class Transfer {
        private final FirmwarePackage.Check check = new FirmwarePackage.Check();
        private long lastOffset;
        private byte[] last = {};
        private long lastPartMs;
        private boolean isWhole;

        Optional<Refusal> accept(long offset, byte[] data) {
            long next = lastOffset + last.length;
            if (isWhole || (offset != next && !isRepetition(offset, data))) {
                return outOfOrder(offset, next);
            }
            if (offset == next) {
                applyLast();
                lastOffset = next;
                take(data);
            }
            lastPartMs = clock.millis();
            return Optional.empty();
        }

        void take(byte[] data) {
            last = data.clone();
            lastPartMs = clock.millis();
        }

        boolean isRepetition(long offset, byte[] data) {
            return offset == lastOffset && Arrays.equals(data, last);
        }

        void applyLast() {
            check.append(last);
            lastOffset += last.length;
            last = new byte[0];
        }
    }
}
