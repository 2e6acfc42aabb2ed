package io.mhsld.qmp;

import static io.mhsld.qmp.QmpParameter.optional;
import static io.mhsld.qmp.QmpParameter.required;

import io.mhsld.cci.CciDialect;
import io.mhsld.cci.FmOwnedLd;
import io.mhsld.fabric.Fabric;
import io.mhsld.fabric.HeadLink.Address;
import io.mhsld.state.HeadTable;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * The commands on the fabric manager's QMP sockets: QEMU's, each sent to the head that it is for, and ours about the device as a whole.
 *
 * <p>The head is the one of {@code host-id}; of commands that have none, the one that {@code path} names as {@code head3} (or
 * {@code /machine/peripheral/head3}), else that of {@code head-id}, else the only one that is running. Any other path is the head's to judge.
 */
public final class FmCommands {
    /** What a head is called here, with its number behind it; the head knows itself by it too. */
    static final String HEAD_NAME = "head";

    private static final int MAX_HEAD_DIGITS = 2;

    private final Fabric fabric;
    private final FmOwnedLd cci;
    private final HeadConnections heads;

    private FmCommands(Fabric fabric, FmOwnedLd cci, HeadConnections heads) {
        this.fabric = fabric;
        this.cci = cci;
        this.heads = heads;
    }

    /** The command table of a fabric manager. */
    public static List<QmpCommand> of(Fabric fabric, FmOwnedLd cci, HeadConnections heads) {
        return new FmCommands(fabric, cci, heads).table();
    }

    private List<QmpCommand> table() {
        List<QmpCommand> table = new ArrayList<>(QemuCommands.all(name -> arguments -> route(name, arguments)));
        table.add(query("x-query-head"));
        table.add(query("x-query-extents"));
        table.add(query("x-query-events", optional("log", EventQueries.LOG), optional("since", QmpType.UINT64)));
        table.add(query("x-query-ras"));
        table.add(QmpCommand.of("x-query-heads", arguments -> queryHeads()).returning(QmpType.ANY));
        table.add(
                QmpCommand.of("x-cci", this::cci, required("opcode", QmpType.UINT16), optional("payload", QmpType.STR))
                        .returning(QmpType.ANY));
        return table;
    }

    private QmpCommand query(String name, QmpParameter... own) {
        List<QmpParameter> parameters = new ArrayList<>(List.of(optional("host-id", QmpType.UINT16)));
        parameters.addAll(List.of(own));
        return QmpCommand.of(name, arguments -> query(name, arguments), parameters.toArray(QmpParameter[]::new))
                .returning(QmpType.ANY);
    }

    // ---- routes

    private QmpReply route(String command, QmpArguments arguments) {
        return route(command, arguments, arguments.toJson());
    }

    /** One of ours about a head: the head itself takes no {@code host-id}. */
    private QmpReply query(String command, QmpArguments arguments) {
        Map<String, Object> asked = arguments.toJson();
        asked.remove("host-id");
        return route(command, arguments, asked);
    }

    private QmpReply route(String command, QmpArguments arguments, Map<String, Object> asked) {
        Map<String, Object> sent = arguments.toJson();
        OptionalInt named = headOfPath(sent.get("path"));
        OptionalInt hostId = numberOf(sent.get("host-id"));
        if (hostId.isPresent() && named.isPresent() && hostId.getAsInt() != named.getAsInt()) {
            return QmpReply.refused("path and host-id name different heads: path=" + sent.get("path") + " host-id="
                    + hostId.getAsInt());
        }
        OptionalInt head = firstOf(hostId, named, numberOf(sent.get("head-id")), onlyHead());
        if (head.isEmpty()) {
            return QmpReply.refused("which head is meant cannot be told: path=" + sent.getOrDefault("path", "")
                    + " (give host-id, or path as head0, head1, …)");
        }
        if (head.getAsInt() >= fabric.headCount()) {
            return QmpReply.refused("no such host: host-id=" + head.getAsInt() + " heads=" + fabric.headCount());
        }
        Optional<Address> address = fabric.serving(head.getAsInt());
        if (address.isEmpty()) {
            return QmpReply.refused("head is not running: head=" + head.getAsInt());
        }
        return heads.execute(address.get(), command, asked);
    }

    private static OptionalInt firstOf(OptionalInt... candidates) {
        for (OptionalInt candidate : candidates) {
            if (candidate.isPresent()) {
                return candidate;
            }
        }
        return OptionalInt.empty();
    }

    private static OptionalInt numberOf(Object value) {
        return value instanceof Number number ? OptionalInt.of(number.intValue()) : OptionalInt.empty();
    }

    private static OptionalInt headOfPath(Object path) {
        String text = String.valueOf(path);
        String name = text.substring(text.lastIndexOf('/') + 1);
        String digits = name.startsWith(HEAD_NAME) ? name.substring(HEAD_NAME.length()) : "";
        boolean isNumber = !digits.isEmpty()
                && digits.length() <= MAX_HEAD_DIGITS
                && digits.chars().allMatch(c -> c >= '0' && c <= '9');
        return isNumber ? OptionalInt.of(Integer.parseInt(digits)) : OptionalInt.empty();
    }

    private OptionalInt onlyHead() {
        int[] serving = IntStream.range(0, fabric.headCount())
                .filter(fabric::isAttached)
                .limit(2)
                .toArray();
        return serving.length == 1 ? OptionalInt.of(serving[0]) : OptionalInt.empty();
    }

    // ---- the device

    private QmpReply queryHeads() {
        List<Object> rows = new ArrayList<>();
        for (int head = 0; head < fabric.headCount(); head++) {
            HeadTable.Row row = fabric.state().heads().readAcquire(head);
            boolean isRunning = fabric.isAttached(head);
            Map<String, Object> answer = new LinkedHashMap<>();
            answer.put("head", (long) head);
            answer.put("running", isRunning);
            answer.put("state", row.state().name().toLowerCase(Locale.ROOT));
            answer.put("incarnation", row.incarnation());
            if (isRunning) {
                answer.put("pid", row.pid());
                answer.put("control", row.controlSocket());
            }
            rows.add(answer);
        }
        return QmpReply.of(rows);
    }

    private QmpReply cci(QmpArguments arguments) {
        byte[] payload;
        try {
            payload = HexFormat.of().parseHex(arguments.optionalText("payload").orElse(""));
        } catch (IllegalArgumentException e) {
            return QmpReply.refused("Parameter 'payload' expects pairs of hexadecimal digits");
        }
        QmpReply.Pending promise = QmpReply.pending();
        cci.execute(
                (int) arguments.number("opcode"),
                payload,
                CciDialect.STANDARD,
                response -> promise.complete(CxlCommands.cciAnswer(response)));
        return promise;
    }
}
