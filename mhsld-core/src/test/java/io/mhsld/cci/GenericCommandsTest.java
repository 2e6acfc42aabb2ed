package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mhsld.type3.TestDevice;
import java.util.HexFormat;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GenericCommandsTest {
    private static final String NOTHING_RAN = "0000000000000000";

    private final Host host = Host.singleHeaded();

    private String answer(int opcode, String input) {
        Response response = host.ldCci.execute(opcode, Host.hex(input));
        assertEquals(ReturnCode.SUCCESS, response.code());
        return HexFormat.of().formatHex(response.payload());
    }

    private ReturnCode scan() {
        return host.code(
                0x4304,
                Host.input(17).putLong(TestDevice.BASE).putLong((1L << 30) / 64).array());
    }

    @Test
    void shouldIdentifyItself() {
        assertEquals("4d484c444d484c44" + "6b04010000000000" + "0b" + "03", answer(0x0001, ""));
    }

    @Test
    void shouldTellOfWhatRunsInTheBackgroundUntilItIsDone() {
        assertEquals(NOTHING_RAN, answer(0x0002, ""));
        assertEquals(ReturnCode.BACKGROUND_STARTED, scan());
        assertEquals("0100044300000000", answer(0x0002, ""));
        host.steps.one();
        assertEquals(25 << 1 | 1, Integer.parseInt(answer(0x0002, "").substring(0, 2), 16));
        host.steps.all();
        assertEquals("c800044300000000", answer(0x0002, ""));
    }

    @ParameterizedTest
    @ValueSource(ints = {0x0201, 0x0202, 0x4304, 0x4400, 0x4402})
    void shouldBeTooBusyForASecondBackgroundCommand(int opcode) {
        assertEquals(ReturnCode.BACKGROUND_STARTED, scan());
        byte[] input = new byte[OpcodeTable.of(opcode).orElseThrow().input().min()];
        if (opcode == 0x4402) {
            input = Host.hex("01000000 01000000" + "00".repeat(16));
        }
        assertEquals(ReturnCode.BUSY, host.code(opcode, input));
        assertEquals(ReturnCode.BUSY, host.ldCci.execute(opcode, input).code());
        host.steps.all();
        assertEquals("c800044300000000", answer(0x0002, ""));
    }

    @Test
    void shouldAbortWhatCanBeAborted() {
        assertEquals(ReturnCode.SUCCESS, host.code(0x0005, ""), "nothing to abort");
        scan();
        host.steps.one();
        assertEquals(ReturnCode.SUCCESS, host.code(0x0005, ""));
        assertEquals("3200044312000000", answer(0x0002, ""));
        host.steps.all();
        assertEquals("3200044312000000", answer(0x0002, ""), "a step came after the abort");
        assertEquals(ReturnCode.BACKGROUND_STARTED, scan());
    }

    @Test
    void shouldNotAbortWhatCannotBeAborted() {
        host.owning(0, 1);
        assertEquals(
                ReturnCode.BACKGROUND_STARTED,
                host.code(
                        0x4402,
                        Host.input(24)
                                .putInt(1)
                                .putInt(1)
                                .putLong(TestDevice.BASE)
                                .putLong(TestDevice.BLOCK)
                                .array()));
        assertEquals(ReturnCode.REQUEST_ABORT_NOT_SUPPORTED, host.code(0x0005, ""));
        host.steps.all();
        assertEquals("c800024400000000", answer(0x0002, ""));
    }

    @Test
    void shouldForgetTheBackgroundWhenTheHostRestarts() {
        scan();
        host.device.reset();
        assertEquals(NOTHING_RAN, answer(0x0002, ""));
        assertEquals(ReturnCode.BACKGROUND_STARTED, scan());
    }

    @Test
    void shouldLimitTheAnswersOfItsInterfaceAlone() {
        assertEquals("0b", answer(0x0003, ""));
        assertEquals("08", answer(0x0004, "08"));
        assertEquals("08", answer(0x0003, ""));
        for (String wrong : new String[] {"00", "07", "0c", "ff"}) {
            assertEquals(
                    ReturnCode.INVALID_INPUT,
                    host.ldCci.execute(0x0004, Host.hex(wrong)).code());
        }
        byte[] wanted = Host.hex("00000000 00010000");
        byte[] tooMuch = Host.hex("00000000 01010000");
        assertEquals(256, host.ldCci.execute(0x4102, wanted).payload().length);
        assertEquals(
                ReturnCode.INVALID_INPUT, host.ldCci.execute(0x4102, tooMuch).code());
        assertEquals(257, host.output(0x4102, tooMuch).capacity());
        host.mailbox.reset();
        assertEquals("0b", answer(0x0003, ""));
    }

    @Test
    void shouldGiveLessWhereLessFitsAndSaySoWhereNothingCanBeLeftOut() {
        Host eight = new Host(8, Optional.of(new SomeHeads(64, 8)));
        assertEquals(
                8 + 8 * 40 + 16, eight.ldCci.execute(0x4800, new byte[] {8, 0}).payload().length);
        assertEquals(
                ReturnCode.SUCCESS, eight.ldCci.execute(0x0004, new byte[] {8}).code());
        byte[] regions = eight.ldCci.execute(0x4800, new byte[] {8, 0}).payload();
        assertArrayEquals(new byte[] {8, 5}, new byte[] {regions[0], regions[1]});
        assertEquals(8 + 5 * 40 + 16, regions.length);
        assertEquals(
                ReturnCode.RESOURCES_EXHAUSTED,
                eight.ldCci.execute(0x5501, new byte[] {0, 64}).code());
    }
}
