package io.mhsld.cci;

/** What the multi-headed commands (CXL r3.1 7.6.7.5) tell about the device that this head is part of. */
public interface MultiHeadInfo {
    /** An LD that no head serves (CXL r3.1 7.6.7.5.1). */
    int NO_HEAD = 0xFF;

    /** Number of heads of the device, 1 to 255. */
    int headCount();

    /** Number of logical devices, 1 to 255. */
    int ldCount();

    /** The head that serves the logical device now, {@link #NO_HEAD} when none does. */
    int headOf(int ld);

    /** True while somebody serves the head: its link is up. */
    boolean isAttached(int head);
}
