package io.mhsld.register;

import java.util.ArrayList;
import java.util.List;

/** Rows of a register table as they are written down: register by register, each with its clause, and field by field in it. */
final class RegisterRows {
    private final String name;
    private final int lengthBytes;
    private final List<RegisterField> fields = new ArrayList<>();
    private int offset;
    private String clause = "";
    private String prefix = "";

    private RegisterRows(String name, int lengthBytes) {
        this.name = name;
        this.lengthBytes = lengthBytes;
    }

    static RegisterRows of(String name, int lengthBytes) {
        return new RegisterRows(name, lengthBytes);
    }

    /** The rows that follow are of the register there. */
    RegisterRows at(int registerOffset, String itsClause) {
        return at(registerOffset, itsClause, "");
    }

    /** The same, for registers of which there are several: what their fields' names begin with. */
    RegisterRows at(int registerOffset, String itsClause, String itsPrefix) {
        offset = registerOffset;
        clause = itsClause;
        prefix = itsPrefix;
        return this;
    }

    /** Never changes. */
    RegisterRows fixed(String field, int lowBit, int widthBits, long value) {
        return row(field, lowBit, widthBits, Attribute.HWINIT, ResetDomain.STICKY, value, "");
    }

    /** The device changes it. */
    RegisterRows shown(String field, int lowBit, int widthBits, ResetDomain domain, long initial) {
        return row(field, lowBit, widthBits, Attribute.RO, domain, initial, "");
    }

    /** Can be read and written. */
    RegisterRows plain(String field, int lowBit, int widthBits, ResetDomain domain, long initial) {
        return row(field, lowBit, widthBits, Attribute.RW, domain, initial, "");
    }

    /** Writing 1 clears. */
    RegisterRows cleared(String field, int lowBit, int widthBits, ResetDomain domain) {
        return row(field, lowBit, widthBits, Attribute.RW1C, domain, 0, "");
    }

    /** Can be written while a lock is open. */
    RegisterRows locked(String field, int lowBit, int widthBits, ResetDomain domain, long initial, String lock) {
        return row(field, lowBit, widthBits, Attribute.RWL, domain, initial, lock);
    }

    RegisterLayout layout() {
        return new RegisterLayout(name, lengthBytes, fields);
    }

    /** The row of this name. */
    static RegisterField field(RegisterLayout layout, String name) {
        return layout.fields().stream()
                .filter(field -> field.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "register field is not in the layout: name=" + name + " layout=" + layout.name()));
    }

    private RegisterRows row(
            String field,
            int lowBit,
            int widthBits,
            Attribute attribute,
            ResetDomain domain,
            long initial,
            String lock) {
        fields.add(
                new RegisterField(prefix + field, offset, lowBit, widthBits, attribute, domain, initial, clause, lock));
        return this;
    }
}
