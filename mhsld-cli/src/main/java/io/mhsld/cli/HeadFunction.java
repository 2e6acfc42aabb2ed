package io.mhsld.cli;

import io.mhsld.head.Head;
import io.mhsld.register.PciFunction;

/** The PCI function that a head is. */
final class HeadFunction {
    private HeadFunction() {}

    /** Of an attached head, in its state after power-on. */
    static PciFunction of(Head head) {
        throw new CommandException(ExitCode.REFUSED, "no PCI function is there to be served yet: head=" + head.id());
    }
}
