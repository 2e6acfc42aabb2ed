package io.mhsld.type3;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Something happened in DRAM (CXL r3.2 8.2.10.2.1.2, table 8-58). What is empty is marked as not valid in the record.
 *
 * @param error where, and what
 * @param channel 8 bits
 * @param subChannel 8 bits
 * @param rank 8 bits
 * @param nibbleMask which nibbles, 24 bits
 * @param bankGroup 8 bits
 * @param bank 8 bits
 * @param row 24 bits
 * @param column 16 bits
 * @param correctionMask which bits of each nibble of the mask, at most {@value #MAX_CORRECTION_MASKS}; empty: not known
 * @param component which part of the device
 */
public record DramEvent(
        MediaError error,
        OptionalInt channel,
        OptionalInt subChannel,
        OptionalInt rank,
        OptionalInt nibbleMask,
        OptionalInt bankGroup,
        OptionalInt bank,
        OptionalInt row,
        OptionalInt column,
        List<Long> correctionMask,
        Optional<ComponentId> component)
        implements EventBody {
    /** Nibbles whose bits a record can tell. */
    public static final int MAX_CORRECTION_MASKS = 4;

    /** Refuses too many correction masks with {@code IllegalArgumentException}. */
    public DramEvent {
        correctionMask = List.copyOf(correctionMask);
        if (correctionMask.size() > MAX_CORRECTION_MASKS) {
            throw new IllegalArgumentException(
                    "too many correction masks: count=" + correctionMask.size() + " max=" + MAX_CORRECTION_MASKS);
        }
    }
}
