package io.mhsld.type3;

import io.mhsld.type3.DynamicCapacity.HostRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A list of the host's that may come in several commands, "More" in all but the last. Nothing happens before it is whole. */
final class ListInParts {
    private final List<HostRange> unfinished = new ArrayList<>();

    /** Adds a part; present when the list is whole now, and then this is empty again. */
    Optional<List<HostRange>> add(List<HostRange> part, boolean more) {
        if (!more && unfinished.isEmpty() && part.size() <= DynamicCapacity.MAX_EXTENTS) {
            return Optional.of(part);
        }
        unfinished.addAll(part);
        if (more || unfinished.size() > DynamicCapacity.MAX_EXTENTS) {
            return Optional.empty();
        }
        List<HostRange> whole = List.copyOf(unfinished);
        unfinished.clear();
        return Optional.of(whole);
    }

    /** Why {@link #add} said nothing: it waits for more, or the list is too long, and forgotten. */
    Optional<Refusal> refusal() {
        Optional<Refusal> refusal = RequestChecks.trackable(unfinished.size());
        if (refusal.isPresent()) {
            unfinished.clear();
        }
        return refusal;
    }

    void clear() {
        unfinished.clear();
    }
}
