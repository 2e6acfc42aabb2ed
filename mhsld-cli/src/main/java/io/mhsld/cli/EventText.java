package io.mhsld.cli;

import io.mhsld.cci.EventLayouts;
import io.mhsld.cci.Layout;
import io.mhsld.cci.Payload;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** Event records on one line each, for people: what the record says, without what it says nothing about. */
final class EventText {
    /** What every record has and few people look for, and what only tells which other fields mean something. */
    private static final Set<String> LEFT_OUT = leftOut();

    private static final Set<String> NOTHING = Set.of("0", "0x0", "[]", "not reported", "informational");
    private static final Set<String> SHOWN_AS_ZERO =
            Set.of("physicalAddress", "temperatureCelsius", "lifeUsedPercent", "startDpa");

    private EventText() {}

    private static Set<String> leftOut() {
        Set<String> names = new HashSet<>(Set.of("validity"));
        EventLayouts.EVENT_RECORD_HEADER.fields().forEach(field -> names.add(field.name()));
        names.removeAll(Set.of("recordFlags", "ldId", "headId"));
        return names;
    }

    /** The line of a record; any bytes have one. */
    static String of(byte[] record) {
        Layout layout = layoutOf(record);
        List<String> words = new ArrayList<>(List.of(layout.name() + ":"));
        for (String line : layout.lines(record)) {
            int colon = line.indexOf(": ");
            if (colon < 0) {
                continue;
            }
            String name = line.substring(0, colon);
            String value = line.substring(colon + 2);
            boolean isNothing = NOTHING.contains(value) || value.equals("none") || value.matches("0+");
            if (!LEFT_OUT.contains(name) && (!isNothing || SHOWN_AS_ZERO.contains(name))) {
                words.add(name + "=" + (value.contains(" ") ? '"' + value + '"' : value));
            }
        }
        return String.join(" ", words);
    }

    private static Layout layoutOf(byte[] record) {
        if (record.length < EventLayouts.RECORD_LENGTH_BYTES) {
            return EventLayouts.EVENT_RECORD;
        }
        Payload common = EventLayouts.EVENT_RECORD.over(record);
        Map<UUID, Layout> known = EventLayouts.RECORDS;
        return known.getOrDefault(common.uuid("recordId"), EventLayouts.EVENT_RECORD);
    }
}
