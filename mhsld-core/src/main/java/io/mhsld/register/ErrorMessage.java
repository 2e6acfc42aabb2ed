package io.mhsld.register;

/** A message with which a function tells the root port of an error (PCI Express r6.1 2.2.8.3). */
public enum ErrorMessage {
    /** ERR_COR. */
    CORRECTABLE,
    /** ERR_NONFATAL. */
    NON_FATAL,
    /** ERR_FATAL. */
    FATAL
}
