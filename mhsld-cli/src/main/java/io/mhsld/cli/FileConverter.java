package io.mhsld.cli;

import io.mhsld.state.DeviceFiles;
import io.mhsld.text.ForeignText;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A file that somebody names, there or not; what no file can be called is a mistake on the command line. */
final class FileConverter implements ITypeConverter<Path> {
    @Override
    public Path convert(String text) {
        return DeviceFiles.pathOf(text)
                .orElseThrow(() -> new TypeConversionException(
                        "not a path (empty, a NUL in it, a name of more than 255 bytes, or more than 4095 in all): file="
                                + ForeignText.line(text)));
    }
}
