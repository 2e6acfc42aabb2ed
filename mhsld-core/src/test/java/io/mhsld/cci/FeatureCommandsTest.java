package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FeatureCommandsTest {
    private static final String SCRUB = "96dad7d6fde8482ba73375774e06db8a";
    private static final String ECS = "e5b13f2223284a14b8bab9691e893386";
    private static final int FULL = 0;
    private static final int INITIATE = 1;
    private static final int CONTINUE = 2;
    private static final int FINISH = 3;
    private static final int ABORT = 4;
    private static final int SAVED = 8;

    private final Host host = Host.singleHeaded();

    private ReturnCode set(String id, int flags, int offset, String data) {
        byte[] bytes = Host.hex(data);
        return host.code(
                0x0502,
                Host.input(32 + bytes.length)
                        .put(Host.hex(id))
                        .putInt(flags)
                        .putShort((short) offset)
                        .put((byte) 1)
                        .put(32, bytes)
                        .array());
    }

    private static byte[] getting(String id, int offset, int count, int selection) {
        return Host.input(21)
                .put(Host.hex(id))
                .putShort((short) offset)
                .putShort((short) count)
                .put((byte) selection)
                .array();
    }

    private String get(String id, int selection) {
        return HexFormat.of()
                .formatHex(host.output(0x0501, getting(id, 0, 100, selection)).array());
    }

    private ByteBuffer supported(int count, int start) {
        return host.output(
                0x0500, Host.input(8).putInt(count).putShort((short) start).array());
    }

    @Test
    void shouldListItsFeatures() {
        String attributes = "71000000";
        String effects = "0802";
        assertEquals(
                "0200 0200 00000000".replace(" ", "")
                        + SCRUB + "000004000200" + attributes + "0101" + effects + "00".repeat(18)
                        + ECS + "010005000300" + attributes + "0101" + effects + "00".repeat(18),
                HexFormat.of().formatHex(supported(2048, 0).array()));
    }

    @Test
    void shouldListAsManyFeaturesAsTheWantedBytesHold() {
        assertEquals(
                "0000020000000000", HexFormat.of().formatHex(supported(8, 0).array()));
        assertEquals(8, supported(16, 0).capacity());
        assertEquals(8, supported(55, 0).capacity());
        assertEquals(56, supported(56, 0).capacity());
        assertEquals(1, supported(2048, 1).getShort(0));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0500, "07000000 0000 0000"));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0500, "00080000 0200 0000"));
    }

    @Test
    void shouldGetCurrentDefaultAndSavedValues() {
        assertEquals("010c0101", get(SCRUB, 0));
        assertEquals(ReturnCode.SUCCESS, set(SCRUB, FULL, 0, "1800"));
        assertEquals("01180100", get(SCRUB, 0));
        assertEquals("010c0101", get(SCRUB, 1));
        assertEquals("010c0101", get(SCRUB, 2));
        assertEquals(ReturnCode.SUCCESS, set(SCRUB, FULL | SAVED, 0, "2001"));
        assertEquals("01200101", get(SCRUB, 2));
        assertEquals(ReturnCode.SUCCESS, set(SCRUB, FULL, 0, "3001"));
        host.device.reset();
        assertEquals("01200101", get(SCRUB, 0));
    }

    @Test
    void shouldGetPartsOfAValue() {
        assertEquals(
                "0c01",
                HexFormat.of()
                        .formatHex(host.output(0x0501, getting(SCRUB, 1, 2, 0)).array()));
        assertEquals(0, host.output(0x0501, getting(SCRUB, 1, 0, 0)).capacity());
        assertEquals(1, host.output(0x0501, getting(SCRUB, 3, 0xFFFF, 0)).capacity());
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0501, getting(SCRUB, 4, 1, 0)));
        assertEquals(ReturnCode.UNSUPPORTED, host.code(0x0501, getting("00".repeat(16), 0, 1, 0)));
        assertEquals(ReturnCode.UNSUPPORTED_FEATURE_SELECTION, host.code(0x0501, getting(SCRUB, 0, 1, 3)));
    }

    @ParameterizedTest
    @CsvSource({
        SCRUB + ", 0001, INVALID_INPUT",
        SCRUB + ", 0c02, INVALID_INPUT",
        SCRUB + ", 0c, INVALID_PAYLOAD_LENGTH",
        SCRUB + ", 0c0100, INVALID_PAYLOAD_LENGTH",
        SCRUB + ", '', INVALID_PAYLOAD_LENGTH",
        ECS + ", 020300, INVALID_INPUT",
        ECS + ", 000200, INVALID_INPUT",
        ECS + ", 000600, INVALID_INPUT",
        ECS + ", 002300, INVALID_INPUT",
        ECS + ", 000301, INVALID_INPUT",
        ECS + ", 010500, SUCCESS"
    })
    void shouldTakeOnlyValuesThatThereAre(String id, String value, ReturnCode code) {
        assertEquals(code, set(id, FULL, 0, value));
    }

    @Test
    void shouldResetTheCounterAndNotKeepThat() {
        assertEquals("0001030000", get(ECS, 0));
        assertEquals(ReturnCode.SUCCESS, set(ECS, FULL, 0, "011c00"));
        assertEquals("01010c0000", get(ECS, 0));
    }

    @Test
    void shouldTakeAValueInParts() {
        assertEquals(ReturnCode.SUCCESS, set(ECS, INITIATE, 0, "01"));
        assertEquals(ReturnCode.SUCCESS, set(ECS, INITIATE, 0, "01"), "sent again");
        assertEquals(ReturnCode.SUCCESS, set(ECS, CONTINUE, 1, "04"));
        assertEquals(ReturnCode.SUCCESS, set(ECS, CONTINUE, 1, "05"), "sent again");
        assertEquals("0001030000", get(ECS, 0));
        assertEquals(ReturnCode.SUCCESS, set(ECS, FINISH | SAVED, 2, "00"));
        assertEquals("0101050000", get(ECS, 0));
        assertEquals("0101050000", get(ECS, 2));
    }

    @Test
    void shouldRefusePartsThatAreNotTheNext() {
        assertEquals(ReturnCode.FEATURE_TRANSFER_OUT_OF_ORDER, set(ECS, CONTINUE, 0, "01"));
        assertEquals(ReturnCode.FEATURE_TRANSFER_OUT_OF_ORDER, set(ECS, FINISH, 0, "010300"));
        assertEquals(ReturnCode.FEATURE_TRANSFER_OUT_OF_ORDER, set(ECS, INITIATE, 1, "03"));
        assertEquals(ReturnCode.SUCCESS, set(ECS, INITIATE, 0, "01"));
        assertEquals(ReturnCode.FEATURE_TRANSFER_OUT_OF_ORDER, set(ECS, CONTINUE, 2, "00"));
        assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, set(ECS, CONTINUE, 1, "030000"));
        assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, set(ECS, FINISH, 1, "03"), "too short at its end");
        assertEquals(ReturnCode.FEATURE_TRANSFER_OUT_OF_ORDER, set(ECS, CONTINUE, 2, "00"), "it has ended");
    }

    @Test
    void shouldRefuseAnotherTransferUntilTheFirstHasEnded() {
        assertEquals(ReturnCode.SUCCESS, set(ECS, INITIATE, 0, "01"));
        assertEquals(ReturnCode.FEATURE_TRANSFER_IN_PROGRESS, set(SCRUB, FULL, 0, "0c01"));
        assertEquals(ReturnCode.FEATURE_TRANSFER_IN_PROGRESS, set(SCRUB, INITIATE, 0, "0c"));
        assertEquals(ReturnCode.FEATURE_TRANSFER_IN_PROGRESS, set(SCRUB, CONTINUE, 1, "01"));
        assertEquals(ReturnCode.FEATURE_TRANSFER_IN_PROGRESS, set(ECS, INITIATE, 0, "0103"));
        assertEquals(ReturnCode.SUCCESS, set(ECS, ABORT, 0, ""));
        assertEquals(ReturnCode.SUCCESS, set(SCRUB, FULL, 0, "0c01"));
    }

    @Test
    void shouldForgetATransferThatWaitsTooLong() {
        set(ECS, INITIATE, 0, "01");
        host.clock.advanceNs(30_001_000_000L);
        assertEquals(ReturnCode.FEATURE_TRANSFER_OUT_OF_ORDER, set(ECS, CONTINUE, 1, "03"));
        assertEquals(ReturnCode.SUCCESS, set(SCRUB, FULL, 0, "0c01"));
    }

    @Test
    void shouldRefuseUnknownFeaturesVersionsAndActions() {
        assertEquals(ReturnCode.UNSUPPORTED, set("00".repeat(16), FULL, 0, "0c01"));
        assertEquals(ReturnCode.INVALID_INPUT, set(SCRUB, 5, 0, "0c01"));
        byte[] otherVersion =
                Host.input(34).put(Host.hex(SCRUB)).put(22, (byte) 2).array();
        assertEquals(ReturnCode.UNSUPPORTED_FEATURE_VERSION, host.code(0x0502, otherVersion));
    }
}
