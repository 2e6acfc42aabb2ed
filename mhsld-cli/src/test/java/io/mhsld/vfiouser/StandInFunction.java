package io.mhsld.vfiouser;

import io.mhsld.register.PciFunction;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * A function that a virtual machine takes for one: a configuration space with PCI Express and MSI-X, and memory behind two base address registers. It
 * writes down what was done to it.
 */
public final class StandInFunction implements PciFunction {
    /** MSI-X vectors. */
    public static final int VECTORS = 8;

    private static final int PCIE_AT = 0x40;
    private static final int MSIX_AT = 0x80;
    private static final int CONFIGURATION_LENGTH = 4096;
    private static final int FIRST_LENGTH = 64 << 10;
    private static final int SECOND_LENGTH = 16 << 10;

    private final byte[][] regions = new byte[CONFIGURATION_REGION + 1][];
    private final List<String> acts = new ArrayList<>();
    private IntConsumer listener = vector -> {};

    /** Called for each access, before it is done. */
    Runnable beforeAccess = () -> {};

    /** A function after its power-on. */
    public StandInFunction() {
        Arrays.fill(regions, new byte[0]);
        regions[0] = new byte[FIRST_LENGTH];
        regions[2] = new byte[SECOND_LENGTH];
        regions[CONFIGURATION_REGION] = new byte[CONFIGURATION_LENGTH];
        ByteBuffer configuration =
                ByteBuffer.wrap(regions[CONFIGURATION_REGION]).order(ByteOrder.LITTLE_ENDIAN);
        configuration.putShort(0x00, (short) 0x8086).putShort(0x02, (short) 0x0d93);
        // It has capabilities; a memory device of CXL; two base address registers of 64 bits.
        configuration.putShort(0x06, (short) 0x10).putInt(0x08, 0x05021001);
        configuration.putInt(0x10, 0x4).putInt(0x18, 0x4).put(0x34, (byte) PCIE_AT);
        configuration.putShort(PCIE_AT, (short) (0x10 | MSIX_AT << 8)).putShort(PCIE_AT + 2, (short) 0x2);
        configuration
                .putInt(PCIE_AT + 4, 1 << 28 | 0x8000)
                .putInt(PCIE_AT + 12, 0x11)
                .putInt(PCIE_AT + 18, 0x11);
        configuration.putShort(MSIX_AT, (short) 0x11).putShort(MSIX_AT + 2, (short) (VECTORS - 1));
        configuration.putInt(MSIX_AT + 4, 0x2000 | 2).putInt(MSIX_AT + 8, 0x3000 | 2);
    }

    /** What was done, in order: resets, and writes with their bytes. */
    public synchronized List<String> acts() {
        return List.copyOf(acts);
    }

    /** Sends the message of a vector. Within a turn. */
    public void raise(int vector) {
        listener.accept(vector);
    }

    private synchronized void tell(String act) {
        acts.add(act);
    }

    @Override
    public long regionLengthBytes(int region) {
        return region < regions.length ? regions[region].length : 0;
    }

    @Override
    public void read(int region, long offset, byte[] destination, int destinationOffset, int lengthBytes) {
        beforeAccess.run();
        System.arraycopy(regions[region], Math.toIntExact(offset), destination, destinationOffset, lengthBytes);
    }

    @Override
    public void write(int region, long offset, byte[] source, int sourceOffset, int lengthBytes) {
        beforeAccess.run();
        tell(region + " " + offset + " "
                + HexFormat.of().formatHex(source, sourceOffset, sourceOffset + Math.min(lengthBytes, 16)));
        if (region != CONFIGURATION_REGION) {
            System.arraycopy(source, sourceOffset, regions[region], Math.toIntExact(offset), lengthBytes);
        }
    }

    @Override
    public void reset() {
        tell("reset");
        Arrays.fill(regions[0], (byte) 0);
        Arrays.fill(regions[2], (byte) 0);
    }

    @Override
    public int interruptVectors() {
        return VECTORS;
    }

    @Override
    public void onInterrupt(IntConsumer raise) {
        listener = raise;
    }
}
