package io.mhsld.cci;

import java.util.Arrays;
import java.util.Locale;
import java.util.Set;

/** What a command may change, as the Command Effects Log tells it (CXL r3.1 8.2.9.5.2.1, table 8-75). */
public enum CommandEffect {
    CONFIGURATION_CHANGE_AFTER_COLD_RESET(0),
    IMMEDIATE_CONFIGURATION_CHANGE(1),
    IMMEDIATE_DATA_CHANGE(2),
    IMMEDIATE_POLICY_CHANGE(3),
    IMMEDIATE_LOG_CHANGE(4),
    SECURITY_STATE_CHANGE(5),
    BACKGROUND_OPERATION(6),
    SECONDARY_MAILBOX_SUPPORTED(7),
    REQUEST_ABORT_SUPPORTED(8),
    /** The two bits that follow mean something. */
    RESET_BITS_VALID(9),
    CONFIGURATION_CHANGE_AFTER_CONVENTIONAL_RESET(10),
    CONFIGURATION_CHANGE_AFTER_CXL_RESET(11);

    private final int bit;

    CommandEffect(int bit) {
        this.bit = bit;
    }

    /** The effects as one 16-bit field. */
    static int bits(Set<CommandEffect> effects) {
        return effects.stream().mapToInt(CommandEffect::mask).sum();
    }

    private int mask() {
        return 1 << bit;
    }

    /** The names by bit, for people. */
    static String[] names() {
        return Arrays.stream(values())
                .map(effect -> effect.name().toLowerCase(Locale.ROOT).replace('_', ' '))
                .toArray(String[]::new);
    }
}
