package io.mhsld.register;

/** The designated vendor-specific extended capabilities by which a function says that it is CXL. Clauses are of CXL r3.1. */
final class DvsecLayouts {
    /** Closed by {@code config_lock}. */
    static final String CONFIG_LOCK = "config_lock";

    private static final int EXTENDED_CAPABILITY_ID = 0x0023;
    private static final int CXL_VENDOR_ID = 0x1E98;

    /** Valid and active, class and media as the CDAT says: what a device without static memory shows next to size 0, as QEMU's does. */
    private static final int RANGE_1_INFO = 0x4B;

    private DvsecLayouts() {}

    /**
     * DVSEC 0, 3Ch bytes. There is one range, of size 0: all memory is dynamic capacity, which only HDM decoders reach. A cache, viral handling
     * and the CXL reset are not offered; a function level reset leaves all of it alone (9.5).
     */
    static RegisterLayout cxlDevice(int next) {
        RegisterRows rows = dvsec("dvsec 0: cxl device", 0x3C, 0, 3, next, "8.1.3")
                .at(0x0A, "8.1.3.1")
                .fixed("cache_capable", 0, 1, 0)
                .fixed("io_capable", 1, 1, 1)
                .fixed("mem_capable", 2, 1, 1)
                .fixed("mem_hwinit_mode", 3, 1, 1)
                .fixed("hdm_count", 4, 2, 1)
                .fixed("cxl_reset_capable", 7, 1, 0)
                .fixed("viral_capable", 14, 1, 0)
                .at(0x0C, "8.1.3.2")
                .locked("cache_enable", 0, 1, ResetDomain.CONVENTIONAL, 0, CONFIG_LOCK)
                .fixed("io_enable", 1, 1, 1)
                .locked("mem_enable", 2, 1, ResetDomain.CONVENTIONAL, 0, CONFIG_LOCK)
                .locked("cache_sf_coverage", 3, 5, ResetDomain.CONVENTIONAL, 0, CONFIG_LOCK)
                .locked("cache_sf_granularity", 8, 3, ResetDomain.CONVENTIONAL, 0, CONFIG_LOCK)
                .locked("cache_clean_eviction", 11, 1, ResetDomain.CONVENTIONAL, 0, CONFIG_LOCK)
                .locked("viral_enable", 14, 1, ResetDomain.CONVENTIONAL, 0, CONFIG_LOCK)
                .at(0x0E, "8.1.3.3")
                .cleared("viral_status", 14, 1, ResetDomain.STICKY)
                .at(0x10, "8.1.3.4")
                .plain("disable_caching", 0, 1, ResetDomain.CXL, 0)
                // The commands of bits 1 and 2 read 0; without the capability they command nothing.
                .fixed("initiate_cache_write_back_and_invalidation", 1, 1, 0)
                .fixed("initiate_cxl_reset", 2, 1, 0)
                .fixed("cxl_reset_mem_clr_enable", 3, 1, 0)
                .at(0x12, "8.1.3.5")
                .fixed("cache_invalid", 0, 1, 0)
                .fixed("cxl_reset_complete", 1, 1, 0)
                .fixed("cxl_reset_error", 2, 1, 0)
                .at(0x14, "8.1.3.6")
                // CXL calls it RWO and means: can be set, never cleared, until a reset. Writing 0 first does not spend
                // it.
                .locked("config_lock", 0, 1, ResetDomain.CONVENTIONAL, 0, CONFIG_LOCK)
                .at(0x16, "8.1.3.7")
                .fixed("cache_size", 0, 16, 0);
        range(rows, 1, 0x18, RANGE_1_INFO);
        range(rows, 2, 0x28, 0);
        return rows.at(0x38, "8.1.3.10").fixed("capability3", 0, 16, 0).layout();
    }

    private static void range(RegisterRows rows, int number, int offset, int info) {
        String prefix = "range " + number + " ";
        String clause = "8.1.3." + (7 + number);
        rows.at(offset, clause, prefix)
                .fixed("size high", 0, 32, 0)
                .at(offset + 0x04, clause, prefix)
                .fixed("memory info", 0, 28, info)
                .fixed("size low", 28, 4, 0)
                .at(offset + 0x08, clause, prefix)
                .locked("base high", 0, 32, ResetDomain.CONVENTIONAL, 0, CONFIG_LOCK)
                .at(offset + 0x0C, clause, prefix)
                .locked("base low", 28, 4, ResetDomain.CONVENTIONAL, 0, CONFIG_LOCK);
    }

    /** DVSEC 8, 24h bytes: where the component and the device registers are; the third entry is empty. */
    static RegisterLayout registerLocator(int next) {
        RegisterRows rows = dvsec("dvsec 8: register locator", 0x24, 8, 0, next, "8.1.9");
        entry(rows, 1, ConfigurationSpace.COMPONENT_BAR, 1);
        entry(rows, 2, ConfigurationSpace.DEVICE_BAR, 3);
        entry(rows, 3, 0, 0);
        return rows.layout();
    }

    private static void entry(RegisterRows rows, int number, int bar, int blockId) {
        String prefix = "register block " + number + " ";
        int offset = 0x0C + 8 * (number - 1);
        rows.at(offset, "8.1.9.1", prefix)
                .fixed("bir", 0, 3, bar)
                .fixed("identifier", 8, 8, blockId)
                .fixed("offset low", 16, 16, 0)
                .at(offset + 4, "8.1.9.2", prefix)
                .fixed("offset high", 0, 32, 0);
    }

    /** DVSEC 5, 10h bytes: what a power failure would cost a device that had something to flush. */
    static RegisterLayout globalPersistentFlush(int next) {
        return dvsec("dvsec 5: gpf for cxl device", 0x10, 5, 0, next, "8.1.7")
                .at(0x0A, "8.1.7.1")
                .fixed("phase 2 time base", 0, 4, 3)
                .fixed("phase 2 time scale: 1 s", 8, 4, 6)
                .at(0x0C, "8.1.7.2")
                .fixed("phase 2 active power mW", 0, 32, 0x33)
                .layout();
    }

    /** DVSEC 7, 20h bytes: what this end of the link can do, and has agreed on. */
    static RegisterLayout flexBusPort(int next) {
        return dvsec("dvsec 7: flex bus port", 0x20, 7, 2, next, "8.2.1.3")
                .at(0x0A, "8.2.1.3.1")
                .fixed("cache_capable", 0, 1, 0)
                .fixed("io_capable", 1, 1, 1)
                .fixed("mem_capable", 2, 1, 1)
                .fixed("cxl_68b_flit_and_vh_capable", 5, 1, 1)
                .at(0x0C, "8.2.1.3.2")
                .fixed("io_enable", 1, 1, 1)
                .at(0x0E, "8.2.1.3.3")
                .fixed("cache_enabled", 0, 1, 0)
                .fixed("io_enabled", 1, 1, 1)
                .fixed("mem_enabled", 2, 1, 1)
                .fixed("cxl_68b_flit_and_vh_enabled", 5, 1, 1)
                .cleared("cxl_correctable_protocol_id_framing_error", 8, 1, ResetDomain.STICKY)
                .cleared("cxl_uncorrectable_protocol_id_framing_error", 9, 1, ResetDomain.STICKY)
                .cleared("cxl_unexpected_protocol_id_dropped", 10, 1, ResetDomain.STICKY)
                .cleared("cxl_retimers_present_mismatched", 11, 1, ResetDomain.STICKY)
                .cleared("flexbusenablebits_phase_2_mismatch", 12, 1, ResetDomain.STICKY)
                .at(0x10, "8.2.1.3.4")
                .fixed("received_flex_bus_data_phase_1", 0, 24, 0xEF)
                .at(0x14, "8.2.1.3.5")
                .fixed("capability2", 0, 32, 0)
                .at(0x18, "8.2.1.3.6")
                .fixed("control2", 0, 32, 0)
                .at(0x1C, "8.2.1.3.7")
                .fixed("status2", 0, 32, 0)
                .layout();
    }

    private static RegisterRows dvsec(String name, int lengthBytes, int id, int revision, int next, String clause) {
        return PciLayouts.extended(name, lengthBytes, EXTENDED_CAPABILITY_ID, 1, next, clause)
                .at(0x04, clause)
                .fixed("dvsec vendor id", 0, 16, CXL_VENDOR_ID)
                .fixed("dvsec revision", 16, 4, revision)
                .fixed("dvsec length", 20, 12, lengthBytes)
                .at(0x08, clause)
                .fixed("dvsec id", 0, 16, id);
    }
}
