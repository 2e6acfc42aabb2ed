package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mhsld.type3.MediaEvents;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HealthCommandsTest {
    private final Host host = Host.singleHeaded();

    private String answer(int opcode) {
        return HexFormat.of().formatHex(host.outputBytes(opcode, ""));
    }

    @Test
    void shouldBeHealthyAtFirst() {
        assertEquals("00000000" + "1e00" + "00000000".repeat(3), answer(0x4200));
        assertEquals("07" + "0f" + "5f4b" + "5f00" + "f6ff" + "5000" + "0000" + "0000" + "0000", answer(0x4201));
    }

    @Test
    void shouldTellHowItIs() {
        host.device.health().setLifeUsed(96);
        host.device.health().setTemperature(-5);
        host.device.health().countCorrectedErrors(7);
        assertEquals("0400" + "06" + "60" + "fbff" + "00000000" + "07000000" + "00000000", answer(0x4200));
    }

    @Test
    void shouldTellThatMediaIsNotReadyWhileItIsSanitized() {
        assertEquals(ReturnCode.BACKGROUND_STARTED, host.code(0x4400, ""));
        assertEquals("0001", answer(0x4200).substring(0, 4));
        host.steps.all();
        assertEquals("0000", answer(0x4200).substring(0, 4));
    }

    /** What is named, what of that is switched on, and the thresholds: life, -, hot, cold, volatile, persistent. */
    @ParameterizedTest
    @CsvSource({
        "0000 00 00 0000 0000 0000 0000, SUCCESS",
        "00ff ff ff ffff ffff ffff ffff, SUCCESS",
        "0101 5e 00 0000 0000 0000 0000, SUCCESS",
        "0101 5f 00 0000 0000 0000 0000, INVALID_INPUT",
        "0202 00 00 5e00 0000 0000 0000, SUCCESS",
        "0202 00 00 5f00 0000 0000 0000, INVALID_INPUT",
        "0404 00 00 0000 f7ff 0000 0000, SUCCESS",
        "0404 00 00 0000 f6ff 0000 0000, INVALID_INPUT",
        "0808 00 00 0000 0000 ffff 0000, SUCCESS",
        "1010 00 00 0000 0000 0000 0100, INVALID_INPUT",
        "1000 00 00 0000 0000 0000 0000, INVALID_INPUT",
        "2000 00 00 0000 0000 0000 0000, INVALID_INPUT",
        "0100 ff 00 0000 0000 0000 0000, SUCCESS",
        "0f0f 50 00 4600 0a00 0500 0000, SUCCESS"
    })
    void shouldTakeOnlyThresholdsThatWarnInTime(String input, ReturnCode code) {
        String before = answer(0x4201);
        assertEquals(code, host.code(0x4202, input));
        if (code != ReturnCode.SUCCESS) {
            assertEquals(before, answer(0x4201));
        }
    }

    @Test
    void shouldKeepWhatWasSet() {
        assertEquals(ReturnCode.SUCCESS, host.code(0x4202, "0f09 50 00 4600 0a00 0500 0000"));
        assertEquals("09" + "0f" + "5f50" + "5f00" + "f6ff" + "5000" + "0000" + "0500" + "0000", answer(0x4201));
    }

    @Test
    void shouldRaiseAlertsWhenThresholdsAreCrossed() {
        List<String> alerts = new ArrayList<>();
        host.device.onMediaEvent(new MediaEvents() {
            @Override
            public void alert(Alert alert, boolean isCritical, boolean isOn) {
                alerts.add(alert + (isCritical ? " critical" : " warning") + (isOn ? " on" : " off"));
            }
        });
        host.device.health().setTemperature(79);
        assertEquals(List.of(), alerts);
        host.device.health().setTemperature(80);
        host.device.health().setTemperature(81);
        host.device.health().setTemperature(95);
        host.device.health().setTemperature(94);
        host.device.health().setTemperature(20);
        assertEquals(
                List.of(
                        "OVER_TEMPERATURE warning on",
                        "OVER_TEMPERATURE critical on",
                        "OVER_TEMPERATURE critical off",
                        "OVER_TEMPERATURE warning on",
                        "OVER_TEMPERATURE warning off"),
                alerts);
        alerts.clear();
        host.device.health().countCorrectedErrors(3);
        host.code(0x4202, "0808 00 00 0000 0000 0300 0000");
        assertEquals(List.of(), alerts);
        host.device.health().countCorrectedErrors(1);
        host.code(0x4202, "0800 00 00 0000 0000 0000 0000");
        assertEquals(List.of("CORRECTED_VOLATILE_ERRORS warning on", "CORRECTED_VOLATILE_ERRORS warning off"), alerts);
    }

    @Test
    void shouldCountDirtyShutdowns() {
        assertEquals("00", answer(0x4203));
        assertEquals(ReturnCode.SUCCESS, host.code(0x4204, "01"));
        assertEquals("01", answer(0x4203));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x4204, "02"));
        host.device.reset();
        assertEquals("00", answer(0x4203));
        host.device.reset();
        assertEquals("01000000", answer(0x4200).substring(12, 20));
        host.code(0x4204, "01");
        host.code(0x4204, "00");
        host.device.reset();
        assertEquals("01000000", answer(0x4200).substring(12, 20));
    }
}
