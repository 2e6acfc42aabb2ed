package io.mhsld.cci;

import java.util.Set;

/** The component command interfaces of a multi-headed single logical device: which of them a command is for. */
public enum CciKind {
    /** The mailbox registers of a head's PCI function (CXL r3.1 8.2.8.4): what a driver uses. */
    PRIMARY_MAILBOX,
    /** The MCTP CCI of one LD, alone or through a tunnel (CXL r3.1 7.6.3.1): what the mailbox has, and what only messages need. */
    LD,
    /** The MCTP CCI of the FM-owned LD: the device as a whole (CXL r3.1 7.6.7.6). */
    FM_OWNED_LD;

    /** Both interfaces of a head. */
    static final Set<CciKind> OF_A_HEAD = Set.of(PRIMARY_MAILBOX, LD);

    /** Every interface that is reached by messages. */
    static final Set<CciKind> OF_MESSAGES = Set.of(LD, FM_OWNED_LD);
}
