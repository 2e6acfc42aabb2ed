package io.mhsld.type3;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * Something happened in the media (CXL r3.2 8.2.10.2.1.1, table 8-57). What is empty is marked as not valid in the record.
 *
 * @param error where, and what
 * @param channel 8 bits
 * @param rank 8 bits
 * @param device bit mask of the memory devices of the rank, 24 bits
 * @param component which part of the device
 */
public record GeneralMediaEvent(
        MediaError error, OptionalInt channel, OptionalInt rank, OptionalInt device, Optional<ComponentId> component)
        implements EventBody {
    /** An event of which only the address is known. */
    public static GeneralMediaEvent of(MediaError error) {
        OptionalInt unknown = OptionalInt.empty();
        return new GeneralMediaEvent(error, unknown, unknown, unknown, Optional.empty());
    }
}
