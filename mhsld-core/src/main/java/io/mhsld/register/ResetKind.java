package io.mhsld.register;

/** What can reset a function, the most thorough first. */
public enum ResetKind {
    /** The function comes up. */
    POWER_ON(ResetDomain.STICKY),
    /** The host or its machine has restarted. */
    CONVENTIONAL(ResetDomain.CONVENTIONAL),
    /** The memory side of the function, and all that a function level reset reaches. */
    CXL(ResetDomain.CXL),
    /** The function as far as PCI Express knows it; memory and its decoders stay. */
    FLR(ResetDomain.FLR);

    private final ResetDomain first;

    ResetKind(ResetDomain first) {
        this.first = first;
    }

    /** Does it bring fields of this domain back to their initial values? */
    public boolean reaches(ResetDomain domain) {
        return domain.compareTo(first) >= 0;
    }
}
