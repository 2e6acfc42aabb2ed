package io.mhsld.qmp;

import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.core.io.SerializedString;
import java.util.Locale;

/** What written JSON escapes: what JSON says, and DEL and the control characters from 0x80 to 0x9F, which JSON permits and a terminal obeys. */
public final class ControlEscapes extends CharacterEscapes {
    private static final long serialVersionUID = 1;
    private static final char DELETE = 0x7F;

    private final int[] codes = standardAsciiEscapesForJSON();

    /** To be given to a factory. */
    public ControlEscapes() {
        codes[DELETE] = ESCAPE_STANDARD;
    }

    @Override
    public int[] getEscapeCodesForAscii() {
        return codes;
    }

    /** Asked for what is not ASCII only; null means that it stays as it is. */
    @Override
    public SerializableString getEscapeSequence(int character) {
        return Character.isISOControl(character)
                ? new SerializedString(String.format(Locale.ROOT, "\\u%04X", character))
                : null;
    }
}
