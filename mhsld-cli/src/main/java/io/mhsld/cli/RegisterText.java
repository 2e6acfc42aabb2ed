package io.mhsld.cli;

import io.mhsld.register.RegisterField;
import io.mhsld.register.RegisterTable.Place;
import java.util.List;
import java.util.Locale;

/** The registers of the PCI function, from the tables that the code runs by: lines for programs, and the page in {@code docs}. */
final class RegisterText {
    private RegisterText() {}

    /** A line for each row: space, offset, lowest bit, bits, attribute, reset domain, initial value, name, clause. Only the name has blanks. */
    static String lines(List<Place> places) {
        StringBuilder text = new StringBuilder();
        for (Place place : places) {
            for (RegisterField field : place.layout().fields()) {
                text.append(String.format(
                        "%s 0x%03x %d %d %s %s 0x%x %s %s%n",
                        place.space(),
                        place.offsetOf(field),
                        field.lowBit(),
                        field.widthBits(),
                        field.attribute(),
                        field.resetDomain(),
                        field.initial(),
                        field.name(),
                        field.clause()));
            }
        }
        return text.toString();
    }

    /** A table for each block. */
    static String page(List<Place> places) {
        StringBuilder text = new StringBuilder("""
                # Registers

                What the PCI function of a head (`mhsld head --vfio-user`) has in its registers, row by row. Made by `scripts/supported` from the tables \
                that the code runs by; do not edit. `mhsld x-registers` prints the same for programs.

                `configuration` is the configuration space, `bar0` has the component registers, `bar2` the device registers. The function is one \
                with a data BAR of 1 GiB and the default serial number. Offsets are hexadecimal, from the start of the space; what no row covers reads 0 and swallows writes.
                An access may have any length and alignment: each field gets those of its bits that the access covers. Clauses that begin with 6 or 7 are of \
                PCI Express r6.1, all others of CXL r3.1.

                Attributes: `RO` only the device changes it, `HWINIT` nothing does, `RW` reads back what was written, `RW1C` writing 1 clears, `RWL` is `RW` until \
                its lock closes, `RWO` until it was written once. Reset: the mildest reset that brings back the initial value, of `flr` (function level), `cxl`, \
                `conventional`; `sticky` fields keep their values through all of them.
                """);
        for (Place place : places) {
            text.append(String.format(
                    "%n## %s %xh: %s%n%n| offset | bits | field | attribute | reset | initial | clause |%n|---|---|---|---|---|---|---|%n",
                    place.space(), place.offset(), place.layout().name()));
            for (RegisterField field : place.layout().fields()) {
                text.append(String.format(
                        "| %x | %s | %s | %s | %s | %x | %s |%n",
                        place.offsetOf(field),
                        bits(field),
                        field.name(),
                        field.attribute() + (field.lock().isEmpty() ? "" : ": " + field.lock()),
                        field.resetDomain().name().toLowerCase(Locale.ROOT),
                        field.initial(),
                        field.clause()));
            }
        }
        return text.toString();
    }

    private static String bits(RegisterField field) {
        int high = field.lowBit() + field.widthBits() - 1;
        return high == field.lowBit() ? String.valueOf(high) : high + ":" + field.lowBit();
    }
}
