package io.mhsld.cci;

import io.mhsld.cci.Layout.Kind;
import io.mhsld.type3.DcRegion;

/** The payloads of the fabric manager's commands, in the order of their opcodes. Clauses are of CXL r3.1. */
public final class FabricLayouts {
    // ---- tunnel

    /** 5300h; a whole command message follows. */
    static final Layout TUNNEL = Layout.named("Tunnel Management Command input", "7.6.7.3.1")
            .u8("portOrLd")
            .oneOf("targetType", "port or LD", "LD pool CCI")
            .u16("commandLength")
            .repeatToEnd(
                    "command",
                    Layout.named("byte of the command", "7.6.7.3.1").u8("byte").build())
            .build();

    /** Answer to 5300h; a whole response message follows. */
    static final Layout TUNNELLED = Layout.named("Tunnel Management Command output", "7.6.7.3.1")
            .u16("responseLength")
            .reserved(2)
            .repeatToEnd(
                    "response",
                    Layout.named("byte of the response", "7.6.7.3.1").u8("byte").build())
            .build();

    // ---- the device

    /** Answer to 5600h, 54h bytes. */
    static final Layout DCD_INFO = dcdInfo();

    private static Layout dcdInfo() {
        Layout.Builder layout = Layout.named("Get DCD Info output", "7.6.7.6.1")
                .u8("hostCount")
                .u8("regionCount")
                .reserved(2)
                .flags("selectionPolicies", 2, "free", "contiguous", "prescriptive", "enable shared access")
                .reserved(2)
                .flags("removalPolicies", 2, "tag based", "prescriptive")
                .flags("sanitizedOnRelease", 1, regionNames())
                .reserved(1)
                .byteCount("totalCapacityBytes", Layouts.CAPACITY_UNIT_BYTES);
        for (int region = 0; region < DcRegion.MAX_REGIONS; region++) {
            layout.hex(blockSizesOf(region), Kind.U64);
        }
        return layout.build();
    }

    /** The name of the field with a region's block sizes: bit n for 2^n bytes. */
    static String blockSizesOf(int region) {
        return "blockSizesOfRegion" + region;
    }

    private static String[] regionNames() {
        String[] names = new String[DcRegion.MAX_REGIONS];
        for (int region = 0; region < DcRegion.MAX_REGIONS; region++) {
            names[region] = "region " + region;
        }
        return names;
    }

    // ---- regions

    /** 5601h. */
    static final Layout GET_HOST_REGIONS = Layout.named("Get Host DC Region Configuration input", "7.6.7.6.2")
            .u16("hostId")
            .u8("regionCount")
            .u8("startRegion")
            .build();

    /** Answer to 5601h. */
    static final Layout HOST_REGIONS = Layout.named("Get Host DC Region Configuration output", "7.6.7.6.2")
            .u16("hostId")
            .u8("availableRegions")
            .u8("returnedRegions")
            .repeat(
                    "regions",
                    "returnedRegions",
                    Layout.named("host's dynamic capacity region", "7.6.7.6.2")
                            .hex("baseDpa", Kind.U64)
                            .byteCount("decodeLengthBytes", Layouts.CAPACITY_UNIT_BYTES)
                            .byteCount("lengthBytes", 1)
                            .byteCount("blockSizeBytes", 1)
                            .flags(
                                    "flags",
                                    1,
                                    "bit 0",
                                    "bit 1",
                                    "non-volatile",
                                    "shareable",
                                    "hardware coherent",
                                    "interconnect specific",
                                    "read only")
                            .reserved(3)
                            .flags("sanitize", 1, "on release")
                            .reserved(3)
                            .build())
            .u32("extentsSupported")
            .u32("extentsAvailable")
            .u32("tagsSupported")
            .u32("tagsAvailable")
            .build();

    /** 5602h. A block size of 0 leaves it as it is. */
    static final Layout SET_REGION = Layout.named("Set DC Region Configuration input", "7.6.7.6.3")
            .u8("region")
            .reserved(3)
            .byteCount("blockSizeBytes", 1)
            .flags("flags", 1, "sanitize on release")
            .reserved(3)
            .build();

    /** 5603h. */
    static final Layout GET_HOST_EXTENTS = Layout.named("Get DC Region Extent Lists input", "7.6.7.6.4")
            .u16("hostId")
            .reserved(2)
            .u32("extentCount")
            .u32("startIndex")
            .build();

    /** Answer to 5603h. */
    static final Layout HOST_EXTENTS = Layout.named("Get DC Region Extent Lists output", "7.6.7.6.4")
            .u16("hostId")
            .reserved(2)
            .u32("startIndex")
            .u32("returnedExtents")
            .u32("totalExtents")
            .u32("generation")
            .reserved(4)
            .repeat("extents", "returnedExtents", Layouts.EXTENT)
            .build();

    // ---- orders

    /** 5604h. Extents have absolute addresses. */
    static final Layout ADD_CAPACITY = Layout.named("Initiate Dynamic Capacity Add input", "7.6.7.6.5")
            .u16("hostId")
            .oneOf("selectionPolicy", "free", "contiguous", "prescriptive", "enable shared access")
            .u8("region")
            .byteCount("lengthBytes", 1)
            .uuid("tag")
            .u32("extentCount")
            .repeat("extents", "extentCount", Layouts.EXTENT)
            .build();

    /** 5605h. The removal policy stands in bits 3:0 of the flags. */
    static final Layout RELEASE_CAPACITY = Layout.named("Initiate Dynamic Capacity Release input", "7.6.7.6.6")
            .u16("hostId")
            .hex("flags", Kind.U8)
            .u8("region")
            .byteCount("lengthBytes", 1)
            .uuid("tag")
            .u32("extentCount")
            .repeat("extents", "extentCount", Layouts.EXTENT)
            .build();

    // ---- tags

    /** 5606h and 5607h. */
    static final Layout TAG = Layout.named("tag", "7.6.7.6.7").uuid("tag").build();

    /** 5608h. */
    static final Layout LIST_TAGS = Layout.named("Dynamic Capacity List Tags input", "7.6.7.6.9")
            .u32("startIndex")
            .u32("tagLimit")
            .build();

    /** Bytes of a bitmap of hosts. */
    static final int HOST_BITMAP_BYTES = 32;

    /** Answer to 5608h; an entry has 54h bytes. */
    static final Layout TAG_LIST = Layout.named("Dynamic Capacity List Tags output", "7.6.7.6.9")
            .u32("generation")
            .u32("totalTags")
            .u32("returnedTags")
            .flags("validity", 1, "reference bitmap", "pending bitmap")
            .reserved(3)
            .repeat(
                    "tags",
                    "returnedTags",
                    Layout.named("tag information", "7.6.7.6.9")
                            .uuid("tag")
                            .flags("flags", 1, "referenced by the fabric manager")
                            .reserved(3)
                            .bytes("holders", HOST_BITMAP_BYTES)
                            .bytes("pendingHolders", HOST_BITMAP_BYTES)
                            .build())
            .build();

    private FabricLayouts() {}
}
