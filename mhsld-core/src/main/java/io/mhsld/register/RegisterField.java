package io.mhsld.register;

/**
 * One row of a register table.
 *
 * @param name lower case, as the specification calls it; unique in its layout
 * @param offset where its register begins, bytes from the start of the layout
 * @param lowBit its lowest bit, from bit 0 of the byte at {@code offset}
 * @param widthBits its length; more than 64 only for whole bytes that are {@code RW} or {@code RO}
 * @param attribute what a host can do to it
 * @param resetDomain which resets bring it back
 * @param initial its value after those resets
 * @param clause where it is specified
 * @param lock what closes it, of an {@code RWL} field; else empty
 */
public record RegisterField(
        String name,
        int offset,
        int lowBit,
        int widthBits,
        Attribute attribute,
        ResetDomain resetDomain,
        long initial,
        String clause,
        String lock) {
    /** Refuses rows that contradict themselves with an {@code IllegalArgumentException}. */
    public RegisterField {
        require(offset >= 0 && lowBit >= 0 && widthBits > 0, "is nowhere", name);
        require(widthBits <= Long.SIZE || isPlain(lowBit, widthBits, attribute), "is too long", name);
        require((attribute == Attribute.RWL) == !lock.isEmpty(), "needs a lock when, and only when, it is RWL", name);
        require(
                widthBits >= Long.SIZE ? widthBits == Long.SIZE || initial == 0 : initial >>> widthBits == 0,
                "does not hold its initial value",
                name);
        require(attribute != Attribute.RESERVED || initial == 0, "is reserved and reads 0", name);
    }

    /** A field without a lock. */
    public RegisterField(
            String name,
            int offset,
            int lowBit,
            int widthBits,
            Attribute attribute,
            ResetDomain resetDomain,
            long initial,
            String clause) {
        this(name, offset, lowBit, widthBits, attribute, resetDomain, initial, clause, "");
    }

    /** A field that nothing but the device's making changes: no reset has anything to bring back. */
    public static RegisterField fixed(String name, int offset, int lowBit, int widthBits, long initial, String clause) {
        return new RegisterField(
                name, offset, lowBit, widthBits, Attribute.HWINIT, ResetDomain.STICKY, initial, clause);
    }

    /** Its first bit, from bit 0 of the layout. */
    int firstBit() {
        return offset * Byte.SIZE + lowBit;
    }

    /** The bit behind its last one. */
    int endBit() {
        return firstBit() + widthBits;
    }

    boolean isLong() {
        return widthBits > Long.SIZE;
    }

    private static boolean isPlain(int lowBit, int widthBits, Attribute attribute) {
        return lowBit % Byte.SIZE == 0
                && widthBits % Byte.SIZE == 0
                && (attribute == Attribute.RW || attribute == Attribute.RO || attribute == Attribute.RESERVED);
    }

    private static void require(boolean holds, String cause, String name) {
        if (!holds) {
            throw new IllegalArgumentException("register field " + cause + ": name=" + name);
        }
    }
}
