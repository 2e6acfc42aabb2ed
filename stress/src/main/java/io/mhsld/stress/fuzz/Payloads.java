package io.mhsld.stress.fuzz;

import io.mhsld.cci.EventLayouts;
import io.mhsld.cci.Layout;
import io.mhsld.cci.Layout.Field;
import io.mhsld.cci.Layout.Kind;
import io.mhsld.cci.Layout.Part;
import io.mhsld.cci.Layouts;
import io.mhsld.cci.Opcode;
import io.mhsld.cci.OpcodeTable;
import io.mhsld.cci.Payload;
import io.mhsld.qmp.QmpJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Any bytes shown through any layout, as {@code mhsld cci} shows an answer. The first byte chooses the layout. Whatever the bytes are, they can be
 * shown, and a terminal is safe from them; where they hold the layout, what is shown is what reading by name gives.
 */
public final class Payloads {
    private static final List<Layout> LAYOUTS = layouts();

    private Payloads() {}

    private static List<Layout> layouts() {
        List<Layout> layouts =
                new ArrayList<>(List.of(EventLayouts.EVENT_RECORD_HEADER, Layouts.EXTENT, EventLayouts.DC_RECORD));
        for (Opcode opcode : OpcodeTable.ALL) {
            layouts.add(opcode.request());
            layouts.add(opcode.response());
        }
        layouts.addAll(List.of(
                EventLayouts.GENERAL_MEDIA_RECORD,
                EventLayouts.DRAM_RECORD,
                EventLayouts.MEMORY_MODULE_RECORD,
                EventLayouts.EVENT_RECORD));
        return layouts;
    }

    /** Fails when bytes cannot be shown, or are shown as what they are not. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        Input input = new Input(bytes);
        Layout layout = LAYOUTS.get(input.below(LAYOUTS.size()));
        byte[] payload = input.rest();
        Map<String, Object> decoded = layout.decode(payload);
        QmpJson.parse(QmpJson.write(decoded));
        layout.lines(payload).forEach(line -> Check.isPrintable(line, "line of " + layout));
        if (!layout.isHeldBy(payload)) {
            return;
        }
        Payload named = layout.over(payload);
        compare(layout.fields(), decoded, named);
        compare(layout.tail(), decoded, named);
        if (layout.block().isPresent()) {
            List<?> entries = (List<?>) decoded.get(layout.block().get().name());
            Check.equal(named.entryCount(), entries.size(), "entries of " + layout);
            for (int i = 0; i < entries.size(); i++) {
                if (entries.get(i) instanceof Map<?, ?> entry) {
                    compare(named.entry(i).layout().fields(), entry, named.entry(i));
                }
            }
        }
        boolean isWhole = layout.lengthBytes(named.entryCount()) == payload.length;
        Check.equal(!isWhole, decoded.containsKey("undecoded"), "bytes behind the end of " + layout);
    }

    private static void compare(List<Field> fields, Map<?, ?> decoded, Payload named) {
        for (Field field : fields) {
            if (field.kind() == Kind.RESERVED) {
                continue;
            }
            for (Part part : field.meaning().parts()) {
                Object shown = decoded.get(part.name());
                Check.that(shown != null, "part is not shown: " + part.name());
                if (shown instanceof Long number) {
                    Check.equal(part.of(named.number(field.name())), number, part.name());
                }
            }
            if (!field.meaning().parts().isEmpty()) {
                continue;
            }
            Object shown = decoded.get(field.name());
            Check.that(shown != null, "field is not shown: " + field.name());
            if (field.kind() == Kind.UUID) {
                Check.equal(named.uuid(field.name()).toString(), shown, field.name());
            } else if (shown instanceof Long number && field.meaning().unit() == 1) {
                Check.equal(named.number(field.name()), number, field.name());
            }
        }
    }
}
