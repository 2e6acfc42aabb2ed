package io.mhsld.qmp;

import java.util.Optional;

/** What a QMP server needs to know of, and may ask from, the process it controls. Called on the loop's thread. */
public interface QmpMachine {
    /** What greeting and {@code query-version} say. */
    QmpVersion version();

    /** What {@code query-name} says. */
    String name();

    /** {@code system_reset}: back to the state after power-up, before this returns. */
    void reset();

    /** Why there is no {@code system_reset} here; empty when there is. */
    default Optional<String> resetRefusal() {
        return Optional.empty();
    }

    /** {@code quit}: end the process soon; the reply is on its way already. */
    void quit();
}
