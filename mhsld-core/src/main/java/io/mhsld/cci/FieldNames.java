package io.mhsld.cci;

import io.mhsld.cci.Layout.Field;
import java.util.List;

/**
 * The fields of a layout by their names: every access to a payload comes by here, a hundred times for one add. So a name has its place in a table
 * with much room, and the name that is asked for is nearly always the very object that stands there.
 */
final class FieldNames {
    private static final int ROOM = 8;

    private final Field[] places;

    /** Refuses a name that stands there twice with {@code IllegalArgumentException}. */
    FieldNames(List<Field> fields, String layout) {
        places = new Field[Integer.highestOneBit(ROOM * fields.size() + 1)];
        for (Field field : fields) {
            if (find(field.name()) != null) {
                throw new IllegalArgumentException("field named twice: field=" + field.name() + " layout=" + layout);
            }
            places[placeOf(field.name())] = field;
        }
    }

    /** Null when there is none of that name. */
    Field find(String name) {
        return places[placeOf(name)];
    }

    /** Where the name stands, or the free place where it would. */
    private int placeOf(String name) {
        int last = places.length - 1;
        int hash = name.hashCode();
        int place = (hash ^ hash >>> Short.SIZE) & last;
        while (places[place] != null && !places[place].name().equals(name)) {
            place = (place + 1) & last;
        }
        return place;
    }
}
