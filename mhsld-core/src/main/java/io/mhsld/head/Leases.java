package io.mhsld.head;

import java.util.Optional;

/** Who may be which head: one lease for each, held by one process at a time, lost when that process ends. */
public interface Leases {
    /** The right to be a head, or to change the device as a whole; held until it is released or the process ends. */
    interface Lease {
        /** Gives the right back. A second time does nothing. */
        void release();

        /** False after {@link #release}. */
        boolean isHeld();
    }

    /** Takes the lease of a head, unless another process, or another head in this process, has it. */
    Optional<Lease> tryHead(int head);

    /** Takes the table lock: the right to change tag table, region settings and poison table. It is held for an instant only. */
    Optional<Lease> tryTables();

    /** The same lock for those who wait for it: always the same object. */
    TableLock tables();

    /** True when somebody holds the lease of the head. It may be over when this returns. */
    boolean isHeld(int head);
}
