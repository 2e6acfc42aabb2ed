package io.mhsld.cci;

import static io.mhsld.cci.Host.hex;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cci.FabricOperations.HostExtents;
import io.mhsld.cci.FabricOperations.TagInfo;
import io.mhsld.cci.SomeFabric.Forwarded;
import io.mhsld.type3.DcRegion;
import io.mhsld.type3.Extent;
import io.mhsld.type3.Seeds;
import io.mhsld.type3.TestDevice;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The fabric manager's commands, written and read by hand at the offsets of the specification. */
class FmOwnedLdTest {
    private static final UUID TAG = TestDevice.TAG;
    private static final String TAG_DIGITS = "00112233445566778899aabbccddeeff";
    private static final String NO_TAG_DIGITS = "00".repeat(16);

    private final SomeFabric fabric = new SomeFabric();
    private final List<RuntimeException> errors = new ArrayList<>();
    private final FmOwnedLd ld = new FmOwnedLd(fabric, errors::add);
    private final List<Response> answers = new ArrayList<>();

    static LongStream seeds() {
        return Seeds.of(3);
    }

    private void send(int opcode, byte[] payload, CciDialect dialect) {
        ld.execute(opcode, payload, dialect, answers::add);
    }

    /** The one answer that is there at once. */
    private Response ask(int opcode, String digits) {
        answers.clear();
        send(opcode, hex(digits), CciDialect.STANDARD);
        assertEquals(1, answers.size());
        return answers.get(0);
    }

    private ByteBuffer output(int opcode, String digits) {
        Response response = ask(opcode, digits);
        assertEquals(ReturnCode.SUCCESS, response.code());
        return ByteBuffer.wrap(response.payload()).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static byte[] bytesAt(ByteBuffer buffer, int position, int length) {
        byte[] bytes = new byte[length];
        buffer.get(position, bytes);
        return bytes;
    }

    // ---- 5600h to 5603h

    @Test
    void shouldTellOfTheDeviceAtTheOffsetsOf5600h() {
        ByteBuffer info = output(0x5600, "");
        assertEquals(0x54, info.capacity());
        assertEquals(8, info.get(0));
        assertEquals(2, info.get(1));
        assertTrue(info.getShort(4) != 0, "selection policies");
        assertTrue(info.getShort(8) != 0, "removal policies");
        assertEquals(0x03, info.get(10));
        assertEquals(8, info.getLong(12), "2 GiB in units of 256 MiB");
        assertEquals(0x600000, info.getLong(20));
        assertEquals(0x600000, info.getLong(28));
        assertEquals(0, info.getLong(36));
    }

    @Test
    void shouldRoundASmallDeviceUpToOneUnit() {
        fabric.regions.clear();
        fabric.regions.add(new DcRegion(0, 0, 256 << 20, 64 << 20, TestDevice.BLOCK));
        assertEquals(1, output(0x5600, "").getLong(12));
    }

    @Test
    void shouldPutTheCountersOf5601hStraightBehindTheRegionsThatItReturns() {
        fabric.extents.put(3, new HostExtents(List.of(TestDevice.extent(0, 1)), 5, 9));
        DcRegion plain = fabric.regions.get(1);
        fabric.regions.set(
                1,
                new DcRegion(
                        1,
                        plain.baseDpa(),
                        plain.decodeLengthBytes(),
                        plain.lengthBytes(),
                        plain.blockSizeBytes(),
                        true,
                        true));
        fabric.tags.add(new TagInfo(TAG, 1, 2, true));
        ByteBuffer one = output(0x5601, "0300 01 01");
        assertEquals(4 + 40 + 16, one.capacity());
        assertEquals(3, one.getShort(0));
        assertEquals(2, one.get(2), "regions that there are");
        assertEquals(1, one.get(3), "regions returned");
        assertEquals(TestDevice.BASE + (1L << 30), one.getLong(4));
        assertEquals(4, one.getLong(12), "decode length in units of 256 MiB");
        assertEquals(1L << 30, one.getLong(20));
        assertEquals(TestDevice.BLOCK, one.getLong(28));
        assertEquals(0x08, one.getInt(36), "shareable");
        assertEquals(1, one.getInt(40), "sanitize on release");
        assertEquals(512, one.getInt(44));
        assertEquals(507, one.getInt(48));
        assertEquals(128, one.getInt(52));
        assertEquals(127, one.getInt(56));
        assertEquals(4 + 2 * 40 + 16, output(0x5601, "0300 ff 00").capacity());
        assertEquals(4 + 16, output(0x5601, "0300 00 00").capacity());
    }

    @ParameterizedTest
    @CsvSource({"5601,0800 01 00", "5601,0000 01 02", "5601,ffff 01 00", "5603,08000000 01000000 00000000"})
    void shouldRefuseHostsAndRegionsThatThereAreNot(String opcode, String payload) {
        assertEquals(
                ReturnCode.INVALID_INPUT,
                ask(Integer.parseInt(opcode, 16), payload).code());
    }

    @Test
    void shouldAskToTryAgainWhileTheExtentsAreBeingWritten() {
        assertEquals(ReturnCode.RETRY_REQUIRED, ask(0x5601, "0700 01 00").code());
        assertEquals(
                ReturnCode.RETRY_REQUIRED,
                ask(0x5603, "07000000 01000000 00000000").code());
    }

    @Test
    void shouldPassOnWhatASettingOfARegionComesTo() {
        assertEquals(
                ReturnCode.SUCCESS,
                ask(0x5602, "01000000 0000400000000000 01000000").code());
        assertEquals(List.of("configure 1 4194304 true"), fabric.calls);
        fabric.outcome = ReturnCode.UNSUPPORTED;
        assertEquals(
                ReturnCode.UNSUPPORTED,
                ask(0x5602, "00000000 0000000000000000 00000000").code());
        fabric.outcome = ReturnCode.SUCCESS;
        fabric.calls.clear();
        assertEquals(
                ReturnCode.UNSUPPORTED,
                ask(0x5602, "02000000 0000200000000000 00000000").code(),
                "no such region");
        assertEquals(List.of(), fabric.calls);
    }

    @Test
    void shouldPageTheExtentsOf5603h() {
        List<Extent> extents = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            extents.add(new Extent(TestDevice.BASE + i * TestDevice.BLOCK, TestDevice.BLOCK, TAG, i));
        }
        fabric.extents.put(2, new HostExtents(extents, 301, -2));
        ByteBuffer two = output(0x5603, "02000000 02000000 05000000");
        assertEquals(24 + 2 * 40, two.capacity());
        assertEquals(2, two.getShort(0));
        assertEquals(5, two.getInt(4));
        assertEquals(2, two.getInt(8));
        assertEquals(300, two.getInt(12));
        assertEquals(-2, two.getInt(16));
        assertEquals(TestDevice.BASE + 6 * TestDevice.BLOCK, two.getLong(24 + 40));
        assertEquals(TestDevice.BLOCK, two.getLong(24 + 48));
        assertArrayEquals(hex(TAG_DIGITS), bytesAt(two, 24 + 56, 16));
        assertEquals(6, two.getShort(24 + 72));
        // What does not fit is for the next call.
        int fitting = output(0x5603, "02000000 ffffffff 00000000").getInt(8);
        assertEquals((FmOwnedLd.MAX_PAYLOAD_BYTES - 24) / 40, fitting);
        assertEquals(0, output(0x5603, "02000000 ffffffff 2c010000").getInt(8));
        assertEquals(
                ReturnCode.INVALID_INPUT,
                ask(0x5603, "02000000 01000000 2d010000").code());
    }

    // ---- 5604h and 5605h

    private static byte[] order(int host, int policyOrFlags, int region, long length, String tag, int count, int real) {
        ByteBuffer order = ByteBuffer.allocate(32 + 40 * real).order(ByteOrder.LITTLE_ENDIAN);
        order.putShort((short) host)
                .put((byte) policyOrFlags)
                .put((byte) region)
                .putLong(length);
        order.put(hex(tag)).putInt(count);
        for (int i = 0; i < real; i++) {
            order.putLong(TestDevice.BASE + i * TestDevice.BLOCK).putLong(TestDevice.BLOCK);
            order.position(order.position() + 24);
        }
        return order.array();
    }

    @Test
    void shouldLetTheHeadOfTheHostDoWhatIsOrdered() {
        byte[] add = order(5, 2, 0, TestDevice.BLOCK, TAG_DIGITS, 1, 1);
        send(0x5604, add, CciDialect.STANDARD);
        assertEquals(List.of(), answers, "the head has not answered");
        Forwarded sent = fabric.forwarded.get(0);
        assertEquals(5, sent.head());
        assertEquals(CciKind.FM_OWNED_LD, sent.target());
        assertEquals(0x5604, sent.opcode());
        assertEquals(HexFormat.of().formatHex(add), sent.payload());
        sent.answer().accept(Response.of(ReturnCode.INVALID_EXTENT_LIST));
        sent.answer().accept(Response.of(ReturnCode.SUCCESS));
        assertEquals(1, answers.size(), "the first answer counts");
        assertEquals(ReturnCode.INVALID_EXTENT_LIST, answers.get(0).code());
    }

    @Test
    void shouldTakeNoCountThatThePayloadDoesNotHold() {
        for (int count : new int[] {2, 102, 0x7fffffff, 0x80000000, -1}) {
            for (int opcode : new int[] {0x5604, 0x5605}) {
                answers.clear();
                send(opcode, order(0, opcode == 0x5604 ? 2 : 1, 0, 0, NO_TAG_DIGITS, count, 1), CciDialect.STANDARD);
                assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, answers.get(0).code(), opcode + " count=" + count);
            }
        }
        assertEquals(List.of(), fabric.forwarded);
    }

    @ParameterizedTest
    @CsvSource({"5604,0", "5604,1", "5604,2", "5604,3", "5605,0", "5605,1", "5605,10", "5605,11"})
    void shouldHaveDoneWhatAsksForNothing(String opcode, String policy) {
        answers.clear();
        send(
                Integer.parseInt(opcode, 16),
                order(0, Integer.parseInt(policy, 16), 0, 0, NO_TAG_DIGITS, 0, 0),
                CciDialect.STANDARD);
        assertEquals(ReturnCode.SUCCESS, answers.get(0).code());
        assertEquals(List.of(), fabric.forwarded);
    }

    @ParameterizedTest
    @CsvSource({"5604,4,0", "5604,ff,0", "5605,2,0", "5605,1f,0", "5604,2,8", "5605,1,ffff"})
    void shouldRefusePoliciesAndHostsThatThereAreNot(String opcode, String policy, String host) {
        send(
                Integer.parseInt(opcode, 16),
                order(Integer.parseInt(host, 16), Integer.parseInt(policy, 16), 0, TestDevice.BLOCK, TAG_DIGITS, 1, 1),
                CciDialect.STANDARD);
        assertEquals(ReturnCode.INVALID_INPUT, answers.get(0).code());
        assertEquals(List.of(), fabric.forwarded);
    }

    // ---- tags

    @Test
    void shouldKeepAndLetGoOfTags() {
        assertEquals(ReturnCode.SUCCESS, ask(0x5606, TAG_DIGITS).code());
        assertEquals(ReturnCode.SUCCESS, ask(0x5607, TAG_DIGITS).code());
        assertEquals(List.of("add " + TAG, "remove " + TAG), fabric.calls);
        fabric.outcome = ReturnCode.BUSY;
        assertEquals(ReturnCode.BUSY, ask(0x5606, TAG_DIGITS).code());
        assertEquals(ReturnCode.SUCCESS, ask(0x5606, NO_TAG_DIGITS).code(), "nothing to keep");
        assertEquals(ReturnCode.SUCCESS, ask(0x5607, NO_TAG_DIGITS).code());
    }

    @Test
    void shouldListTagsInEntriesOf84Bytes() {
        fabric.tags.add(new TagInfo(new UUID(1, 2), 0b101, 0, false));
        fabric.tags.add(new TagInfo(TAG, 0x8000_0000_0000_0001L, 0b10, true));
        ByteBuffer list = output(0x5608, "01000000 ffffffff");
        assertEquals(16 + 84, list.capacity());
        assertEquals(7, list.getInt(0));
        assertEquals(2, list.getInt(4));
        assertEquals(1, list.getInt(8));
        assertEquals(0x03, list.get(12));
        assertArrayEquals(hex(TAG_DIGITS), bytesAt(list, 16, 16));
        assertEquals(1, list.getInt(32));
        assertEquals(0x8000_0000_0000_0001L, list.getLong(36));
        assertArrayEquals(new byte[24], bytesAt(list, 44, 24));
        assertEquals(0b10, list.getLong(68));
        assertEquals(16, output(0x5608, "02000000 01000000").capacity());
        assertEquals(ReturnCode.INVALID_INPUT, ask(0x5608, "03000000 01000000").code());
    }

    // ---- tunnel

    @Test
    void shouldTunnelToAnLdInBothDialects() {
        for (CciDialect dialect : CciDialect.values()) {
            boolean isTyped = dialect == CciDialect.JACK;
            String inner = (isTyped ? "08" : "") + "00 2a 00 00 48 020000 0000 0000 0100";
            answers.clear();
            fabric.forwarded.clear();
            send(0x5300, hex("03 00 " + (isTyped ? "0f00" : "0e00") + inner), dialect);
            Forwarded sent = fabric.forwarded.get(0);
            assertEquals(3, sent.head());
            assertEquals(CciKind.LD, sent.target());
            assertEquals(0x4800, sent.opcode());
            assertEquals("0100", sent.payload());
            sent.answer().accept(Response.of(hex("aabbcc")));
            String expected = isTyped
                    ? "1000 0000 08 10 2a 00 00 48 030000 0000 0000 aabbcc"
                    : "0f00 0000 01 2a 00 00 48 030000 0000 0000 aabbcc";
            assertEquals(
                    expected.replace(" ", ""),
                    HexFormat.of().formatHex(answers.get(0).payload()));
        }
    }

    @Test
    void shouldTellInsideTheTunnelThatTheInnerCommandFailed() {
        send(0x5300, hex("00 00 0c00 00 01 00 ff ff 000000 0000 cdab"), CciDialect.STANDARD);
        fabric.forwarded.get(0).answer().accept(Response.of(ReturnCode.UNSUPPORTED));
        assertEquals(ReturnCode.SUCCESS, answers.get(0).code());
        assertArrayEquals(
                hex("0c00 0000 01 01 00 ff ff 000000 0300 0000"), answers.get(0).payload());
    }

    @Test
    void shouldTellOutsideTheTunnelThatNobodyIsAtItsEnd() {
        send(0x5300, hex("00 00 0c00 00 01 00 00 40 000000 0000 0000"), CciDialect.STANDARD);
        fabric.forwarded.get(0).answer().accept(Response.undelivered(ReturnCode.BUSY));
        assertEquals(ReturnCode.BUSY, answers.get(0).code());
    }

    @Test
    void shouldReachALdByWayOfTheLdPoolAndGoNoDeeper() {
        String toLd = "00 00 0c00" + "00 01 00 00 40 000000 0000 0000";
        String byPool = "00 01 1c00" + "00 02 00 00 53 100000 0000 0000" + toLd;
        send(0x5300, hex(byPool), CciDialect.STANDARD);
        assertEquals(0x4000, fabric.forwarded.get(0).opcode());
        fabric.forwarded.get(0).answer().accept(Response.of(hex("11")));
        assertArrayEquals(
                hex("1d00 0000 01 02 00 00 53 110000 0000 0000 0d00 0000 01 01 00 00 40 010000 0000 0000 11"),
                answers.get(0).payload());
        answers.clear();
        send(0x5300, hex("00 01 2c00" + "00 03 00 00 53 200000 0000 0000" + byPool), CciDialect.STANDARD);
        assertEquals(1, fabric.forwarded.size());
        assertEquals(0x02, answers.get(0).payload()[4 + 8], "inner return code");
    }

    @ParameterizedTest
    @CsvSource({
        "INVALID_PAYLOAD_LENGTH,00 00",
        "INVALID_PAYLOAD_LENGTH,00 00 0000",
        "INVALID_PAYLOAD_LENGTH,00 00 0b00 0000000000000000000000",
        "INVALID_PAYLOAD_LENGTH,00 00 0d00 000000000000000000000000",
        "INVALID_PAYLOAD_LENGTH,00 00 0c00 0000000000010000000000 00",
        "INVALID_PAYLOAD_LENGTH,00 00 0c00 00000000000000ff00000000",
        "INVALID_INPUT,00 00 0c00 010000004000000000000000",
        "INVALID_INPUT,08 00 0c00 000000004000000000000000",
        "INVALID_INPUT,00 02 0c00 000000004000000000000000"
    })
    void shouldRefuseTunnelsThatLeadNowhere(ReturnCode code, String payload) {
        assertEquals(code, ask(0x5300, payload).code());
        assertEquals(List.of(), fabric.forwarded);
    }

    // ---- all of it

    @Test
    void shouldListItsCommandsInItsCommandEffectsLog() {
        ByteBuffer supported = output(0x0400, "");
        int size = supported.getInt(24);
        String id = HexFormat.of().formatHex(bytesAt(supported, 8, 16));
        byte[] log = ask(0x0401, id + "00000000" + String.format("%02x%02x0000", size & 0xFF, size >> 8))
                .payload();
        List<Integer> opcodes = new ArrayList<>();
        for (int i = 0; i < log.length; i += 4) {
            opcodes.add((log[i] & 0xFF) | (log[i + 1] & 0xFF) << 8);
        }
        assertTrue(opcodes.containsAll(List.of(0x5300, 0x5500, 0x5501, 0x5600, 0x5604, 0x5608)), opcodes.toString());
        assertTrue(opcodes.stream().noneMatch(opcode -> opcode >= 0x4000 && opcode < 0x5000), opcodes.toString());
        ByteBuffer effects = ByteBuffer.wrap(log).order(ByteOrder.LITTLE_ENDIAN);
        int effectsOfAdd = effects.getShort(4 * opcodes.indexOf(0x5604) + 2);
        assertEquals(0x0e07, effectsOfAdd);
    }

    @Test
    void shouldRefuseWhatOnlyAHeadHas() {
        assertEquals(ReturnCode.UNSUPPORTED, ask(0x4800, "0100").code());
        assertEquals(ReturnCode.UNSUPPORTED, ask(0x0100, "04").code());
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void shouldAnswerOnceWhateverComes(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        fabric.extents.put(0, new HostExtents(List.of(TestDevice.extent(0, 4)), 1, 1));
        fabric.tags.add(new TagInfo(TAG, 1, 2, true));
        for (int round = 0; round < 60_000; round++) {
            int opcode = random.nextInt(4) == 0
                    ? random.nextInt(1 << 16)
                    : 0x5300 + random.nextInt(4) * 0x100 + random.nextInt(10);
            byte[] payload = new byte[random.nextInt(8) == 0 ? random.nextInt(4200) : random.nextInt(90)];
            int bound = 1 << (1 + random.nextInt(8));
            for (int i = 0; i < payload.length; i++) {
                payload[i] = (byte) random.nextInt(bound);
            }
            if (payload.length >= 4 && random.nextBoolean()) {
                payload[2] = (byte) (payload.length - 4);
                payload[3] = (byte) ((payload.length - 4) >> 8);
            }
            answers.clear();
            fabric.forwarded.clear();
            CciDialect dialect = random.nextBoolean() ? CciDialect.STANDARD : CciDialect.JACK;
            send(opcode, payload, dialect);
            for (Forwarded sent : List.copyOf(fabric.forwarded)) {
                assertEquals(List.of(), answers);
                sent.answer().accept(Response.of(new byte[random.nextInt(2048)]));
            }
            String what = String.format(
                    "seed=%d round=%d opcode=%04x payload=%s", seed, round, opcode, Arrays.toString(payload));
            assertEquals(1, answers.size(), what);
            assertTrue(answers.get(0).payload().length <= FmOwnedLd.MAX_PAYLOAD_BYTES, what);
            assertEquals(List.of(), errors, what);
        }
    }
}
