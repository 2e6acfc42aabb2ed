package io.mhsld.cci;

import io.mhsld.type3.BackgroundOperations;
import io.mhsld.type3.Refusal;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How a command ended (CXL r3.1 8.2.8.4.5.1, table 8-34). */
public enum ReturnCode {
    SUCCESS(0x00),
    /** Accepted, and still at work. */
    BACKGROUND_STARTED(0x01),
    INVALID_INPUT(0x02),
    /** No such command here. */
    UNSUPPORTED(0x03),
    INTERNAL_ERROR(0x04),
    RETRY_REQUIRED(0x05),
    /** A background command runs. */
    BUSY(0x06),
    MEDIA_DISABLED(0x07),
    FIRMWARE_TRANSFER_IN_PROGRESS(0x08),
    FIRMWARE_TRANSFER_OUT_OF_ORDER(0x09),
    FIRMWARE_AUTHENTICATION_FAILED(0x0A),
    INVALID_FIRMWARE_SLOT(0x0B),
    FIRMWARE_ROLLED_BACK(0x0C),
    FIRMWARE_RESET_REQUIRED(0x0D),
    INVALID_HANDLE(0x0E),
    INVALID_PHYSICAL_ADDRESS(0x0F),
    INJECT_POISON_LIMIT_REACHED(0x10),
    PERMANENT_MEDIA_FAILURE(0x11),
    ABORTED(0x12),
    INVALID_SECURITY_STATE(0x13),
    INCORRECT_PASSPHRASE(0x14),
    UNSUPPORTED_MAILBOX(0x15),
    INVALID_PAYLOAD_LENGTH(0x16),
    INVALID_LOG(0x17),
    INTERRUPTED(0x18),
    UNSUPPORTED_FEATURE_VERSION(0x19),
    UNSUPPORTED_FEATURE_SELECTION(0x1A),
    FEATURE_TRANSFER_IN_PROGRESS(0x1B),
    FEATURE_TRANSFER_OUT_OF_ORDER(0x1C),
    RESOURCES_EXHAUSTED(0x1D),
    INVALID_EXTENT_LIST(0x1E),
    TRANSFER_OUT_OF_ORDER(0x1F),
    REQUEST_ABORT_NOT_SUPPORTED(0x20);

    private final int value;

    ReturnCode(int value) {
        this.value = value;
    }

    /** The number in the mailbox status register. */
    public int value() {
        return value;
    }

    /** The constant of a number, empty when the specification has none. */
    public static Optional<ReturnCode> of(int value) {
        return Arrays.stream(values()).filter(code -> code.value == value).findFirst();
    }

    /** How a background operation has ended, success while it has not. */
    public static ReturnCode of(BackgroundOperations.Status status) {
        return switch (status.state()) {
            case NONE, RUNNING, SUCCEEDED -> SUCCESS;
            case ABORTED -> ABORTED;
            case FAILED -> status.failure().map(ReturnCode::of).orElse(INTERNAL_ERROR);
        };
    }

    /** What the device's own reason is called on this interface. */
    public static ReturnCode of(Refusal.Cause cause) {
        return switch (cause) {
            case REGION_UNKNOWN,
                    NOTHING_PENDING,
                    TAG_UNKNOWN,
                    TAG_IN_USE,
                    TAG_REQUIRED,
                    NOT_SHAREABLE,
                    BLOCK_SIZE_UNSUPPORTED -> INVALID_INPUT;
            case LENGTH_ZERO, UNALIGNED, OVERLAP_IN_REQUEST, ALREADY_ACCEPTED, STILL_PENDING, INCOMPLETE_TAG ->
                INVALID_EXTENT_LIST;
            case OUTSIDE_REGION, NOT_ACCEPTED, NOT_OFFERED, ACCESS_INVALID -> INVALID_PHYSICAL_ADDRESS;
            case TOO_MANY_EXTENTS, OWNED_BY_OTHER_HEAD, NO_SPACE, NO_FREE_CAPACITY, TAGS_EXHAUSTED ->
                RESOURCES_EXHAUSTED;
            case REGION_IN_USE -> UNSUPPORTED;
            case EVENT_LOG_FULL -> RETRY_REQUIRED;
            case HANDLE_INVALID -> INVALID_HANDLE;
            case POISONED -> INVALID_PHYSICAL_ADDRESS;
            case ALREADY_POISONED, INVALID_VALUE -> INVALID_INPUT;
            case POISON_LIMIT -> INJECT_POISON_LIMIT_REACHED;
            case MEDIA_DISABLED -> MEDIA_DISABLED;
            case BUSY -> BUSY;
            case ABORT_NOT_SUPPORTED -> REQUEST_ABORT_NOT_SUPPORTED;
            case INVALID_LENGTH -> INVALID_PAYLOAD_LENGTH;
            case FIRMWARE_TRANSFER_IN_PROGRESS -> FIRMWARE_TRANSFER_IN_PROGRESS;
            case FIRMWARE_OUT_OF_ORDER -> FIRMWARE_TRANSFER_OUT_OF_ORDER;
            case FIRMWARE_NOT_AUTHENTIC -> FIRMWARE_AUTHENTICATION_FAILED;
            case FIRMWARE_SLOT_INVALID -> INVALID_FIRMWARE_SLOT;
            case FIRMWARE_ROLLED_BACK -> FIRMWARE_ROLLED_BACK;
            case FIRMWARE_RESET_REQUIRED -> FIRMWARE_RESET_REQUIRED;
            case FEATURE_UNKNOWN -> UNSUPPORTED;
            case FEATURE_VERSION_UNSUPPORTED -> UNSUPPORTED_FEATURE_VERSION;
            case FEATURE_SELECTION_UNSUPPORTED -> UNSUPPORTED_FEATURE_SELECTION;
            case FEATURE_TRANSFER_IN_PROGRESS -> FEATURE_TRANSFER_IN_PROGRESS;
            case FEATURE_OUT_OF_ORDER -> FEATURE_TRANSFER_OUT_OF_ORDER;
            case HEAD_ENDED -> INTERNAL_ERROR;
        };
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}
