package io.mhsld.type3;

import io.mhsld.type3.Refusal.Cause;
import java.time.Clock;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * The features of a device, and the value that is on its way to one (CXL r3.1 8.2.9.6.3). Saved values live as long as the process.
 */
public final class Features {
    /** How long a transfer waits for its next part (CXL r3.1 8.2.9.6.3). */
    public static final long TRANSFER_TIMEOUT_MS = 30_000;

    private final Clock clock;
    private final List<Feature> features = List.of(new Feature.PatrolScrub(), new Feature.ErrorCheckScrub());
    private Transfer transfer;

    Features(Clock clock) {
        this.clock = clock;
    }

    /** All of them, by index. */
    public List<Feature> all() {
        return features;
    }

    /** One of them. */
    public Optional<Feature> of(UUID id) {
        return features.stream().filter(feature -> feature.id().equals(id)).findFirst();
    }

    /** Sets a value at once. Refused with {@code FEATURE_TRANSFER_IN_PROGRESS}, {@code INVALID_LENGTH} and {@code INVALID_VALUE}. */
    public Optional<Refusal> setWhole(Feature feature, byte[] value, boolean isSaved) {
        return isTransferring() ? inProgress() : feature.set(value, isSaved);
    }

    /** The first part of a value; also refused with {@code FEATURE_OUT_OF_ORDER} when it is not the first. */
    public Optional<Refusal> begin(Feature feature, int offset, byte[] data) {
        if (isTransferring()) {
            boolean isSentAgain = offset == 0 && transfer.isRepetition(feature, offset, data);
            return isSentAgain ? Optional.empty() : inProgress();
        }
        Transfer begun = new Transfer(feature);
        Optional<Refusal> refusal = begun.accept(offset, data);
        transfer = refusal.isPresent() ? null : begun;
        return refusal;
    }

    /**
     * One more part: the next one, or the last one again. Refused with {@code FEATURE_OUT_OF_ORDER}, also when nothing was begun or the transfer
     * has waited too long, with {@code FEATURE_TRANSFER_IN_PROGRESS} while another feature's is under way, and with {@code INVALID_LENGTH} when
     * it is more than the feature has.
     */
    public Optional<Refusal> append(Feature feature, int offset, byte[] data) {
        if (!isTransferring()) {
            return outOfOrder(offset, 0);
        }
        return transfer.feature == feature ? transfer.accept(offset, data) : inProgress();
    }

    /** The last part: the value is set, or the transfer has ended for nothing. */
    public Optional<Refusal> end(Feature feature, int offset, byte[] data, boolean isSaved) {
        Optional<Refusal> refusal = append(feature, offset, data);
        if (refusal.isPresent()) {
            return refusal;
        }
        byte[] value = Arrays.copyOf(transfer.value, transfer.length);
        transfer = null;
        return feature.set(value, isSaved);
    }

    /** What has been transferred is forgotten; without a transfer there is nothing to do. */
    public void abortTransfer() {
        transfer = null;
    }

    void reset() {
        transfer = null;
        features.forEach(Feature::reset);
    }

    private boolean isTransferring() {
        if (transfer != null && clock.millis() - transfer.lastPartMs > TRANSFER_TIMEOUT_MS) {
            transfer = null;
        }
        return transfer != null;
    }

    private static Optional<Refusal> inProgress() {
        return Refusal.of(Cause.FEATURE_TRANSFER_IN_PROGRESS, "");
    }

    private static Optional<Refusal> outOfOrder(int offset, int expected) {
        return Refusal.of(Cause.FEATURE_OUT_OF_ORDER, "offset=%d expected=%d", offset, expected);
    }

    private final class Transfer {
        private final Feature feature;
        private final byte[] value;
        private int length;
        private int lastOffset;
        private long lastPartMs;

        Transfer(Feature feature) {
            this.feature = feature;
            this.value = new byte[feature.setLengthBytes()];
        }

        Optional<Refusal> accept(int offset, byte[] data) {
            if (offset != length && !isRepetition(feature, offset, data)) {
                return outOfOrder(offset, length);
            }
            if (offset + data.length > value.length) {
                return Refusal.of(Cause.INVALID_LENGTH, "end=%d length=%d", offset + data.length, value.length);
            }
            System.arraycopy(data, 0, value, offset, data.length);
            lastOffset = offset;
            length = offset + data.length;
            lastPartMs = clock.millis();
            return Optional.empty();
        }

        /** The last part may be sent again, with other bytes too, but not with more or fewer. */
        boolean isRepetition(Feature of, int offset, byte[] data) {
            return of == feature && offset == lastOffset && offset + data.length == length;
        }
    }
}
