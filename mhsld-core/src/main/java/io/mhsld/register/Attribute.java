package io.mhsld.register;

/** What a host can do to the bits of a field (PCI Express r6.1 7.4, table 7-2). What a reset does to them is their {@link ResetDomain}. */
public enum Attribute {
    /** Only the device changes it; writes change nothing. */
    RO,
    /** Fixed when the function comes up; writes change nothing. */
    HWINIT,
    /** Reads back what was written. */
    RW,
    /** Writing 1 clears the bit, 0 leaves it as it is. */
    RW1C,
    /** As {@link #RW} until its lock closes, then as {@link #RO}. */
    RWL,
    /** As {@link #RW} for the first write that reaches one of its bits, then as {@link #RO} until a reset. */
    RWO,
    /** Reads 0; writes change nothing. */
    RESERVED
}
