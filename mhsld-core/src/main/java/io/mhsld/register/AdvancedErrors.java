package io.mhsld.register;

import io.mhsld.type3.RasCapability;
import java.util.List;
import java.util.function.Consumer;

/**
 * Advanced Error Reporting (PCI Express r6.1 7.8.4), and what an error does to the other registers that tell of it (6.2.5). Of all the errors
 * that it has bits for, only the two internal ones ever happen to this function: the carrier of its accesses has no packets that could be
 * malformed.
 *
 * <p>An error message to the root port is nothing that vfio-user could carry. Whoever wants to know when one would be sent can
 * {@linkplain #onMessage listen}.
 */
final class AdvancedErrors implements RasCapability.Listener {
    private record Kind(String name, int bit, boolean isMasked, boolean isFatal) {}

    private static final List<Kind> UNCORRECTABLE = List.of(
            new Kind("data link protocol error", 4, false, true),
            new Kind("poisoned tlp received", 12, false, false),
            new Kind("flow control protocol error", 13, false, true),
            new Kind("completion timeout", 14, false, false),
            new Kind("completer abort", 15, false, false),
            new Kind("unexpected completion", 16, false, false),
            new Kind("receiver overflow", 17, false, true),
            new Kind("malformed tlp", 18, false, true),
            new Kind("unsupported request error", 20, false, false),
            new Kind("uncorrectable internal error", 22, true, true));
    private static final List<Kind> CORRECTABLE = List.of(
            new Kind("receiver error", 0, false, false),
            new Kind("bad tlp", 6, false, false),
            new Kind("bad dllp", 7, false, false),
            new Kind("replay_num rollover", 8, false, false),
            new Kind("replay timer timeout", 12, false, false),
            new Kind("advisory non-fatal error", 13, true, false),
            new Kind("corrected internal error", 14, true, false),
            new Kind("header log overflow", 15, true, false));

    private static final int INTERNAL_ERROR = 22;

    static final RegisterLayout LAYOUT = layout();
    private static final RegisterField FIRST_ERROR = RegisterRows.field(LAYOUT, "first error pointer");

    private final RegisterBlock block = new RegisterBlock(LAYOUT);
    private final RegisterBlock header;
    private final RegisterBlock express;
    private Consumer<ErrorMessage> messages = message -> {};

    /** Tells of errors in the status registers of the other two as well. */
    AdvancedErrors(RegisterBlock header, RegisterBlock express) {
        this.header = header;
        this.express = express;
    }

    private static RegisterLayout layout() {
        RegisterRows rows = PciLayouts.extended("advanced error reporting capability", 0x48, 0x0001, 2, 0, "7.8.4.1");
        for (Kind error : UNCORRECTABLE) {
            rows.at(0x04, "7.8.4.2", "status: ").cleared(error.name, error.bit, 1, ResetDomain.STICKY);
            rows.at(0x08, "7.8.4.3", "mask: ")
                    .plain(error.name, error.bit, 1, ResetDomain.STICKY, error.isMasked ? 1 : 0);
            rows.at(0x0C, "7.8.4.4", "severity: ")
                    .plain(error.name, error.bit, 1, ResetDomain.STICKY, error.isFatal ? 1 : 0);
        }
        for (Kind error : CORRECTABLE) {
            rows.at(0x10, "7.8.4.5", "status: ").cleared(error.name, error.bit, 1, ResetDomain.STICKY);
            rows.at(0x14, "7.8.4.6", "mask: ")
                    .plain(error.name, error.bit, 1, ResetDomain.STICKY, error.isMasked ? 1 : 0);
        }
        return rows.at(0x18, "7.8.4.7")
                .shown("first error pointer", 0, 5, ResetDomain.STICKY, 0)
                .fixed("ecrc generation capable", 5, 1, 0)
                .fixed("ecrc check capable", 7, 1, 0)
                .fixed("multiple header recording capable", 9, 1, 0)
                .at(0x1C, "7.8.4.8")
                .shown("header log", 0, 128, ResetDomain.STICKY, 0)
                .at(0x38, "7.8.4.12")
                .shown("tlp prefix log", 0, 128, ResetDomain.STICKY, 0)
                .layout();
    }

    RegisterBlock block() {
        return block;
    }

    /** Tells this listener, and no other, of each message that the function would send. */
    void onMessage(Consumer<ErrorMessage> listener) {
        messages = listener;
    }

    /** Fatal only when both say so: the CXL severity of what has happened, and the AER severity of all internal errors. */
    @Override
    public void uncorrectableInternalError(boolean isFatal) {
        boolean stopsAll = isFatal && get("severity: uncorrectable internal error");
        set(express, stopsAll ? "fatal error detected" : "non-fatal error detected");
        set(block, "status: uncorrectable internal error");
        if (get("mask: uncorrectable internal error")) {
            return;
        }
        // Always the first one, for no other error happens; no packet is to blame, so the header log stays as it is.
        block.set(FIRST_ERROR, INTERNAL_ERROR);
        boolean isSystemError = get(header, "serr# enable");
        if (isSystemError) {
            set(header, "signaled system error");
        }
        String enable = stopsAll ? "fatal error reporting enable" : "non-fatal error reporting enable";
        if (isSystemError || get(express, enable)) {
            messages.accept(stopsAll ? ErrorMessage.FATAL : ErrorMessage.NON_FATAL);
        }
    }

    @Override
    public void correctedInternalError() {
        set(express, "correctable error detected");
        set(block, "status: corrected internal error");
        if (!get("mask: corrected internal error") && get(express, "correctable error reporting enable")) {
            messages.accept(ErrorMessage.CORRECTABLE);
        }
    }

    private boolean get(String field) {
        return get(block, field);
    }

    private static boolean get(RegisterBlock block, String field) {
        return block.get(RegisterRows.field(block.layout(), field)) != 0;
    }

    private static void set(RegisterBlock block, String field) {
        block.set(RegisterRows.field(block.layout(), field), 1);
    }
}
