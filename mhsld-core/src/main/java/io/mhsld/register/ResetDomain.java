package io.mhsld.register;

/** The mildest reset that brings a field back to its initial value. Each one after the first is reached by all resets before it, too. */
public enum ResetDomain {
    /** Only when the function comes up: sticky fields. */
    STICKY,
    /** By a conventional reset (PCI Express r6.1 6.6.1). */
    CONVENTIONAL,
    /** By a CXL reset, too (CXL r3.1 9.7). */
    CXL,
    /** By a function level reset, too (PCI Express r6.1 6.6.2). */
    FLR
}
