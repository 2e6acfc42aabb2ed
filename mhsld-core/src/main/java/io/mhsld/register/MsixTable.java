package io.mhsld.register;

import java.util.ArrayList;
import java.util.List;

/**
 * The tables that the MSI-X capability points to (PCI Express r6.1 7.7.2): an address, data and a mask for each vector, and which of them are
 * pending. They hold what is written and steer nothing: whoever carries the accesses gets the numbers of vectors, and sends the messages; no
 * message waits here.
 */
final class MsixTable {
    static final int VECTORS = 8;

    private static final int ENTRY_BYTES = 16;

    static final RegisterLayout TABLE = table();

    static final RegisterLayout PENDING = RegisterLayout.of(
            "MSI-X pending bits",
            Long.BYTES,
            new RegisterField("pending bits", 0, 0, VECTORS, Attribute.RO, ResetDomain.FLR, 0, clause()));

    private MsixTable() {}

    private static RegisterLayout table() {
        List<RegisterField> rows = new ArrayList<>();
        for (int vector = 0; vector < VECTORS; vector++) {
            int offset = vector * ENTRY_BYTES;
            String who = "vector " + vector + " ";
            rows.add(written(who + "message address", offset, 2, 30, 0));
            rows.add(written(who + "message upper address", offset + 4, 0, 32, 0));
            rows.add(written(who + "message data", offset + 8, 0, 32, 0));
            rows.add(written(who + "mask", offset + 12, 0, 1, 1));
        }
        return new RegisterLayout("MSI-X table", VECTORS * ENTRY_BYTES, rows);
    }

    private static RegisterField written(String name, int offset, int lowBit, int bits, long initial) {
        return new RegisterField(name, offset, lowBit, bits, Attribute.RW, ResetDomain.FLR, initial, clause());
    }

    private static String clause() {
        return "PCIe r6.1 7.7.2";
    }
}
