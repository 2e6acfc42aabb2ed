package io.mhsld.stress.conformance;

import static io.mhsld.stress.conformance.Row.FM;
import static io.mhsld.stress.conformance.Row.row;

import io.mhsld.stress.conformance.Row.Given;
import java.util.List;
import java.util.Set;

/** The FM-owned LD: dynamic capacity as a fabric manager orders it, and tunnels to the LDs. Host 0 is the head under test. */
final class FabricRows {
    private static final int INVALID_INPUT = 2;
    private static final int UNSUPPORTED = 3;
    private static final int INVALID_ADDRESS = 0x0F;
    private static final int INVALID_LENGTH = 0x16;
    private static final int EXHAUSTED = 0x1D;
    private static final int INVALID_EXTENT_LIST = 0x1E;
    private static final String NIL = "pad:16 ";
    private static final String UNKNOWN = "feedc0de000040008000000000000001 ";
    private static final String TAG = "c0ffee00000040008000000000000001 ";

    /** Two blocks with a tag, at the begin of the region that can be shared. */
    static final String SHARED_ADD = "w:0 02 b:sregion q:2*sblock " + TAG + "d:1 q:sbase q:2*sblock pad:24";

    private static final String LIST = "w:0 w:0 d:16 d:0";

    static final List<Row> CAPACITY = List.of(
            row(0x5600, FM, "every policy, every region")
                    .succeeds("len=84", "u8@0=lds", "u8@1=regions", "u16@4=0xf", "u16@8=3", "u64@12>=1", "u64@20&block")
                    .end(),
            row(0x5601, FM, "all regions of a host")
                    .send("w:0 08 00")
                    .succeeds(
                            "len=20+40*regions",
                            "u16@0=0",
                            "u8@2=regions",
                            "u8@3=regions",
                            "u64@4=base",
                            "u64@20=length",
                            "u64@28=block")
                    .end(),
            row(0x5601, FM, "a region behind the last").send("w:0 01 b:regions").refused(INVALID_INPUT),
            row(0x5601, FM, "a host that is none").send("w:0x7fff 08 00").refused(INVALID_INPUT),
            row(0x5602, FM, "the block size that it has")
                    .send("00 000000 q:block 00 000000")
                    .succeeds("len=0")
                    .end(),
            row(0x5602, FM, "block size 0: as it is")
                    .send("00 000000 q:0 00 000000")
                    .succeeds("len=0")
                    .end(),
            row(0x5602, FM, "a block size that is no power of two")
                    .send("00 000000 q:3*block 00 000000")
                    .refused(INVALID_INPUT),
            row(0x5602, FM, "a block size larger than the region")
                    .send("00 000000 q:0x4000000000000000 00 000000")
                    .refused(INVALID_INPUT),
            row(0x5602, FM, "a region that is none")
                    .send("09 000000 q:block 00 000000")
                    .refused(UNSUPPORTED),
            row(0x5602, FM, "a region in use")
                    .given(Given.ACCEPTED)
                    .send("00 000000 q:2*block 00 000000")
                    .refused(UNSUPPORTED),
            row(0x5602, FM, "a region in use, as it is")
                    .given(Given.ACCEPTED)
                    .send("00 000000 q:block 00 000000")
                    .succeeds("len=0")
                    .end(),
            row(0x5602, FM, "a block size below the device's")
                    .send("00 000000 q:1 00 000000")
                    .refused(INVALID_INPUT),
            row(0x5602, FM, "another block size, and sanitize on release: from then on")
                    .given(Given.SHAREABLE)
                    .send("00 000000 q:2*block 01 000000")
                    .succeeds("len=0")
                    .then(0x5601, "w:0 08 00")
                    .succeeds("u64@28=2*block", "u8@40=1")
                    .then(0x5604, add(0, "block", NIL))
                    .comesTo(Set.of(INVALID_INPUT))
                    .then(0x5604, add(2, "block", NIL, "q:base q:block pad:24"))
                    .comesTo(Set.of(INVALID_EXTENT_LIST))
                    .then(0x5602, "00 000000 q:block 00 000000")
                    .succeeds("len=0")
                    .then(0x5601, "w:0 08 00")
                    .succeeds("u64@28=block", "u8@40=0")
                    .end(),
            row(0x5603, FM, "a host without capacity")
                    .send(LIST)
                    .succeeds("len=24", "u32@8=0", "u32@12=0")
                    .end(),
            row(0x5603, FM, "a host with capacity")
                    .given(Given.ACCEPTED)
                    .send(LIST)
                    .succeeds("len=64", "u32@8=1", "u32@12=1", "u64@24=base", "u64@32=2*block")
                    .end(),
            row(0x5603, FM, "an index that is none").send("w:0 w:0 d:16 d:1").refused(INVALID_INPUT),
            row(0x5603, FM, "a host that is none").send("w:0x7fff w:0 d:16 d:0").refused(INVALID_INPUT),
            row(0x5604, FM, "prescriptive")
                    .send(add(2, "2*block", NIL, "q:base q:2*block pad:24"))
                    .succeeds("len=0")
                    .end(),
            row(0x5604, FM, "free: as much of what is free")
                    .send(add(0, "2*block", NIL))
                    .succeeds("len=0")
                    .end(),
            row(0x5604, FM, "contiguous")
                    .send(add(1, "2*block", NIL))
                    .succeeds("len=0")
                    .end(),
            row(0x5604, FM, "nothing of what is free")
                    .send(add(0, "0", NIL))
                    .succeeds("len=0")
                    .end(),
            row(0x5604, FM, "more than is free")
                    .given(Given.ACCEPTED)
                    .send(add(0, "length", NIL))
                    .refused(EXHAUSTED),
            row(0x5604, FM, "more than the region has")
                    .send(add(0, "length+block", NIL))
                    .refused(EXHAUSTED),
            row(0x5604, FM, "more in one piece than there is")
                    .send(add(1, "length+block", NIL))
                    .refused(EXHAUSTED),
            row(0x5604, FM, "free: not a whole block")
                    .send(add(0, "block+1", NIL))
                    .refused(INVALID_INPUT),
            row(0x5604, FM, "contiguous: not a whole block")
                    .send(add(1, "1", NIL))
                    .refused(INVALID_INPUT),
            row(0x5604, FM, "free: a region that is none")
                    .send("w:0 00 09 q:block " + NIL + "d:0")
                    .refused(INVALID_INPUT),
            row(0x5604, FM, "prescriptive: no extents")
                    .send(add(2, "0", NIL))
                    .succeeds("len=0")
                    .end(),
            row(0x5604, FM, "prescriptive: an extent of no length")
                    .send(add(2, "0", NIL, "q:base q:0 pad:24"))
                    .refused(INVALID_EXTENT_LIST),
            row(0x5604, FM, "prescriptive: extents with different tags")
                    .send(add(2, "2*block", NIL, "q:base q:block " + UNKNOWN + "pad:8", "q:base+block q:block pad:24"))
                    .refused(INVALID_INPUT),
            row(0x5604, FM, "joining no tag")
                    .send(add(3, "0", NIL))
                    .succeeds("len=0")
                    .end(),
            row(0x5604, FM, "joining in a region that cannot be shared")
                    .given(Given.SHARED)
                    .send(add(3, "0", TAG))
                    .refused(INVALID_INPUT),
            row(0x5604, FM, "shareable capacity without a tag")
                    .given(Given.SHAREABLE)
                    .send("w:0 00 b:sregion q:sblock " + NIL + "d:0")
                    .refused(INVALID_INPUT),
            row(0x5604, FM, "shareable capacity, prescriptive, without a tag")
                    .given(Given.SHAREABLE)
                    .send("w:0 02 b:sregion q:sblock " + NIL + "d:1 q:sbase q:sblock pad:24")
                    .refused(INVALID_INPUT),
            row(0x5604, FM, "a tag that is in use, of free capacity")
                    .given(Given.SHARED)
                    .send("w:0 00 b:sregion q:sblock " + TAG + "d:0")
                    .refused(INVALID_INPUT),
            row(0x5604, FM, "a tag that is in use, prescriptive")
                    .given(Given.SHARED)
                    .send("w:0 02 b:sregion q:sblock " + TAG + "d:1 q:sbase+4*sblock q:sblock pad:24")
                    .refused(INVALID_INPUT),
            row(0x5604, FM, "joining what the host has")
                    .given(Given.SHARED)
                    .send("w:0 03 b:sregion q:0 " + TAG + "d:0")
                    .refused(INVALID_EXTENT_LIST),
            row(0x5604, FM, "a tag on capacity that cannot be shared, again and again")
                    .given(Given.SHARED)
                    .send(add(2, "block", TAG, "q:base q:block pad:24"))
                    .succeeds("len=0")
                    .then(0x5608, "d:0 d:16")
                    .succeeds("u32@4=1")
                    .end(),
            row(0x5604, FM, "a tag that nobody has").send(add(3, "0", UNKNOWN)).refused(INVALID_INPUT),
            row(0x5604, FM, "a policy that is none").send(add(9, "block", NIL)).refused(INVALID_INPUT),
            row(0x5604, FM, "a host that is none")
                    .send("w:0x7fff 02 00 q:block " + NIL + "d:1 q:base q:block pad:24")
                    .refused(INVALID_INPUT),
            row(0x5604, FM, "not aligned to a block")
                    .send(add(2, "block", NIL, "q:base+1 q:block pad:24"))
                    .refused(INVALID_EXTENT_LIST),
            row(0x5604, FM, "outside of every region")
                    .send(add(2, "block", NIL, "q:0xffffffffffe00000 q:block pad:24"))
                    .refused(INVALID_ADDRESS),
            row(0x5604, FM, "the same extent twice")
                    .send(add(2, "2*block", NIL, "q:base q:block pad:24", "q:base q:block pad:24"))
                    .refused(INVALID_EXTENT_LIST),
            row(0x5604, FM, "what the host has already")
                    .given(Given.ACCEPTED)
                    .send(add(2, "block", NIL, "q:base q:block pad:24"))
                    .refused(INVALID_EXTENT_LIST),
            row(0x5604, FM, "what the host has been offered already")
                    .given(Given.OFFERED)
                    .send(add(2, "block", NIL, "q:base q:block pad:24"))
                    .refused(INVALID_EXTENT_LIST),
            row(0x5604, FM, "fewer extents than it says")
                    .send("w:0 02 00 q:block " + NIL + "d:2 q:base q:block pad:24")
                    .refused(INVALID_LENGTH),
            row(0x5605, FM, "prescriptive: the host is asked")
                    .given(Given.ACCEPTED)
                    .send(release(0x01, "2*block", NIL, "q:base q:2*block pad:24"))
                    .succeeds("len=0")
                    .then(0x5603, LIST)
                    .succeeds("u32@12=1")
                    .end(),
            row(0x5605, FM, "forced: it is taken")
                    .given(Given.ACCEPTED)
                    .send(release(0x11, "2*block", NIL, "q:base q:2*block pad:24"))
                    .succeeds("len=0")
                    .then(0x5603, LIST)
                    .succeeds("u32@12=0")
                    .end(),
            row(0x5605, FM, "forced, and scrubbed: it is taken")
                    .given(Given.ACCEPTED)
                    .send(release(0x31, "2*block", NIL, "q:base q:2*block pad:24"))
                    .succeeds("len=0")
                    .then(0x5603, LIST)
                    .succeeds("u32@12=0")
                    .end(),
            row(0x5605, FM, "forced: what is only offered is withdrawn")
                    .given(Given.OFFERED)
                    .send(release(0x11, "2*block", NIL, "q:base q:2*block pad:24"))
                    .succeeds("len=0")
                    .end(),
            row(0x5605, FM, "what is only offered")
                    .given(Given.OFFERED)
                    .send(release(0x01, "2*block", NIL, "q:base q:2*block pad:24"))
                    .refused(INVALID_ADDRESS),
            row(0x5605, FM, "forced: all or nothing")
                    .given(Given.ACCEPTED)
                    .send(release(0x11, "3*block", NIL, "q:base q:block pad:24", "q:base+8*block q:block pad:24"))
                    .comesTo(Set.of(INVALID_ADDRESS))
                    .then(0x5603, LIST)
                    .succeeds("u32@12=1", "u64@32=2*block")
                    .end(),
            row(0x5605, FM, "the same extent twice")
                    .given(Given.ACCEPTED)
                    .send(release(0x11, "2*block", NIL, "q:base q:block pad:24", "q:base q:block pad:24"))
                    .refused(INVALID_EXTENT_LIST),
            row(0x5605, FM, "not aligned to a block")
                    .given(Given.ACCEPTED)
                    .send(release(0x11, "block", NIL, "q:base+1 q:block pad:24"))
                    .refused(INVALID_EXTENT_LIST),
            row(0x5605, FM, "prescriptive: no extents")
                    .send(release(0x01, "0", NIL))
                    .succeeds("len=0")
                    .end(),
            row(0x5605, FM, "tag based: capacity without a tag, by its length")
                    .given(Given.ACCEPTED)
                    .send(release(0x10, "block", NIL))
                    .succeeds("len=0")
                    .then(0x5603, LIST)
                    .succeeds("u32@12=1", "u64@32=block")
                    .end(),
            row(0x5605, FM, "tag based: more than there is")
                    .given(Given.ACCEPTED)
                    .send(release(0x10, "3*block", NIL))
                    .refused(INVALID_INPUT),
            row(0x5605, FM, "tag based: not a whole block")
                    .given(Given.ACCEPTED)
                    .send(release(0x10, "1", NIL))
                    .refused(INVALID_INPUT),
            row(0x5605, FM, "a shared tag: the host is asked")
                    .given(Given.SHARED)
                    .send(release(0x00, "0", TAG))
                    .succeeds("len=0")
                    .then(0x5608, "d:0 d:16")
                    .succeeds("u32@4=1")
                    .end(),
            row(0x5605, FM, "a part of a shared tag")
                    .given(Given.SHARED)
                    .send(release(0x10, "sblock", TAG))
                    .refused(INVALID_EXTENT_LIST),
            row(0x5605, FM, "a shared tag, forced: it is gone")
                    .given(Given.SHARED)
                    .send(release(0x10, "0", TAG))
                    .succeeds("len=0")
                    .then(0x5603, LIST)
                    .succeeds("u32@12=0")
                    .then(0x5608, "d:0 d:16")
                    .succeeds("u32@4=0")
                    .end(),
            row(0x5605, FM, "no tag and no length")
                    .send(release(0x00, "0", NIL))
                    .succeeds("len=0")
                    .end(),
            row(0x5605, FM, "a tag that nobody has")
                    .send(release(0x00, "0", UNKNOWN))
                    .refused(INVALID_INPUT),
            row(0x5605, FM, "what the host does not have")
                    .send(release(0x01, "block", NIL, "q:base q:block pad:24"))
                    .refused(INVALID_ADDRESS),
            row(0x5605, FM, "a policy that is none")
                    .send(release(0x09, "0", NIL))
                    .refused(INVALID_INPUT),
            row(0x5605, FM, "a host that is none")
                    .send("w:0x7fff 01 00 q:block " + NIL + "d:1 q:base q:block pad:24")
                    .refused(INVALID_INPUT),
            row(0x5605, FM, "fewer extents than it says")
                    .send("w:0 01 00 q:block " + NIL + "d:2 q:base q:block pad:24")
                    .refused(INVALID_LENGTH),
            row(0x5606, FM, "no tag: nothing to do").send(NIL).succeeds("len=0").end(),
            row(0x5606, FM, "a tag that nobody has").send(UNKNOWN).refused(INVALID_INPUT),
            row(0x5607, FM, "no tag: nothing to do").send(NIL).succeeds("len=0").end(),
            row(0x5607, FM, "a tag that nobody has").send(UNKNOWN).refused(INVALID_INPUT),
            row(0x5606, FM, "a shared tag is kept, and can be had again")
                    .given(Given.SHARED)
                    .send(TAG)
                    .succeeds("len=0")
                    .then(0x5606, TAG)
                    .succeeds("len=0")
                    .then(0x5605, release(0x10, "0", TAG))
                    .succeeds("len=0")
                    .then(0x5608, "d:0 d:16")
                    .succeeds("len=100", "u32@4=1", "u32@8=1", "u8@32&1", "u64@36=0", "u64@68=0")
                    .then(0x5602, "b:sregion 000000 q:2*sblock 00 000000")
                    .comesTo(Set.of(UNSUPPORTED))
                    .then(0x5604, "w:0 02 b:sregion q:sblock " + UNKNOWN + "d:1 q:sbase q:sblock pad:24")
                    .comesTo(Set.of(EXHAUSTED))
                    .then(0x5604, "w:0 03 b:sregion q:0 " + TAG + "d:0")
                    .succeeds("len=0")
                    .then(0x5608, "d:0 d:16")
                    .succeeds("u32@8=1", "u64@36=0", "u64@68=1")
                    .end(),
            row(0x5607, FM, "a kept tag without hosts is free")
                    .given(Given.SHARED)
                    .send(TAG)
                    .succeeds("len=0")
                    .then(0x5608, "d:0 d:16")
                    .succeeds("u32@4=1")
                    .then(0x5606, TAG)
                    .succeeds("len=0")
                    .then(0x5605, release(0x10, "0", TAG))
                    .succeeds("len=0")
                    .then(0x5607, TAG)
                    .succeeds("len=0")
                    .then(0x5608, "d:0 d:16")
                    .succeeds("len=16", "u32@4=0")
                    .then(0x5607, TAG)
                    .comesTo(Set.of(INVALID_INPUT))
                    .end(),
            row(0x5608, FM, "a tag, whom it is offered to, and who has it")
                    .given(Given.SHARED)
                    .send("d:0 d:16")
                    .succeeds("len=100", "u32@4=1", "u32@8=1", "u8@12=3", "u8@32=0", "u64@36=1", "u64@68=0")
                    .then(0x5608, "d:0 d:0")
                    .succeeds("len=16", "u32@4=1", "u32@8=0")
                    .then(0x5608, "d:1 d:16")
                    .succeeds("len=16", "u32@4=1", "u32@8=0")
                    .end(),
            row(0x5601, FM, "tags supported and left")
                    .given(Given.SHARED)
                    .send("w:0 08 b:sregion")
                    .succeeds("u8@36&8", "u32@52=128", "u32@56=127")
                    .end(),
            row(0x5608, FM, "no tags")
                    .send("d:0 d:16")
                    .succeeds("len=16", "u32@4=0", "u32@8=0")
                    .end(),
            row(0x5608, FM, "an index that is none").send("d:5 d:16").refused(INVALID_INPUT));

    static final List<Row> TUNNEL = List.of(
            row(0x5300, FM, "identification of an LD")
                    .send("00 00 w:12+t type 00 77 00 w:1 000000 w:0 w:0")
                    .succeeds(
                            "len=34+t",
                            "u16@0=30+t",
                            "u8@4+t=1+15*t",
                            "u8@5+t=0x77",
                            "u16@7+t=1",
                            "u16@12+t=0",
                            "u8@33+t=3")
                    .end(),
            row(0x5300, FM, "a question to an LD")
                    .send("00 00 w:12+t type 00 78 00 w:0x0300 000000 w:0 w:0")
                    .succeeds("len=24+t", "u16@0=20+t", "u8@4+t=1+15*t", "u8@5+t=0x78", "u16@7+t=0x0300", "u16@12+t=0")
                    .end(),
            row(0x5300, FM, "a refusal of the LD is no refusal of the tunnel")
                    .send("00 00 w:12+t type 00 01 00 w:0xffff 000000 w:0 w:0")
                    .succeeds("len=16+t", "u16@0=12+t", "u16@12+t=3")
                    .end(),
            row(0x5300, FM, "an LD that is none")
                    .send("b:lds 00 w:12+t type 00 01 00 w:1 000000 w:0 w:0")
                    .refused(INVALID_INPUT),
            row(0x5300, FM, "a target that is none")
                    .send("00 07 w:12+t type 00 01 00 w:1 000000 w:0 w:0")
                    .refused(INVALID_INPUT),
            row(0x5300, FM, "another size than it says")
                    .send("00 00 w:13+t type 00 01 00 w:1 000000 w:0 w:0")
                    .refused(INVALID_LENGTH));

    private FabricRows() {}

    private static String add(int policy, String length, String tag, String... extents) {
        return String.format(
                "w:0 b:%d 00 q:%s %s d:%d %s", policy, length, tag, extents.length, String.join(" ", extents));
    }

    private static String release(int flags, String length, String tag, String... extents) {
        return String.format(
                "w:0 b:%d 00 q:%s %s d:%d %s", flags, length, tag, extents.length, String.join(" ", extents));
    }
}
