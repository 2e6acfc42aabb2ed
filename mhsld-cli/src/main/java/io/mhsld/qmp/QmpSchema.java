package io.mhsld.qmp;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Collects the answer of {@code query-qmp-schema}: every command and event, and every type that they lead to, once. */
final class QmpSchema {
    private final Map<String, Map<String, Object>> entries = new LinkedHashMap<>();

    static List<Object> of(Collection<QmpCommand> commands, Map<String, QmpType.Struct> events) {
        QmpSchema schema = new QmpSchema();
        for (QmpCommand command : commands) {
            Map<String, Object> entry = schema.entry(command.name(), "command");
            entry.put("arg-type", command.parameters().describeTo(schema));
            entry.put("ret-type", command.result().describeTo(schema));
            if (!command.features().isEmpty()) {
                entry.put("features", command.features());
            }
        }
        events.forEach((name, data) -> schema.entry(name, "event").put("arg-type", data.describeTo(schema)));
        return new ArrayList<>(schema.entries.values());
    }

    void builtin(String name, String jsonType) {
        if (!entries.containsKey(name)) {
            entry(name, "builtin").put("json-type", jsonType);
        }
    }

    void enumeration(String name, List<String> values) {
        if (!entries.containsKey(name)) {
            Map<String, Object> entry = entry(name, "enum");
            entry.put(
                    "members",
                    values.stream().map(value -> Map.of("name", value)).toList());
            entry.put("values", values);
        }
    }

    String array(String element) {
        String name = "[" + element + "]";
        if (!entries.containsKey(name)) {
            entry(name, "array").put("element-type", element);
        }
        return name;
    }

    void object(String name, List<QmpParameter> parameters) {
        if (!entries.containsKey(name)) {
            List<Object> members = new ArrayList<>();
            entry(name, "object").put("members", members);
            for (QmpParameter parameter : parameters) {
                Map<String, Object> member = new LinkedHashMap<>();
                member.put("name", parameter.name());
                member.put("type", parameter.type().describeTo(this));
                if (parameter.optional()) {
                    // The presence of this member is what says "optional"; its value says that there is no default to
                    // name.
                    member.put("default", null);
                }
                members.add(member);
            }
        }
    }

    private Map<String, Object> entry(String name, String metaType) {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("name", name);
        entry.put("meta-type", metaType);
        entries.put(name, entry);
        return entry;
    }
}
