package io.mhsld.cli;

import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.Refusal;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** The tags of a device's shared capacity, as the verb {@code tags} sees and changes them. */
interface Tags extends AutoCloseable {
    /**
     * One live tag.
     *
     * @param epoch which life of its row in the tag table this is
     * @param holders bit h: head h has accepted its extents, or they are offered to it
     * @param pendingHolders those of them that have not answered yet
     * @param isReferenced a fabric manager keeps the capacity, whoever else lets go of it
     * @param extents relative to the region
     */
    record Tag(
            UUID tag,
            int region,
            long epoch,
            long holders,
            long pendingHolders,
            boolean isReferenced,
            List<DynamicCapacity.Range> extents,
            long lengthBytes) {}

    /** All of them; each is of one moment. */
    List<Tag> list();

    /** Keeps a tag's capacity allocated also without a head that has it. */
    Optional<Refusal> addReference(UUID tag);

    /** Takes that back: without a head that has it, the capacity becomes free. */
    Optional<Refusal> removeReference(UUID tag);

    @Override
    void close();
}
