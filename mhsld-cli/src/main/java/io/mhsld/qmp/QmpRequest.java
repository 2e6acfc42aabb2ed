package io.mhsld.qmp;

import java.util.Map;

/** A message of a client taken apart: a command with its arguments, or why it is none; and the id to answer with, which may be null. */
record QmpRequest(String command, Map<?, ?> arguments, boolean hasId, Object id, QmpError error) {
    static QmpRequest of(Object message) {
        if (!(message instanceof Map<?, ?> members)) {
            return new QmpRequest(null, null, false, null, QmpError.generic("QMP input must be a JSON object"));
        }
        String fault = fault(members);
        Object command = members.get("execute");
        Object arguments = members.containsKey("arguments") ? members.get("arguments") : Map.of();
        return new QmpRequest(
                fault == null ? (String) command : null,
                fault == null ? (Map<?, ?>) arguments : null,
                members.containsKey("id"),
                members.get("id"),
                fault == null ? null : QmpError.generic(fault));
    }

    private static String fault(Map<?, ?> members) {
        for (Map.Entry<?, ?> member : members.entrySet()) {
            Object name = member.getKey();
            if (name.equals("execute")) {
                if (!(member.getValue() instanceof String)) {
                    return "QMP input member 'execute' must be a string";
                }
            } else if (name.equals("arguments")) {
                if (!(member.getValue() instanceof Map)) {
                    return "QMP input member 'arguments' must be an object";
                }
            } else if (!name.equals("id")) {
                return "QMP input member '" + name + "' is unexpected";
            }
        }
        return members.containsKey("execute") ? null : "QMP input lacks member 'execute'";
    }
}
