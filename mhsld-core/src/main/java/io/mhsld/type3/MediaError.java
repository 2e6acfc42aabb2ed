package io.mhsld.type3;

/**
 * What general media and DRAM events have in common: where, and what went wrong (CXL r3.2 8.2.10.2.1.1, 8.2.10.2.1.2).
 *
 * @param physicalAddress the DPA; bits 5:0 are flags (bit 0 volatile, bit 1 not repairable)
 * @param descriptor bit 0 uncorrectable, bit 1 a threshold was reached, bit 2 the poison list has overflowed
 * @param type what happened; the numbers mean different things in general media and in DRAM events
 * @param transactionType what the device was doing: 1 host read, 2 host write, 3 scan media, 4 inject poison, …
 * @param subType details of the type, 0 when not told
 * @param thresholdFlags of the advanced programmable threshold of corrected errors: bit 0 several media components, bit 1 exceeded
 * @param correctedErrorCount 24 bits; meaningful when the descriptor says that a threshold was reached
 */
public record MediaError(
        long physicalAddress,
        int descriptor,
        int type,
        int transactionType,
        int subType,
        int thresholdFlags,
        int correctedErrorCount) {
    /** In the descriptor: the device could not correct it. */
    public static final int UNCORRECTABLE = 1;

    /** In the descriptor: a threshold of corrected errors was reached. */
    public static final int THRESHOLD = 1 << 1;

    /** In the descriptor: more poison than the list can hold. */
    public static final int POISON_LIST_OVERFLOW = 1 << 2;

    /** An error of which no more is known: the sub-type is not told, no threshold was reached. */
    public MediaError(long physicalAddress, int descriptor, int type, int transactionType) {
        this(physicalAddress, descriptor, type, transactionType, 0, 0, 0);
    }
}
