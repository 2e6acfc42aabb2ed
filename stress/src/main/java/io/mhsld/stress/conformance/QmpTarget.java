package io.mhsld.stress.conformance;

import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpException;
import io.mhsld.qmp.QmpReply;
import io.mhsld.socket.LocalAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** A head behind its QMP socket: commands go through {@code x-cci}, capacity through QEMU's command. */
final class QmpTarget implements Target {
    private static final long TIMEOUT_MS = 20_000;
    private static final int DCD_INFO = 0x5600;

    private final QmpClient client;
    private final Map<Via, Optional<String>> reach = new HashMap<>();

    QmpTarget(LocalAddress address) {
        client = QmpClient.connect(address, TIMEOUT_MS);
    }

    @Override
    public Optional<String> unreachable(Via via) {
        return reach.computeIfAbsent(via, this::reasonAgainst);
    }

    /** A head may answer for its own part of the FM-owned LD without being it: then it does not list what the FM-owned LD has. */
    private Optional<String> reasonAgainst(Via via) {
        Optional<String> refusal =
                execute("x-cci", cci(via, 0x0400, "")).error().map(error -> error.description());
        if (refusal.isPresent() || via != Via.FM) {
            return refusal;
        }
        return Suite.commandEffects(payload -> send(via, 0x0401, payload)).containsKey(DCD_INFO)
                ? Optional.empty()
                : Optional.of("a head is not the FM-owned LD");
    }

    private static Map<String, Object> cci(Via via, int opcode, String payload) {
        Map<String, Object> arguments = new HashMap<>(Map.of("opcode", opcode, "payload", payload));
        if (via != Via.MAILBOX) {
            arguments.put("interface", via.name().toLowerCase(Locale.ROOT));
        }
        return arguments;
    }

    @Override
    public Answer send(Via via, int opcode, byte[] payload) {
        QmpReply reply = execute("x-cci", cci(via, opcode, HexFormat.of().formatHex(payload)));
        if (reply.error().isEmpty()
                && reply.value() instanceof Map<?, ?> answer
                && answer.get("return-code") instanceof Long code
                && answer.get("payload") instanceof String digits) {
            return new Answer(code.intValue(), HexFormat.of().parseHex(digits));
        }
        throw new ConnectionLost("x-cci is not answered as it should be: "
                + reply.error().map(error -> error.description()).orElse("no return code"));
    }

    @Override
    public Optional<String> offer(long regionBaseDpa, long[]... dpasAndLengths) {
        List<Object> extents = new ArrayList<>();
        for (long[] extent : dpasAndLengths) {
            extents.add(Map.of("offset", extent[0] - regionBaseDpa, "len", extent[1]));
        }
        Map<String, Object> arguments =
                Map.of("path", "", "host-id", 0, "selection-policy", "prescriptive", "region", 0, "extents", extents);
        return execute("cxl-add-dynamic-capacity", arguments).error().map(error -> error.description());
    }

    private QmpReply execute(String command, Map<String, ?> arguments) {
        try {
            return client.execute(command, arguments);
        } catch (QmpException e) {
            throw new ConnectionLost(e.getMessage(), e);
        }
    }

    @Override
    public String toString() {
        return "through QMP";
    }

    @Override
    public void close() {
        client.close();
    }
}
