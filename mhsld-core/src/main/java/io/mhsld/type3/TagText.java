package io.mhsld.type3;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.UUID;

/** Tags as people and programs write them, the same in every interface. */
public final class TagText {
    private TagText() {}

    /**
     * The tag that a word stands for: the UUID that it is, or else the version 3 UUID of its characters (RFC 9562), for QEMU takes any string for a
     * tag. Nothing stands for no tag.
     */
    public static UUID tagOf(String word) {
        return word.isEmpty()
                ? Extent.NO_TAG
                : uuidOf(word).orElseGet(() -> UUID.nameUUIDFromBytes(word.getBytes(StandardCharsets.UTF_8)));
    }

    /** A UUID as RFC 9562 writes it, in letters of either case, and nothing shorter. */
    public static Optional<UUID> uuidOf(String word) {
        try {
            UUID uuid = UUID.fromString(word);
            return uuid.toString().equalsIgnoreCase(word) ? Optional.of(uuid) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
