package io.mhsld.type3;

import java.util.Locale;
import java.util.Optional;

/**
 * Why the device declined a request. A refusal is an ordinary value: nothing has changed, and the caller turns the cause into its own
 * protocol's words (QMP text, CCI return code).
 *
 * @param cause the one reason
 * @param detail lower-case {@code name=value} pairs that say what it was about
 */
public record Refusal(Cause cause, String detail) {
    /** The reasons, each as precise as the most precise protocol needs it. */
    public enum Cause {
        /** The device has no region of that number. */
        REGION_UNKNOWN,
        /** An extent of length 0. */
        LENGTH_ZERO,
        /** Start or length is not a multiple of the region's block size. */
        UNALIGNED,
        /** The range does not lie in one region. */
        OUTSIDE_REGION,
        /** Two ranges of one request overlap. */
        OVERLAP_IN_REQUEST,
        /** Some of the range is accepted by this host already. */
        ALREADY_ACCEPTED,
        /** Some of the range is offered to this host and not answered yet. */
        STILL_PENDING,
        /** Some of the range is not accepted by this host. */
        NOT_ACCEPTED,
        /** Some of the range is not part of the group that the host answers. */
        NOT_OFFERED,
        /** The host answers, and nothing was offered. */
        NOTHING_PENDING,
        /** More extents than the device can keep track of. */
        TOO_MANY_EXTENTS,
        /** Another head owns some of the range. */
        OWNED_BY_OTHER_HEAD,
        /** No capacity has this tag, or it went away meanwhile. */
        TAG_UNKNOWN,
        /** Shared capacity of this tag exists already. */
        TAG_IN_USE,
        /** Capacity of a shareable region is added with a tag. */
        TAG_REQUIRED,
        /** The region is not shareable. */
        NOT_SHAREABLE,
        /** The region has not so much free capacity. */
        NO_FREE_CAPACITY,
        /** Another process is changing the same thing, and has not come to an end in time. */
        BUSY,
        /** More tags than the device can keep track of. */
        TAGS_EXHAUSTED,
        /** Capacity of the region is in use. */
        REGION_IN_USE,
        /** The region cannot be cut into blocks of this size. */
        BLOCK_SIZE_UNSUPPORTED,
        /** The host answered for a part of shared capacity: it takes all of a tag, or nothing. */
        INCOMPLETE_TAG,
        /** The memory behind the range cannot be had from the system. */
        NO_SPACE,
        /** The event log has no room to offer the group. */
        EVENT_LOG_FULL,
        /** A byte of the access lies outside what this host accepted and owns. */
        ACCESS_INVALID,
        /** A list of event handles that is not the front of the log. */
        HANDLE_INVALID,
        /** A read that meets a poisoned line. */
        POISONED,
        /** Some of the range is poisoned already. */
        ALREADY_POISONED,
        /** The poison list has no room for what is injected. */
        POISON_LIMIT,
        /** The media is not to be had: a sanitize is at work, or did not come to its end. */
        MEDIA_DISABLED,
        /** The background operation that runs cannot be aborted. */
        ABORT_NOT_SUPPORTED,
        /** A value that the specification or the device does not allow. */
        INVALID_VALUE,
        /** Data of the wrong length. */
        INVALID_LENGTH,
        /** A firmware package is being transferred. */
        FIRMWARE_TRANSFER_IN_PROGRESS,
        /** A part of a firmware package that is not the next one. */
        FIRMWARE_OUT_OF_ORDER,
        /** A firmware package that is not authentic. */
        FIRMWARE_NOT_AUTHENTIC,
        /** A firmware slot that does not exist, is empty, or is in use. */
        FIRMWARE_SLOT_INVALID,
        /** Firmware that did not start: the one before it is active again. */
        FIRMWARE_ROLLED_BACK,
        /** Firmware that only a reset can activate. */
        FIRMWARE_RESET_REQUIRED,
        /** The device has no such feature. */
        FEATURE_UNKNOWN,
        /** The feature has another version. */
        FEATURE_VERSION_UNSUPPORTED,
        /** The feature does not have that kind of value. */
        FEATURE_SELECTION_UNSUPPORTED,
        /** Another value of a feature is being transferred. */
        FEATURE_TRANSFER_IN_PROGRESS,
        /** A part of a feature's value that is not the next one. */
        FEATURE_OUT_OF_ORDER,
        /** The head has ended. */
        HEAD_ENDED
    }

    /** A present refusal, for methods that return {@code Optional<Refusal>}. */
    @SuppressWarnings("AnnotateFormatMethod") // The annotation would be a dependency.
    public static Optional<Refusal> of(Cause cause, String format, Object... arguments) {
        return Optional.of(new Refusal(cause, format.formatted(arguments)));
    }

    @Override
    public String toString() {
        String words = cause.name().toLowerCase(Locale.ROOT).replace('_', ' ');
        return detail.isEmpty() ? words : words + ": " + detail;
    }
}
