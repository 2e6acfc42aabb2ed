package io.mhsld.register;

import io.mhsld.type3.DcRegion;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The Coherent Device Attribute Table (CDAT 1.04): what memory the device has, and how fast it is. For each region of dynamic capacity, in order,
 * its address range, four figures of speed, and its use as EFI knows it.
 *
 * <p>The figures are those that QEMU's Type-3 device gives; no memory that this emulates has been measured.
 */
public final class Cdat {
    /** Bytes of the header, which is entry 0. */
    public static final int HEADER_BYTES = 16;

    /** Bytes of every other entry. */
    public static final int STRUCTURE_BYTES = 24;

    private static final int REVISION = 2;
    private static final int CHECKSUM_OFFSET = 5;

    private static final int ADDRESS_RANGE = 0; // DSMAS
    private static final int SPEED = 1; // DSLBIS
    private static final int EFI_TYPE = 4; // DSEMTS

    private static final int SHAREABLE = 1 << 3;
    private static final int DYNAMIC_CAPACITY = 1 << 5;

    private static final int READ_LATENCY = 1;
    private static final int WRITE_LATENCY = 2;
    private static final int READ_BANDWIDTH = 4;
    private static final int WRITE_BANDWIDTH = 5;
    private static final long LATENCY_UNIT_PS = 10_000;
    private static final long BANDWIDTH_UNIT_MB_PER_S = 1_000;

    private static final int SPECIFIC_PURPOSE = 1; // EFI_MEMORY_SP

    private final List<byte[]> entries = new ArrayList<>();

    /** The table of these regions. */
    public Cdat(List<DcRegion> regions) {
        List<byte[]> structures = new ArrayList<>();
        for (DcRegion region : regions) {
            int handle = region.dsmadHandle();
            int flags = DYNAMIC_CAPACITY | (region.shareable() ? SHAREABLE : 0);
            structures.add(begin(ADDRESS_RANGE, handle, flags)
                    .putLong(8, region.baseDpa())
                    .putLong(16, region.decodeLengthBytes())
                    .array());
            structures.add(speed(handle, READ_LATENCY, LATENCY_UNIT_PS, 15));
            structures.add(speed(handle, WRITE_LATENCY, LATENCY_UNIT_PS, 25));
            structures.add(speed(handle, READ_BANDWIDTH, BANDWIDTH_UNIT_MB_PER_S, 16));
            structures.add(speed(handle, WRITE_BANDWIDTH, BANDWIDTH_UNIT_MB_PER_S, 16));
            structures.add(begin(EFI_TYPE, handle, SPECIFIC_PURPOSE)
                    .putLong(16, region.decodeLengthBytes())
                    .array());
        }
        byte[] header = ByteBuffer.allocate(HEADER_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0, HEADER_BYTES + structures.size() * STRUCTURE_BYTES)
                .put(4, (byte) REVISION)
                .array();
        entries.add(header);
        entries.addAll(structures);
        int sum = 0;
        for (byte[] entry : entries) {
            for (byte value : entry) {
                sum += value;
            }
        }
        header[CHECKSUM_OFFSET] = (byte) -sum;
    }

    /** Header and structures in the order of their entry handles, which count from 0. */
    List<byte[]> entries() {
        return entries;
    }

    /** The whole table, as whoever has asked for all entries puts it together. */
    public byte[] bytes() {
        ByteArrayOutputStream table = new ByteArrayOutputStream();
        entries.forEach(table::writeBytes);
        return table.toByteArray();
    }

    private static byte[] speed(int handle, int dataType, long unit, int value) {
        return begin(SPEED, handle, 0)
                .put(6, (byte) dataType)
                .putLong(8, unit)
                .putShort(16, (short) value)
                .array();
    }

    private static ByteBuffer begin(int type, int handle, int flags) {
        return ByteBuffer.allocate(STRUCTURE_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(0, (byte) type)
                .putShort(2, (short) STRUCTURE_BYTES)
                .put(4, (byte) handle)
                .put(5, (byte) flags);
    }
}
