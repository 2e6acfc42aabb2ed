package io.mhsld.vfiouser;

import io.mhsld.qmp.QmpJson;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What a side of the conversation can do, as the version message tells it in JSON.
 *
 * @param transferLimit how much data a message to it may carry, in bytes
 */
record Capabilities(int transferLimit) {
    /** Longer texts are no greeting. */
    static final int LENGTH_LIMIT = 1 << 16;

    private static final String TRANSFER_LIMIT = "max_data_xfer_size";
    private static final Capabilities DEFAULT = new Capabilities(VfioUserDescriptor.TRANSFER_LIMIT);

    /** Those of this server. Without the name of a capability the client goes without it. */
    static byte[] ours() {
        Map<String, Object> capabilities = new LinkedHashMap<>();
        capabilities.put("max_msg_fds", VfioUserDescriptor.DESCRIPTORS_LIMIT);
        capabilities.put(TRANSFER_LIMIT, VfioUserDescriptor.TRANSFER_LIMIT);
        capabilities.put("max_dma_maps", DmaTable.LIMIT);
        capabilities.put("pgsizes", VfioUserDescriptor.PAGE_LENGTH);
        capabilities.put("write_multiple", true);
        return (QmpJson.write(Map.of("capabilities", capabilities)) + "\0").getBytes(StandardCharsets.US_ASCII);
    }

    /** Those of the client, from bytes that end with NUL, or are none; empty when they are malformed. Members that are unknown are skipped. */
    static Optional<Capabilities> read(ByteBuffer text) {
        if (!text.hasRemaining()) {
            return Optional.of(DEFAULT);
        }
        int end = text.limit() - 1;
        if (text.remaining() > LENGTH_LIMIT || text.get(end) != 0) {
            return Optional.empty();
        }
        try {
            Object json = QmpJson.parse(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(text.duplicate().limit(end))
                    .toString());
            if (!(json instanceof Map<?, ?> members)) {
                return Optional.empty();
            }
            Object all = members.get("capabilities");
            if (all == null) {
                return Optional.of(DEFAULT);
            }
            if (all instanceof Map<?, ?> capabilities) {
                Object limit = capabilities.get(TRANSFER_LIMIT);
                if (limit == null) {
                    return Optional.of(DEFAULT);
                }
                if (limit instanceof Long number && number > 0) {
                    return Optional.of(new Capabilities((int) Math.min(number, VfioUserDescriptor.TRANSFER_LIMIT)));
                }
            }
            return Optional.empty();
        } catch (CharacterCodingException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
