package io.mhsld.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A serial number: all 64 bits of it, decimal or 0x…, as QEMU takes them. */
final class SerialConverter implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
        // The JDK also takes a plus sign, and digits of other scripts.
        if (!text.matches("0[xX][0-9a-fA-F]+|[0-9]+")) {
            throw refused(text);
        }
        try {
            return text.regionMatches(true, 0, "0x", 0, 2)
                    ? Long.parseUnsignedLong(text.substring(2), 16)
                    : Long.parseUnsignedLong(text);
        } catch (NumberFormatException e) {
            throw refused(text);
        }
    }

    private static TypeConversionException refused(String text) {
        return new TypeConversionException("not a serial number of 64 bits: sn=" + text);
    }
}
