package io.mhsld.stress.conformance;

import static io.mhsld.stress.conformance.Row.HEAD;
import static io.mhsld.stress.conformance.Row.MESSAGES;
import static io.mhsld.stress.conformance.Row.row;

import io.mhsld.stress.conformance.Row.Given;
import java.util.List;
import java.util.Set;

/** Status, firmware, features, label storage, health, poison, sanitize: what a device has besides its capacity. */
final class ManagementRows {
    private static final int INVALID_INPUT = 2;
    private static final int UNSUPPORTED = 3;
    private static final int OUT_OF_ORDER = 9;
    private static final int INVALID_SLOT = 0x0B;
    private static final int INVALID_ADDRESS = 0x0F;
    private static final int INVALID_LENGTH = 0x16;
    private static final int UNSUPPORTED_SELECTION = 0x1A;
    private static final int FEATURE_OUT_OF_ORDER = 0x1C;
    private static final int NO_ABORT = 0x20;
    private static final Set<Integer> STARTED = Set.of(0, 1);

    static final List<Row> STATUS = List.of(
            row(0x0001, MESSAGES, "a Type-3 component")
                    .succeeds("len=18", "u8@16>=8", "u8@17=3")
                    .end(),
            row(0x0002, MESSAGES, "eight bytes").succeeds("len=8").end(),
            row(0x0003, MESSAGES, "a power of two from 256 bytes to 1 MiB")
                    .succeeds("len=1", "u8@0>=8", "u8@0<=20")
                    .end(),
            row(0x0004, MESSAGES, "what is set is shown")
                    .send("09")
                    .succeeds("len=1")
                    .then(0x0003, "")
                    .succeeds("u8@0>=8", "u8@0<=9")
                    .then(0x0004, "0a")
                    .succeeds("len=1")
                    .end(),
            row(0x0004, MESSAGES, "less than any message may be limited to")
                    .send("07")
                    .refused(INVALID_INPUT),
            row(0x0005, Row.ALL, "nothing to abort")
                    .comesTo(Set.of(0, INVALID_INPUT, NO_ABORT))
                    .end());

    static final List<Row> FIRMWARE = List.of(
            row(0x0200, HEAD, "slots, one of them active")
                    .succeeds("len=80", "u8@0>=1", "u8@0<=4", "u8@1>=1")
                    .end(),
            row(0x0201, HEAD, "a part before the beginning")
                    .send("02 02 0000 d:1 pad:120 pad:128")
                    .refused(OUT_OF_ORDER),
            row(0x0201, HEAD, "an end without a beginning")
                    .send("03 02 0000 d:1 pad:120 pad:128")
                    .refused(OUT_OF_ORDER),
            row(0x0201, HEAD, "all at once into a slot that is none")
                    .send("00 09 0000 d:0 pad:120 pad:128")
                    .refused(INVALID_SLOT),
            row(0x0201, HEAD, "an action that is none")
                    .send("07 01 0000 d:0 pad:120 pad:128")
                    .refused(INVALID_INPUT),
            row(0x0202, HEAD, "a slot that is none").send("01 09").refused(INVALID_SLOT),
            row(0x0202, HEAD, "an action that is none").send("07 01").refused(INVALID_INPUT));

    static final List<Row> FEATURES = List.of(
            row(0x0500, HEAD, "how many there are")
                    .send("d:8 w:0 w:0")
                    .succeeds("len=8", "u16@0=0")
                    .end(),
            row(0x0500, HEAD, "entries of 48 bytes")
                    .send("d:2048 w:0 w:0")
                    .succeeds("u16@2>=1", "u16@0<=42", "len>=56")
                    .end(),
            row(0x0500, HEAD, "from behind the last one")
                    .send("d:56 w:9999 w:0")
                    .refused(INVALID_INPUT),
            row(0x0501, HEAD, "a feature that nobody knows")
                    .send("pad:16 w:0 w:8 00")
                    .refused(INVALID_INPUT, UNSUPPORTED),
            row(0x0501, HEAD, "a selection that is none")
                    .send("pad:16 w:0 w:8 09")
                    .refused(INVALID_INPUT, UNSUPPORTED, UNSUPPORTED_SELECTION),
            row(0x0502, HEAD, "a feature that nobody knows")
                    .send("pad:16 d:0 w:0 01 pad:9 00")
                    .refused(INVALID_INPUT, UNSUPPORTED),
            row(0x0502, HEAD, "a part before the beginning")
                    .send("pad:16 d:2 w:0 01 pad:9 00")
                    .refused(INVALID_INPUT, UNSUPPORTED, FEATURE_OUT_OF_ORDER));

    static final List<Row> MEMORY_DEVICE = List.of(
            row(0x4100, HEAD, "four capacities").succeeds("len=32").end(),
            row(0x4101, HEAD, "what cannot be partitioned")
                    .send("q:0x7fffffffffff 00")
                    .refused(INVALID_INPUT),
            row(0x4103, HEAD, "what is stored is read")
                    .send("d:3 d:0 c0ffee")
                    .succeeds("len=0")
                    .then(0x4102, "d:2 d:4")
                    .succeeds("len=4", "u8@1=0xc0", "u8@2=0xff", "u8@3=0xee")
                    .end(),
            row(0x4103, HEAD, "behind the end").send("d:0xfffffff0 d:0 00").refused(INVALID_INPUT),
            row(0x4102, HEAD, "as much as is asked for")
                    .send("d:0 d:16")
                    .succeeds("len=16")
                    .end(),
            row(0x4102, HEAD, "behind the end").send("d:0xfffffff0 d:16").refused(INVALID_INPUT),
            row(0x4102, HEAD, "more than a payload").send("d:0 d:0xffffffff").refused(INVALID_INPUT, INVALID_LENGTH),
            row(0x4200, HEAD, "18 bytes").succeeds("len=18").end(),
            row(0x4201, HEAD, "16 bytes").succeeds("len=16").end(),
            row(0x4202, HEAD, "alerts off").send("pad:12").succeeds("len=0").end(),
            row(0x4203, HEAD, "clean or dirty").succeeds("len=1", "u8@0<=1").end(),
            row(0x4204, HEAD, "what is set is shown")
                    .send("01")
                    .succeeds("len=0")
                    .then(0x4203, "")
                    .succeeds("u8@0=1")
                    .then(0x4204, "00")
                    .succeeds()
                    .then(0x4203, "")
                    .succeeds("u8@0=0")
                    .end(),
            row(0x4204, HEAD, "a state that is none").send("02").refused(INVALID_INPUT),
            row(0x4500, HEAD, "no passphrase is set")
                    .succeeds("len=4", "u32@0=0")
                    .end());

    static final List<Row> POISON = List.of(
            row(0x4300, HEAD, "a list").send("q:base q:1").succeeds("len>=32").end(),
            row(0x4300, HEAD, "not aligned to a line").send("q:base+1 q:1").refused(INVALID_INPUT, INVALID_ADDRESS),
            row(0x4300, HEAD, "outside of the device")
                    .send("q:0xffffffffffffffc0 q:1")
                    .refused(INVALID_ADDRESS, INVALID_INPUT),
            row(0x4301, HEAD, "is listed until it is cleared")
                    .given(Given.ACCEPTED)
                    .send("q:base+64")
                    .succeeds("len=0")
                    .then(0x4300, "q:base q:4")
                    .succeeds("u16@10=1", "u64@32>=base+64", "u64@32<=base+71", "u32@40=1")
                    .then(0x4302, "q:base+64 pad:64")
                    .succeeds("len=0")
                    .then(0x4300, "q:base q:4")
                    .succeeds("u16@10=0", "len=32")
                    .end(),
            row(0x4301, HEAD, "not aligned to a line")
                    .given(Given.ACCEPTED)
                    .send("q:base+1")
                    .refused(INVALID_INPUT, INVALID_ADDRESS),
            row(0x4301, HEAD, "outside of the device")
                    .send("q:0xffffffffffffffc0")
                    .refused(INVALID_ADDRESS),
            row(0x4302, HEAD, "a line that is not poisoned")
                    .given(Given.ACCEPTED)
                    .send("q:base pad:64")
                    .succeeds("len=0")
                    .end(),
            row(0x4302, HEAD, "outside of the device")
                    .send("q:0xffffffffffffffc0 pad:64")
                    .refused(INVALID_ADDRESS),
            row(0x4303, HEAD, "an estimate")
                    .send("q:base q:1")
                    .succeeds("len=4")
                    .end(),
            row(0x4303, HEAD, "outside of the device")
                    .send("q:0xffffffffffffffc0 q:1")
                    .refused(INVALID_ADDRESS, INVALID_INPUT),
            row(0x4304, HEAD, "outside of the device")
                    .send("q:0xffffffffffffffc0 q:1 00")
                    .refused(INVALID_ADDRESS, INVALID_INPUT),
            row(0x4304, HEAD, "starts")
                    .given(Given.ACCEPTED)
                    .send("q:base q:64 00")
                    .comesTo(STARTED, "len=0")
                    .end(),
            row(0x4305, HEAD, "results of a scan")
                    .comesTo(Set.of(0, INVALID_INPUT))
                    .end());

    /** Last: the device is busy with them for a while. */
    static final List<Row> SANITIZE = List.of(
            row(0x4402, HEAD, "what operations there are")
                    .send("00 00 0000 d:0 w:0 w:8")
                    .succeeds("len>=12")
                    .end(),
            row(0x4402, HEAD, "an operation that is none")
                    .send("09 09 0000 d:0")
                    .refused(INVALID_INPUT, UNSUPPORTED),
            row(0x4400, HEAD, "starts").comesTo(STARTED, "len=0").end());

    private ManagementRows() {}
}
