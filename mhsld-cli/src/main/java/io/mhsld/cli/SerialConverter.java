package io.mhsld.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A serial number: all 64 bits of it, decimal or 0x…, as QEMU takes them. */
final class SerialConverter implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
        try {
            return text.regionMatches(true, 0, "0x", 0, 2)
                    ? Long.parseUnsignedLong(text.substring(2), 16)
                    : Long.parseUnsignedLong(text);
        } catch (NumberFormatException e) {
            throw new TypeConversionException("not a serial number of 64 bits: sn=" + text);
        }
    }
}
