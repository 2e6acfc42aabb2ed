package io.mhsld.register;

import java.util.function.IntConsumer;

/**
 * A PCI function as whoever carries its accesses sees it: regions of bytes, a reset, and messages that interrupt. One thread at a time, the
 * device's.
 */
public interface PciFunction {
    /** The base address registers' regions are 0 to 5; a 64-bit one takes two numbers, of which the second has no region. */
    int BASE_ADDRESS_REGIONS = 6;

    /** The configuration space. */
    int CONFIGURATION_REGION = 7;

    /** The length of a region; 0 when the function has no such region. */
    long regionLengthBytes(int region);

    /**
     * Reads bytes, lowest address first. Any length and alignment; what the layout of the region does not answer reads as the region says.
     *
     * @throws IllegalArgumentException when the range is not inside the region
     */
    void read(int region, long offset, byte[] destination, int destinationOffset, int lengthBytes);

    /**
     * Writes bytes, lowest address first. Any length and alignment.
     *
     * @throws IllegalArgumentException when the range is not inside the region
     */
    void write(int region, long offset, byte[] source, int sourceOffset, int lengthBytes);

    /** A conventional reset, asked for by the transport. */
    void reset();

    /** MSI-X vectors that the function has. */
    int interruptVectors();

    /**
     * Tells this listener, and no other, the number of each vector at the moment when the function would send its message. What happens in
     * there must not call the function.
     */
    void onInterrupt(IntConsumer raise);
}
