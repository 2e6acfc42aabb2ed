package io.mhsld.cli;

import io.mhsld.mctp.DialectChoice;
import io.mhsld.mctp.MctpServer;
import io.mhsld.socket.LocalAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Where to offer a command interface in MCTP packets over TCP, and to whom. */
final class MctpOptions {
    /** In place of an address: nowhere. */
    static final String NOWHERE = "none";

    @Option(
            names = "--mctp",
            paramLabel = "ADDRESS",
            description = {
                "Offer CCI in MCTP packets of 68 bytes at tcp:127.0.0.1:PORT. Repeatable.",
                "Without it a head does not, and fm does at port 2508; none: fm does not either."
            })
    List<String> mctp = new ArrayList<>();

    @Option(
            names = "--dialect",
            paramLabel = "DIALECT",
            converter = DialectConverter.class,
            description = {
                "How clients read message headers: standard (libcxlmi), jack, or auto.",
                "auto (default) tells them apart by what they send, where that can be told."
            })
    DialectChoice dialect = DialectChoice.AUTO;

    /** The addresses that were given. */
    List<LocalAddress> addresses() {
        return mctp.stream()
                .filter(address -> !address.equals(NOWHERE))
                .map(MctpServer::address)
                .toList();
    }

    /** False when not even {@link #NOWHERE} was given. */
    boolean isGiven() {
        return !mctp.isEmpty();
    }

    DialectChoice dialect() {
        return dialect;
    }

    /** Addresses for a ready line, behind this name; nothing when there are none. */
    static String listed(String name, List<LocalAddress> addresses) {
        return addresses.isEmpty()
                ? ""
                : name + addresses.stream().map(LocalAddress::toString).collect(Collectors.joining(","));
    }

    private static final class DialectConverter implements ITypeConverter<DialectChoice> {
        @Override
        public DialectChoice convert(String word) {
            return DialectChoice.of(word)
                    .orElseThrow(
                            () -> new TypeConversionException("not a dialect (auto, standard, jack): dialect=" + word));
        }
    }
}
