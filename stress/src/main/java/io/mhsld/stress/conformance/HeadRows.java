package io.mhsld.stress.conformance;

import static io.mhsld.stress.conformance.Row.ALL;
import static io.mhsld.stress.conformance.Row.HEAD;
import static io.mhsld.stress.conformance.Row.row;

import io.mhsld.stress.conformance.Row.Given;
import java.util.List;
import java.util.Set;

/** Events, timestamp, logs, identification and dynamic capacity as a host sees them; and what a device with several heads tells. */
final class HeadRows {
    private static final int INVALID_INPUT = 2;
    private static final int UNSUPPORTED = 3;
    private static final int INVALID_HANDLE = 0x0E;
    private static final int INVALID_ADDRESS = 0x0F;
    private static final int INVALID_LENGTH = 0x16;
    private static final int INVALID_LOG = 0x17;
    private static final int INVALID_EXTENT_LIST = 0x1E;
    private static final String DEBUG_LOG = "e1819d9a 482e 4e2a ab45 13757da848e5";
    private static final String EXTENTS = "d:16 d:0";
    private static final String CEL = "0da9c0b5 bf41 4b78 8f79 96b1623b3f17";

    static final List<Row> EVENTS = List.of(
            row(0x0100, HEAD, "an empty log")
                    .send("04")
                    .succeeds("len=32", "u8@0=0", "u16@20=0")
                    .end(),
            row(0x0100, HEAD, "every log is there")
                    .send("00")
                    .succeeds("len>=32")
                    .then(0x0100, "01")
                    .succeeds("len>=32")
                    .then(0x0100, "02")
                    .succeeds("len>=32")
                    .then(0x0100, "03")
                    .succeeds("len>=32")
                    .end(),
            row(0x0100, HEAD, "an offer of two extents is two records")
                    .given(Given.OFFERED)
                    .send("04")
                    .succeeds(
                            "len=288",
                            "u16@20=2",
                            "u32@32=0xa7af95ca",
                            "u8@48=128",
                            "u16@52!=0",
                            "u8@80=0",
                            "u64@88=base",
                            "u64@96=2*block")
                    .end(),
            row(0x0100, HEAD, "all records of a group but the last say that more follow")
                    .given(Given.OFFERED)
                    .send("04")
                    .succeeds("u8@85&1", "u8@213=0", "u64@216=base+4*block")
                    .end(),
            row(0x0100, HEAD, "no flag says that more records wait when none do")
                    .given(Given.OFFERED)
                    .send("04")
                    .succeeds("u8@0=0")
                    .end(),
            row(0x0100, HEAD, "a log that is none").send("05").refused(INVALID_INPUT),
            row(0x0101, HEAD, "the oldest records, in order")
                    .given(Given.OFFERED)
                    .send("04 00 02 000000 w:handle w:handle+1")
                    .succeeds("len=0")
                    .then(0x0100, "04")
                    .succeeds("u16@20=0")
                    .end(),
            row(0x0101, HEAD, "one of two")
                    .given(Given.OFFERED)
                    .send("04 00 01 000000 w:handle")
                    .succeeds("len=0")
                    .then(0x0100, "04")
                    .succeeds("u16@20=1", "u64@88=base+4*block")
                    .end(),
            row(0x0101, HEAD, "clear all")
                    .given(Given.OFFERED)
                    .send("04 01 00 000000")
                    .succeeds("len=0")
                    .then(0x0100, "04")
                    .succeeds("u16@20=0")
                    .end(),
            row(0x0101, HEAD, "not the oldest record")
                    .given(Given.OFFERED)
                    .send("04 00 01 000000 w:handle+1")
                    .refused(INVALID_HANDLE),
            row(0x0101, HEAD, "a refused clear clears nothing")
                    .given(Given.OFFERED)
                    .send("04 00 02 000000 w:handle w:handle+7")
                    .comesTo(Set.of(INVALID_HANDLE))
                    .then(0x0100, "04")
                    .succeeds("u16@20=2")
                    .end(),
            row(0x0101, HEAD, "clear all with handles")
                    .send("04 01 01 000000 0100")
                    .refused(INVALID_INPUT),
            row(0x0101, HEAD, "a log that is none").send("05 01 00 000000").refused(INVALID_INPUT),
            row(0x0101, HEAD, "fewer handles than it says")
                    .send("04 00 02 000000 0100")
                    .refused(INVALID_LENGTH),
            row(0x0102, HEAD, "one setting for each log").succeeds("len=5").end(),
            row(0x0103, HEAD, "what is set is shown")
                    .send("01 00 01 00 01")
                    .succeeds("len=0")
                    .then(0x0102, "")
                    .succeeds("u8@0&1", "u8@1=0", "u8@2&1", "u8@3=0", "u8@4&1")
                    .then(0x0103, "00 00 00 00 00")
                    .succeeds()
                    .then(0x0102, "")
                    .succeeds("u8@0=0", "u8@4=0")
                    .end(),
            row(0x0103, HEAD, "four settings leave the fifth")
                    .send("00 00 00 00 01")
                    .succeeds()
                    .then(0x0103, "01 01 01 01")
                    .succeeds()
                    .then(0x0102, "")
                    .succeeds("u8@3&1", "u8@4&1")
                    .end(),
            row(0x0103, HEAD, "a reserved mode").send("03 00 00 00 00").refused(INVALID_INPUT));

    static final List<Row> TIME_AND_LOGS = List.of(
            row(0x0300, ALL, "eight bytes").succeeds("len=8").end(),
            row(0x0301, ALL, "time goes on from what is set")
                    .send("q:1000000000000000000")
                    .succeeds("len=0")
                    .then(0x0300, "")
                    .succeeds("u64@0>=1000000000000000000", "u64@0<=1000000060000000000")
                    .end(),
            row(0x0400, ALL, "the Command Effects Log is there")
                    .succeeds("u16@0>=1", "u32@8=0xb5c0a90d", "u32@24=logsize", "len>=28")
                    .end(),
            row(0x0401, ALL, "the whole log")
                    .send(CEL + " d:0 d:logsize")
                    .succeeds("len=logsize")
                    .end(),
            row(0x0401, ALL, "offsets are bytes")
                    .send(CEL + " d:4 d:4")
                    .succeeds("len=4", "u16@0=second")
                    .end(),
            row(0x0401, ALL, "nothing of it")
                    .send(CEL + " d:0 d:0")
                    .succeeds("len=0")
                    .end(),
            row(0x0401, ALL, "a log that nobody knows").send("pad:16 d:0 d:4").refused(INVALID_LOG),
            row(0x0401, ALL, "more than there is").send(CEL + " d:4 d:logsize").refused(INVALID_INPUT),
            row(0x0401, ALL, "an offset behind the end")
                    .send(CEL + " d:0xfffffffc d:8")
                    .refused(INVALID_INPUT),
            row(0x0402, ALL, "what can be done with the Command Effects Log")
                    .send(CEL)
                    .succeeds("len=4")
                    .end(),
            row(0x0402, ALL, "a log that nobody knows").send("pad:16").refused(INVALID_LOG),
            // A device need not have a debug log.
            row(0x0403, HEAD, "the debug log")
                    .send(DEBUG_LOG)
                    .comesTo(Set.of(0, INVALID_LOG), "len=0")
                    .end(),
            row(0x0403, HEAD, "the Command Effects Log cannot be cleared")
                    .send(CEL)
                    .comesTo(Set.of(INVALID_INPUT, UNSUPPORTED))
                    .then(0x0401, CEL + " d:0 d:logsize")
                    .succeeds("len=logsize")
                    .end(),
            row(0x0403, HEAD, "a log that nobody knows").send("pad:16").refused(INVALID_LOG),
            row(0x0404, HEAD, "the debug log")
                    .send(DEBUG_LOG)
                    .comesTo(Set.of(0, 1, INVALID_LOG), "len=0")
                    .end(),
            row(0x0404, HEAD, "a log that nobody knows").send("pad:16").refused(INVALID_LOG),
            row(0x0405, ALL, "all logs, the Command Effects Log first")
                    .send("ff 00")
                    .succeeds("u8@0>=1", "u16@2>=1", "u8@4=0", "u32@8=0xb5c0a90d", "u32@24=logsize")
                    .end(),
            row(0x0405, ALL, "one log")
                    .send("01 00")
                    .succeeds("len=28", "u8@0=1")
                    .end(),
            row(0x0405, ALL, "a log behind the last").send("01 ff").refused(INVALID_INPUT));

    static final List<Row> CAPACITY = List.of(
            row(0x4000, HEAD, "69 bytes, with room for events")
                    .succeeds("len=69", "u16@67>=8")
                    .end(),
            row(0x4800, HEAD, "all regions")
                    .send("08 00")
                    .succeeds(
                            "len=40*regions+24",
                            "u8@0=regions",
                            "u8@1=regions",
                            "u64@8=base",
                            "u64@24=length",
                            "u64@32=block")
                    .end(),
            row(0x4800, HEAD, "the decode length holds the region, in units of 256 MiB")
                    .send("01 00")
                    .succeeds("u64@16>=1")
                    .end(),
            row(0x4800, HEAD, "one region")
                    .send("01 00")
                    .succeeds("len=64", "u8@0=regions", "u8@1=1")
                    .end(),
            row(0x4800, HEAD, "no region, only how many extents there can be")
                    .send("00 00")
                    .succeeds("len=24", "u8@1=0")
                    .end(),
            row(0x4800, HEAD, "a region behind the last").send("01 b:regions").refused(INVALID_INPUT),
            row(0x4801, HEAD, "nothing accepted")
                    .send(EXTENTS)
                    .succeeds("len=16", "u32@0=0", "u32@4=0")
                    .end(),
            row(0x4801, HEAD, "what is only offered is not listed")
                    .given(Given.OFFERED)
                    .send(EXTENTS)
                    .succeeds("len=16", "u32@0=0", "u32@4=0")
                    .end(),
            row(0x4801, HEAD, "what is accepted is listed")
                    .given(Given.ACCEPTED)
                    .send(EXTENTS)
                    .succeeds("len=56", "u32@0=1", "u32@4=1", "u64@16=base", "u64@24=2*block")
                    .end(),
            row(0x4801, HEAD, "none are wanted")
                    .given(Given.ACCEPTED)
                    .send("d:0 d:0")
                    .succeeds("len=16", "u32@0=0", "u32@4=1")
                    .end(),
            row(0x4801, HEAD, "from behind the last one")
                    .given(Given.ACCEPTED)
                    .send("d:16 d:1")
                    .succeeds("u32@0=0")
                    .end(),
            row(0x4801, HEAD, "an index that is none").send("d:16 d:1").refused(INVALID_INPUT),
            row(0x4801, HEAD, "a count without bounds")
                    .given(Given.ACCEPTED)
                    .send("d:0xffffffff d:0")
                    .succeeds("u32@0=1")
                    .end(),
            row(0x4802, HEAD, "all of an offer")
                    .given(Given.OFFERED)
                    .send("d:2 00 000000 q:base q:2*block q:0 q:base+4*block q:block q:0")
                    .succeeds("len=0")
                    .then(0x4801, EXTENTS)
                    .succeeds("u32@4=2")
                    .end(),
            row(0x4802, HEAD, "some of an offer; the rest is rejected")
                    .given(Given.OFFERED)
                    .send("d:1 00 000000 q:base+4*block q:block q:0")
                    .succeeds("len=0")
                    .then(0x4801, EXTENTS)
                    .succeeds("u32@4=1", "u64@16=base+4*block")
                    .then(0x4802, "d:1 00 000000 q:base q:block q:0")
                    .comesTo(Set.of(INVALID_INPUT, INVALID_ADDRESS))
                    .end(),
            row(0x4802, HEAD, "a part of an extent")
                    .given(Given.OFFERED)
                    .send("d:1 00 000000 q:base+block q:block q:0")
                    .succeeds("len=0")
                    .then(0x4801, EXTENTS)
                    .succeeds("u32@4=1", "u64@16=base+block", "u64@24=block")
                    .end(),
            row(0x4802, HEAD, "nothing of an offer")
                    .given(Given.OFFERED)
                    .send("d:0 00 000000")
                    .succeeds("len=0")
                    .then(0x4801, EXTENTS)
                    .succeeds("u32@4=0")
                    .end(),
            // QEMU 10 and 11 die of this one.
            row(0x4802, HEAD, "nothing of no offer")
                    .send("d:0 00 000000")
                    .succeeds("len=0")
                    .end(),
            row(0x4802, HEAD, "the device lives on after that")
                    .send("d:0 00 000000")
                    .succeeds("len=0")
                    .then(0x4801, EXTENTS)
                    .succeeds("u32@4=0")
                    .end(),
            row(0x4802, HEAD, "something of no offer")
                    .send("d:1 00 000000 q:base q:block q:0")
                    .refused(INVALID_INPUT, INVALID_ADDRESS),
            row(0x4802, HEAD, "what was not offered")
                    .given(Given.OFFERED)
                    .send("d:1 00 000000 q:base+8*block q:block q:0")
                    .refused(INVALID_ADDRESS),
            row(0x4802, HEAD, "an extent over the edge of the offer")
                    .given(Given.OFFERED)
                    .send("d:1 00 000000 q:base+block q:2*block q:0")
                    .refused(INVALID_ADDRESS),
            row(0x4802, HEAD, "outside of every region")
                    .given(Given.OFFERED)
                    .send("d:1 00 000000 q:0xffffffffffe00000 q:block q:0")
                    .refused(INVALID_ADDRESS),
            row(0x4802, HEAD, "not aligned to a block")
                    .given(Given.OFFERED)
                    .send("d:1 00 000000 q:base+1 q:block q:0")
                    .refused(INVALID_EXTENT_LIST),
            row(0x4802, HEAD, "not a whole block")
                    .given(Given.OFFERED)
                    .send("d:1 00 000000 q:base q:1 q:0")
                    .refused(INVALID_EXTENT_LIST),
            row(0x4802, HEAD, "an extent of no length")
                    .given(Given.OFFERED)
                    .send("d:1 00 000000 q:base q:0 q:0")
                    .refused(INVALID_EXTENT_LIST, INVALID_ADDRESS),
            row(0x4802, HEAD, "the same extent twice")
                    .given(Given.OFFERED)
                    .send("d:2 00 000000 q:base q:block q:0 q:base q:block q:0")
                    .refused(INVALID_EXTENT_LIST),
            row(0x4802, HEAD, "fewer extents than it says")
                    .given(Given.OFFERED)
                    .send("d:2 00 000000 q:base q:block q:0")
                    .refused(INVALID_LENGTH),
            row(0x4802, HEAD, "a refused answer leaves the offer as it was")
                    .given(Given.OFFERED)
                    .send("d:2 00 000000 q:base q:block q:0 q:base q:block q:0")
                    .comesTo(Set.of(INVALID_EXTENT_LIST))
                    .then(0x4801, EXTENTS)
                    .succeeds("u32@4=0")
                    .then(0x4802, "d:1 00 000000 q:base q:2*block q:0")
                    .succeeds()
                    .end(),
            row(0x4803, HEAD, "all that was accepted")
                    .given(Given.ACCEPTED)
                    .send("d:1 00 000000 q:base q:2*block q:0")
                    .succeeds("len=0")
                    .then(0x4801, EXTENTS)
                    .succeeds("u32@4=0")
                    .end(),
            row(0x4803, HEAD, "a part; the rest stays")
                    .given(Given.ACCEPTED)
                    .send("d:1 00 000000 q:base q:block q:0")
                    .succeeds("len=0")
                    .then(0x4801, EXTENTS)
                    .succeeds("u32@4=1", "u64@16=base+block", "u64@24=block")
                    .then(0x4803, "d:1 00 000000 q:base q:block q:0")
                    .comesTo(Set.of(INVALID_ADDRESS))
                    .end(),
            // The reference says 0002h to a release of nothing; libcxlmi wants success.
            row(0x4803, HEAD, "nothing")
                    .given(Given.ACCEPTED)
                    .send("d:0 00 000000")
                    .succeeds("len=0")
                    .then(0x4801, EXTENTS)
                    .succeeds("u32@4=1")
                    .end(),
            row(0x4803, HEAD, "what it does not have")
                    .send("d:1 00 000000 q:base q:block q:0")
                    .refused(INVALID_ADDRESS),
            row(0x4803, HEAD, "more than it has")
                    .given(Given.ACCEPTED)
                    .send("d:1 00 000000 q:base q:3*block q:0")
                    .refused(INVALID_ADDRESS),
            row(0x4803, HEAD, "what is only offered")
                    .given(Given.OFFERED)
                    .send("d:1 00 000000 q:base q:block q:0")
                    .refused(INVALID_ADDRESS),
            row(0x4803, HEAD, "not aligned to a block")
                    .given(Given.ACCEPTED)
                    .send("d:1 00 000000 q:base+4096 q:1 q:0")
                    .refused(INVALID_EXTENT_LIST),
            row(0x4803, HEAD, "the same extent twice")
                    .given(Given.ACCEPTED)
                    .send("d:2 00 000000 q:base q:block q:0 q:base q:block q:0")
                    .refused(INVALID_EXTENT_LIST),
            row(0x4803, HEAD, "fewer extents than it says")
                    .given(Given.ACCEPTED)
                    .send("d:2 00 000000 q:base q:block q:0")
                    .refused(INVALID_LENGTH));

    static final List<Row> HEADS = List.of(
            row(0x5500, ALL, "all LDs")
                    .send("00 ff")
                    .succeeds("u8@0>=1", "u8@1=heads", "u8@4=0", "u8@5>=1", "len=8+lds")
                    .end(),
            row(0x5500, ALL, "one LD")
                    .send("00 01")
                    .succeeds("len=9", "u8@5=1", "u8@0=lds")
                    .end(),
            row(0x5500, ALL, "an LD behind the last").send("b:lds 01").refused(INVALID_INPUT),
            row(0x5500, ALL, "a map without entries").send("00 00").refused(INVALID_INPUT),
            row(0x5501, ALL, "one head")
                    .send("00 01")
                    .succeeds("len=13", "u8@0=1")
                    .end(),
            row(0x5501, ALL, "all heads")
                    .send("00 b:heads")
                    .succeeds("u8@0=heads", "len=4+9*heads")
                    .end(),
            row(0x5501, ALL, "a head behind the last").send("b:heads 01").refused(INVALID_INPUT),
            row(0x5501, ALL, "more heads than there are").send("01 b:heads").refused(INVALID_INPUT),
            row(0x5501, ALL, "no heads").send("00 00").refused(INVALID_INPUT));

    private HeadRows() {}
}
