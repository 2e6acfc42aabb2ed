package io.mhsld.register;

/** The tables of the configuration space that PCI Express draws. Clauses are of PCI Express r6.1. */
final class PciLayouts {
    /** Vendor and device of QEMU's Type-3 device, which no hardware sells: drivers bind by class, people find what they know. */
    static final int VENDOR_ID = 0x8086;

    static final int DEVICE_ID = 0x0D93;
    /** The subsystem that QEMU gives its devices: says that this is an emulated one, and is nobody's product. */
    static final int SUBSYSTEM_VENDOR_ID = 0x1AF4;

    static final int SUBSYSTEM_ID = 0x1100;

    /** Memory controller, CXL memory device, CXL 2.0 or later (CXL r3.1 8.1.12.1). */
    static final int CLASS_CODE = 0x05_02_10;

    private static final int MEMORY_64 = 0x4;
    private static final int MEMORY_64_PREFETCHABLE = 0xC;

    /** 12 bytes. */
    static final RegisterLayout MSIX = RegisterRows.of("msi-x capability", 0x0C)
            .at(0x00, "7.7.2.1")
            .fixed("capability id", 0, 8, 0x11)
            .fixed("next capability", 8, 8, ConfigurationSpace.PCI_EXPRESS_OFFSET)
            .at(0x02, "7.7.2.2")
            .fixed("table size", 0, 11, ConfigurationSpace.MSIX_VECTORS - 1)
            .plain("function mask", 14, 1, ResetDomain.FLR, 0)
            .plain("msi-x enable", 15, 1, ResetDomain.FLR, 0)
            .at(0x04, "7.7.2.3")
            .fixed("table bir", 0, 3, ConfigurationSpace.DEVICE_BAR)
            .fixed("table offset", 3, 29, ConfigurationSpace.MSIX_TABLE_OFFSET >> 3)
            .at(0x08, "7.7.2.4")
            .fixed("pba bir", 0, 3, ConfigurationSpace.DEVICE_BAR)
            .fixed("pba offset", 3, 29, ConfigurationSpace.MSIX_PENDING_OFFSET >> 3)
            .layout();

    /** 60 bytes. What a function level reset must leave alone is listed in 6.6.2. */
    static final RegisterLayout PCI_EXPRESS = RegisterRows.of("pci express capability", 0x3C)
            .at(0x00, "7.5.3.1")
            .fixed("capability id", 0, 8, 0x10)
            .fixed("next capability", 8, 8, 0)
            .at(0x02, "7.5.3.2")
            .fixed("capability version", 0, 4, 2)
            .fixed("device/port type", 4, 4, 0)
            .fixed("interrupt message number", 9, 5, 0)
            .at(0x04, "7.5.3.3")
            .fixed("max_payload_size supported", 0, 3, 0)
            .fixed("extended tag field supported", 5, 1, 1)
            .fixed("role-based error reporting", 15, 1, 1)
            .fixed("function level reset capability", 28, 1, 1)
            .at(0x08, "7.5.3.4")
            .plain("correctable error reporting enable", 0, 1, ResetDomain.FLR, 0)
            .plain("non-fatal error reporting enable", 1, 1, ResetDomain.FLR, 0)
            .plain("fatal error reporting enable", 2, 1, ResetDomain.FLR, 0)
            .plain("unsupported request reporting enable", 3, 1, ResetDomain.FLR, 0)
            .plain("enable relaxed ordering", 4, 1, ResetDomain.FLR, 1)
            .fixed("max_payload_size", 5, 3, 0)
            .plain("extended tag field enable", 8, 1, ResetDomain.FLR, 1)
            .plain("enable no snoop", 11, 1, ResetDomain.FLR, 1)
            .plain("max_read_request_size", 12, 3, ResetDomain.FLR, 2)
            // Writing 1 resets the function; it always reads 0.
            .plain("initiate function level reset", 15, 1, ResetDomain.FLR, 0)
            .at(0x0A, "7.5.3.5")
            .cleared("correctable error detected", 0, 1, ResetDomain.FLR)
            .cleared("non-fatal error detected", 1, 1, ResetDomain.FLR)
            .cleared("fatal error detected", 2, 1, ResetDomain.FLR)
            .cleared("unsupported request detected", 3, 1, ResetDomain.FLR)
            .shown("transactions pending", 5, 1, ResetDomain.FLR, 0)
            .at(0x0C, "7.5.3.6")
            .fixed("max link speed", 0, 4, 5)
            .fixed("maximum link width", 4, 6, 16)
            .fixed("aspm optionality compliance", 22, 1, 1)
            .at(0x10, "7.5.3.7")
            .plain("aspm control", 0, 2, ResetDomain.CONVENTIONAL, 0)
            .plain("read completion boundary", 3, 1, ResetDomain.CONVENTIONAL, 0)
            .plain("common clock configuration", 6, 1, ResetDomain.CONVENTIONAL, 0)
            .plain("extended synch", 7, 1, ResetDomain.CONVENTIONAL, 0)
            .plain("hardware autonomous width disable", 9, 1, ResetDomain.CONVENTIONAL, 0)
            .at(0x12, "7.5.3.8")
            .fixed("current link speed", 0, 4, 5)
            .fixed("negotiated link width", 4, 6, 16)
            .at(0x24, "7.5.3.15")
            .fixed("completion timeout disable supported", 4, 1, 1)
            .fixed("10-bit tag completer supported", 16, 1, 1)
            .at(0x28, "7.5.3.16")
            .plain("completion timeout disable", 4, 1, ResetDomain.FLR, 0)
            .at(0x2C, "7.5.3.18")
            .fixed("supported link speeds vector", 1, 7, 0x1F)
            .at(0x30, "7.5.3.19")
            .plain("target link speed", 0, 4, ResetDomain.STICKY, 5)
            .plain("enter compliance", 4, 1, ResetDomain.STICKY, 0)
            .plain("hardware autonomous speed disable", 5, 1, ResetDomain.STICKY, 0)
            .plain("transmit margin", 7, 3, ResetDomain.STICKY, 0)
            .plain("enter modified compliance", 10, 1, ResetDomain.STICKY, 0)
            .plain("compliance sos", 11, 1, ResetDomain.STICKY, 0)
            .plain("compliance preset/de-emphasis", 12, 4, ResetDomain.STICKY, 0)
            .at(0x32, "7.5.3.20")
            .shown("equalization 8.0 GT/s complete", 1, 1, ResetDomain.STICKY, 1)
            .shown("equalization 8.0 GT/s phases successful", 2, 3, ResetDomain.STICKY, 7)
            .layout();

    private PciLayouts() {}

    /** The header, 64 bytes; {@code dataBarBytes} is a power of two, or 0 when there is no data BAR. */
    static RegisterLayout header(long dataBarBytes) {
        RegisterRows rows = RegisterRows.of("configuration space header", 0x40)
                .at(0x00, "7.5.1.1.1")
                .fixed("vendor id", 0, 16, VENDOR_ID)
                .at(0x02, "7.5.1.1.2")
                .fixed("device id", 0, 16, DEVICE_ID)
                .at(0x04, "7.5.1.1.3")
                .plain("memory space enable", 1, 1, ResetDomain.FLR, 0)
                .plain("bus master enable", 2, 1, ResetDomain.FLR, 0)
                .plain("parity error response", 6, 1, ResetDomain.FLR, 0)
                .plain("serr# enable", 8, 1, ResetDomain.FLR, 0)
                .plain("interrupt disable", 10, 1, ResetDomain.FLR, 0)
                .at(0x06, "7.5.1.1.4")
                .fixed("capabilities list", 4, 1, 1)
                .cleared("master data parity error", 8, 1, ResetDomain.FLR)
                .cleared("signaled target abort", 11, 1, ResetDomain.FLR)
                .cleared("received target abort", 12, 1, ResetDomain.FLR)
                .cleared("received master abort", 13, 1, ResetDomain.FLR)
                .cleared("signaled system error", 14, 1, ResetDomain.FLR)
                .cleared("detected parity error", 15, 1, ResetDomain.FLR)
                .at(0x08, "7.5.1.1.5")
                .fixed("revision id", 0, 8, 0)
                .at(0x09, "7.5.1.1.6")
                .fixed("class code", 0, 24, CLASS_CODE)
                .at(0x0C, "7.5.1.1.7")
                .plain("cache line size", 0, 8, ResetDomain.FLR, 0)
                .at(0x0E, "7.5.1.1.9")
                .fixed("header type", 0, 8, 0);
        bar(rows, ConfigurationSpace.COMPONENT_BAR, MEMORY_64, ConfigurationSpace.COMPONENT_BAR_BYTES);
        bar(rows, ConfigurationSpace.DEVICE_BAR, MEMORY_64, ConfigurationSpace.DEVICE_BAR_BYTES);
        if (dataBarBytes > 0) {
            bar(rows, ConfigurationSpace.DATA_BAR, MEMORY_64_PREFETCHABLE, dataBarBytes);
        }
        return rows.at(0x2C, "7.5.1.2.3")
                .fixed("subsystem vendor id", 0, 16, SUBSYSTEM_VENDOR_ID)
                .fixed("subsystem id", 16, 16, SUBSYSTEM_ID)
                .at(0x34, "7.5.1.1.11")
                .fixed("capabilities pointer", 0, 8, ConfigurationSpace.MSIX_OFFSET)
                .at(0x3C, "7.5.1.1.12")
                .plain("interrupt line", 0, 8, ResetDomain.FLR, 0)
                .at(0x3D, "7.5.1.1.13")
                .fixed("interrupt pin", 0, 8, 0)
                .layout();
    }

    /** 64 bits. Address bits below the size read 0 whatever is written, by which software learns the size (7.5.1.2.1). */
    private static void bar(RegisterRows rows, int number, int kind, long sizeBytes) {
        int sizeBits = Long.numberOfTrailingZeros(sizeBytes);
        rows.at(0x10 + 4 * number, "7.5.1.2.1", "bar " + number + " ")
                .fixed("kind", 0, 4, kind)
                .plain("address", sizeBits, Long.SIZE - sizeBits, ResetDomain.FLR, 0);
    }

    /** 12 bytes. */
    static RegisterLayout serialNumber(int next, long serial) {
        return extended("device serial number capability", 0x0C, 0x0003, 1, next, "7.9.3.1")
                .at(0x04, "7.9.3.2")
                .fixed("serial number", 0, 64, serial)
                .layout();
    }

    /** The rows of an extended capability, begun with its header. */
    static RegisterRows extended(String name, int lengthBytes, int id, int version, int next, String clause) {
        return RegisterRows.of(name, lengthBytes)
                .at(0x00, clause)
                .fixed("extended capability id", 0, 16, id)
                .fixed("capability version", 16, 4, version)
                .fixed("next capability offset", 20, 12, next);
    }
}
