package io.mhsld.qmp;

import io.mhsld.cci.CciKind;
import io.mhsld.cci.Response;
import io.mhsld.cci.ReturnCode;
import io.mhsld.fabric.HeadLink;
import io.mhsld.head.EventLoop;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** The fabric manager's connections to the heads: made when they are first needed, and anew when a head has gone. On the loop's thread. */
public final class HeadConnections implements HeadLink, AutoCloseable {
    private final EventLoop loop;
    private final Map<Integer, HeadConnection> connections = new HashMap<>();

    /** No connections yet. */
    public HeadConnections(EventLoop loop) {
        this.loop = loop;
    }

    @Override
    public void execute(Address to, CciKind target, int opcode, byte[] payload, Consumer<? super Response> answer) {
        Map<String, Object> arguments = new LinkedHashMap<>();
        arguments.put("opcode", (long) opcode);
        arguments.put("payload", HexFormat.of().formatHex(payload));
        arguments.put("interface", target == CciKind.LD ? "ld" : "fm");
        connection(to).execute("x-cci", arguments, reply -> answer.accept(responseOf(reply)));
    }

    /** Runs a command of QMP at a head. */
    QmpReply execute(Address to, String command, Map<?, ?> arguments) {
        QmpReply.Pending promise = QmpReply.pending();
        Map<String, Object> named = new LinkedHashMap<>();
        arguments.forEach((name, value) -> named.put(String.valueOf(name), value));
        connection(to).execute(command, named, reply -> promise.complete(inWords(to, reply)));
        return promise;
    }

    @Override
    public void close() {
        List.copyOf(connections.values()).forEach(connection -> connection.close(HeadConnection.GONE));
        connections.clear();
    }

    private HeadConnection connection(Address to) {
        HeadConnection connection = connections.get(to.head());
        if (connection == null || connection.isClosed() || !connection.address().equals(to)) {
            if (connection != null) {
                connection.close(HeadConnection.GONE);
            }
            connection = new HeadConnection(loop, to);
            connections.put(to.head(), connection);
            connection.open();
        }
        return connection;
    }

    private static QmpReply inWords(Address to, QmpReply reply) {
        if (reply == HeadConnection.GONE) {
            return QmpReply.refused("head is not running, or ended before it answered: head=" + to.head());
        }
        if (reply == HeadConnection.SILENT) {
            return QmpReply.refused(
                    "head does not answer: head=" + to.head() + " waitedMs=" + HeadConnection.PATIENCE_MS);
        }
        return reply;
    }

    private static Response responseOf(QmpReply reply) {
        if (reply == HeadConnection.SILENT) {
            return Response.undelivered(ReturnCode.BUSY);
        }
        if (reply == HeadConnection.GONE) {
            return Response.undelivered(ReturnCode.RETRY_REQUIRED);
        }
        if (reply.error().isEmpty()
                && reply.value() instanceof Map<?, ?> members
                && members.get("return-code") instanceof Long number
                && members.get("payload") instanceof String digits) {
            Optional<ReturnCode> code = ReturnCode.of((int) Math.min(number, Integer.MAX_VALUE));
            try {
                if (code.isPresent()) {
                    return Response.received(code.get(), HexFormat.of().parseHex(digits));
                }
            } catch (IllegalArgumentException e) {
                // As below.
            }
        }
        // Whatever answers there, it does not answer as a head of this version does.
        return Response.undelivered(ReturnCode.INTERNAL_ERROR);
    }
}
