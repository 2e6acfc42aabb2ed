package io.mhsld.cli;

import io.mhsld.socket.LocalAddress;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.TypeConversionException;

/** What a command line's words are taken for, for the fuzzer. It stands in this package because who reads them is not public. */
public final class CommandLineText {
    private CommandLineText() {}

    /** What QEMU's options come to. */
    public record Options(
            Optional<Integer> head,
            Optional<String> stateFile,
            Optional<Long> sizeBytes,
            Optional<Integer> regionCount,
            Optional<Long> serial,
            List<LocalAddress> qmp,
            List<String> notes) {}

    /** Reads QEMU's options; refused with a {@link UsageException}. */
    public static Options qemu(List<String> arguments) {
        QemuArguments read = QemuArguments.parse(arguments);
        return new Options(
                read.head(),
                read.stateFile(),
                read.sizeBytes(),
                read.regionCount(),
                read.serial(),
                read.qmp(),
                read.notes());
    }

    /** A size in our own spelling; refused with an {@link IllegalArgumentException}. */
    public static long size(String text) {
        return Sizes.parse(text);
    }

    /** A size in QEMU's spelling; refused with a {@link UsageException}. */
    public static long qemuSize(String text) {
        return QemuArguments.size("size", text);
    }

    /** Which head QEMU's device is to be; refused with a {@link UsageException}. */
    public static long qemuHead(String text) {
        return device("mhd-head", text).head().orElseThrow();
    }

    /** A serial number in QEMU's spelling; refused with a {@link UsageException}. */
    public static long qemuSerial(String text) {
        return device("sn", text).serial().orElseThrow();
    }

    private static QemuArguments device(String property, String text) {
        return QemuArguments.parse(List.of("-device", "cxl-mhsld," + property + "=" + text.replace(",", ",,")));
    }

    /** A number of bytes as it is told, to be read again. */
    public static String exactSize(long bytes) {
        return Sizes.exact(bytes);
    }

    /** A number of bytes as people are told. */
    public static String roundSize(long bytes) {
        return Sizes.text(bytes);
    }

    /** A serial number; refused with a {@link TypeConversionException}. */
    public static long serial(String text) {
        return new SerialConverter().convert(text);
    }
}
