package io.mhsld.qmp;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The commands and events that every QMP server has, whatever it controls. */
final class QmpBuiltIns {
    static final String NEGOTIATION = "qmp_capabilities";

    /**
     * From now on, what was not read yet when this client closes its connection is not done: a client that has given up on a head which was stopped
     * need not fear what that head does when it wakes up.
     */
    static final String DROP_UNHEARD = "x-drop-unheard";

    private static final QmpType SHUTDOWN_CAUSE = QmpType.enumeration(
            "ShutdownCause", "none", "host-error", "host-qmp-quit", "host-qmp-system-reset", "host-signal", "host-ui");

    private static final QmpType VERSION = QmpType.struct(
            "VersionInfo",
            QmpParameter.required(
                    "qemu",
                    QmpType.struct(
                            "VersionTriple",
                            QmpParameter.required("major", QmpType.INT),
                            QmpParameter.required("minor", QmpType.INT),
                            QmpParameter.required("micro", QmpType.INT))),
            QmpParameter.required("package", QmpType.STR));

    private static final QmpType STATUS = QmpType.struct(
            "StatusInfo",
            QmpParameter.required("running", QmpType.BOOL),
            QmpParameter.required("status", QmpType.enumeration("RunState", "running", "shutdown")));

    private static final QmpType NAME = QmpType.struct("NameInfo", QmpParameter.optional("name", QmpType.STR));

    private static final QmpType COMMANDS =
            QmpType.listOf(QmpType.struct("CommandInfo", QmpParameter.required("name", QmpType.STR)));

    /** QEMU's own answer has a type of many variants here; no client needs the schema of the schema. */
    private static final QmpType SCHEMA = QmpType.listOf(QmpType.ANY);

    private QmpBuiltIns() {}

    static List<QmpCommand> commands(QmpServer server, QmpMachine machine) {
        List<QmpCommand> commands = new ArrayList<>();
        commands.add(QmpCommand.of(
                NEGOTIATION,
                QmpBuiltIns::negotiate,
                QmpParameter.optional("enable", QmpType.listOf(QmpType.enumeration("QMPCapability", "oob")))));
        commands.add(QmpCommand.of(DROP_UNHEARD, arguments -> QmpReply.done()));
        commands.add(QmpCommand.of(
                        "query-version",
                        arguments -> QmpReply.of(machine.version().toJson()))
                .returning(VERSION));
        commands.add(QmpCommand.of("query-commands", arguments -> QmpReply.of(names(server)))
                .returning(COMMANDS));
        commands.add(QmpCommand.of(
                        "query-qmp-schema", arguments -> QmpReply.of(QmpSchema.of(server.commands(), events())))
                .returning(SCHEMA));
        commands.add(QmpCommand.of("query-status", arguments -> QmpReply.of(status()))
                .returning(STATUS));
        commands.add(QmpCommand.of("query-name", arguments -> QmpReply.of(Map.of("name", machine.name())))
                .returning(NAME));
        commands.add(QmpCommand.of("system_reset", arguments -> reset(server, machine)));
        commands.add(QmpCommand.of("quit", arguments -> quit(server, machine)));
        return commands;
    }

    static Map<String, QmpType.Struct> events() {
        Map<String, QmpType.Struct> events = new LinkedHashMap<>();
        for (String name : List.of("RESET", "SHUTDOWN")) {
            events.put(
                    name,
                    QmpType.struct(
                            name + "-data",
                            QmpParameter.required("guest", QmpType.BOOL),
                            QmpParameter.required("reason", SHUTDOWN_CAUSE)));
        }
        return events;
    }

    /** What the session still has to do is its own state; here only what was asked for is checked, and nothing is on offer. */
    private static QmpReply negotiate(QmpArguments arguments) {
        for (String capability : arguments.texts("enable")) {
            return QmpReply.refused("Capability '" + capability + "' is not available");
        }
        return QmpReply.done();
    }

    private static List<Object> names(QmpServer server) {
        List<Object> names = new ArrayList<>();
        server.commands().forEach(command -> names.add(Map.of("name", command.name())));
        return names;
    }

    private static Map<String, Object> status() {
        Map<String, Object> status = new LinkedHashMap<>();
        status.put("status", "running");
        status.put("running", true);
        return status;
    }

    /** The event comes before the reply, as in QEMU. */
    private static QmpReply reset(QmpServer server, QmpMachine machine) {
        Optional<String> refusal = machine.resetRefusal();
        if (refusal.isPresent()) {
            return QmpReply.refused(refusal.get());
        }
        machine.reset();
        server.emit("RESET", because("host-qmp-system-reset"));
        return QmpReply.done();
    }

    private static QmpReply quit(QmpServer server, QmpMachine machine) {
        server.emitShutdown("host-qmp-quit");
        server.later(machine::quit);
        return QmpReply.done();
    }

    static Map<String, Object> because(String reason) {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("guest", false);
        data.put("reason", reason);
        return data;
    }
}
