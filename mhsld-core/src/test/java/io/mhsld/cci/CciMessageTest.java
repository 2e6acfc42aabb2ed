package io.mhsld.cci;

import static io.mhsld.cci.Host.hex;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CciMessageTest {
    @Test
    void shouldReadARequestAndLeaveThePaddingOut() {
        byte[] bytes = hex("ff 00 2a 00 04 56 020000 0000 cdab 1122 0000");
        CciMessage message = CciMessage.read(bytes, 1, bytes.length);
        assertTrue(message.isRequest());
        assertTrue(message.isWhole());
        assertEquals(0x2a, message.tag());
        assertEquals(0x5604, message.opcode());
        assertEquals(0xabcd, message.vendorStatus());
        assertArrayEquals(hex("1122"), message.payload());
    }

    @Test
    void shouldSeeThatAMessageIsNotWholeOrNoRequest() {
        assertFalse(CciMessage.read(hex("00 00 00 00 56 030000 0000 0000 1122"), 0, 14)
                .isWhole());
        assertFalse(
                CciMessage.read(hex("00 00 00 00 56 0000ff 0000 0000"), 0, 12).isWhole());
        assertFalse(
                CciMessage.read(hex("01 00 00 00 56 000000 0000 0000"), 0, 12).isRequest());
        assertFalse(
                CciMessage.read(hex("10 00 00 00 56 000000 0000 0000"), 0, 12).isRequest());
        assertThrows(IllegalArgumentException.class, () -> CciMessage.read(new byte[12], 1, 12));
    }

    @Test
    void shouldAnswerInBothDialects() {
        CciMessage request = CciMessage.request(0x2a, 0x5604, new byte[0]);
        Response answer = Response.of(hex("99"));
        assertArrayEquals(hex("01 2a 00 04 56 010000 0000 0000 99"), request.answer(answer, CciDialect.STANDARD));
        assertArrayEquals(hex("10 2a 00 04 56 010000 0000 0000 99"), request.answer(answer, CciDialect.JACK));
        Response refused = Response.of(ReturnCode.RESOURCES_EXHAUSTED);
        assertArrayEquals(hex("01 2a 00 04 56 000000 1d00 0000"), request.answer(refused, CciDialect.STANDARD));
    }

    @Test
    void shouldSetTheBitOfABackgroundOperationWhereTheDialectHasIt() {
        CciMessage request = CciMessage.request(1, 0x4400, new byte[0]);
        Response begun = Response.of(ReturnCode.BACKGROUND_STARTED);
        assertArrayEquals(hex("01 01 00 00 44 000080 0100 0000"), request.answer(begun, CciDialect.STANDARD));
        assertArrayEquals(hex("10 01 00 00 44 000001 0100 0000"), request.answer(begun, CciDialect.JACK));
    }

    /** As libcxlmi sends it: its mark in the vendor's status. */
    private static CciMessage fromLibcxlmi(int opcode) {
        byte[] bytes = hex(String.format("00 01 00 %02x %02x 000000 0000 cdab", opcode & 0xFF, opcode >> 8));
        return CciMessage.read(bytes, 0, bytes.length);
    }

    @ParameterizedTest
    @CsvSource({"4300,4128", "4305,4128", "0405,148", "0400,5"})
    void shouldFillUpForLibcxlmiWhatItTakesOnlyAtItsOwnLength(String opcode, int length) {
        int code = Integer.parseInt(opcode, 16);
        Response response = Response.of(hex("0102030405"));
        for (CciDialect dialect : CciDialect.values()) {
            byte[] answer = fromLibcxlmi(code).answer(response, dialect);
            assertEquals(CciMessage.HEADER_BYTES + length, answer.length);
            assertEquals(length, (answer[5] & 0xFF) | (answer[6] & 0xFF) << 8);
            assertArrayEquals(hex("0102030405"), Arrays.copyOfRange(answer, 12, 17));
            assertTrue(IntStream.range(17, answer.length).allMatch(i -> answer[i] == 0));
            assertEquals(
                    CciMessage.HEADER_BYTES + 5,
                    CciMessage.request(1, code, new byte[0]).answer(response, dialect).length,
                    "nobody else");
        }
        assertEquals(
                CciMessage.HEADER_BYTES,
                fromLibcxlmi(code).answer(Response.of(ReturnCode.BUSY), CciDialect.STANDARD).length,
                "a refusal");
    }

    @Test
    void shouldPutLongLengthsWhereTheDialectHasThem() {
        CciMessage request = CciMessage.request(1, 0x0401, new byte[0]);
        Response answer = Response.of(new byte[0x1_0002]);
        assertEquals(0x01, request.answer(answer, CciDialect.STANDARD)[7]);
        assertEquals(0x08, request.answer(answer, CciDialect.JACK)[7]);
    }

    @Test
    void shouldWriteWhatItReads() {
        byte[] bytes = CciMessage.request(7, 0x5300, hex("010203")).toBytes();
        assertArrayEquals(hex("00 07 00 00 53 030000 0000 0000 010203"), bytes);
        assertArrayEquals(hex("010203"), CciMessage.read(bytes, 0, bytes.length).payload());
    }
}
