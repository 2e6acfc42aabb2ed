package io.mhsld.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Region numbers on the command line. */
final class ShareableConverter implements ITypeConverter<Shareable> {
    @Override
    public Shareable convert(String text) {
        try {
            return Shareable.parse(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
