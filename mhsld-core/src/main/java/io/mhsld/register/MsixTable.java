package io.mhsld.register;

/**
 * The tables that the MSI-X capability points to (PCI Express r6.1 7.7.2): an address, data and a mask for each vector, and which of them are
 * pending. They hold what is written and steer nothing: whoever carries the accesses gets the numbers of vectors, and sends the messages; no
 * message waits here.
 */
final class MsixTable {
    private static final int ENTRY_BYTES = 16;

    static final RegisterLayout TABLE = table();

    static final RegisterLayout PENDING = RegisterRows.of("msi-x pending bits", Long.BYTES)
            .at(0, "7.7.2.6")
            .shown("pending bits", 0, ConfigurationSpace.MSIX_VECTORS, ResetDomain.FLR, 0)
            .layout();

    private MsixTable() {}

    private static RegisterLayout table() {
        RegisterRows rows = RegisterRows.of("msi-x table", ConfigurationSpace.MSIX_VECTORS * ENTRY_BYTES);
        for (int vector = 0; vector < ConfigurationSpace.MSIX_VECTORS; vector++) {
            int offset = vector * ENTRY_BYTES;
            String prefix = "vector " + vector + " ";
            rows.at(offset, "7.7.2.5", prefix)
                    .plain("message address", 2, 30, ResetDomain.FLR, 0)
                    .plain("message upper address", 32, 32, ResetDomain.FLR, 0)
                    .plain("message data", 64, 32, ResetDomain.FLR, 0)
                    .plain("mask", 96, 1, ResetDomain.FLR, 1);
        }
        return rows.layout();
    }
}
