package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mhsld.type3.EventHeader;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.EventLog.Kind;
import io.mhsld.type3.Extent;
import io.mhsld.type3.GeneralMediaEvent;
import io.mhsld.type3.MediaError;
import io.mhsld.type3.TestDevice;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When a host is interrupted by its event logs. */
class EventInterruptTest {
    private final Host host = Host.singleHeaded();
    private final List<String> interrupts = new ArrayList<>();

    @BeforeEach
    void listen() {
        host.mailbox.onInterrupt(new InterruptListener() {
            @Override
            public void message(int number, EventLog.Kind log) {
                interrupts.add(log + " message " + number);
            }

            @Override
            public void firmware(int vector, EventLog.Kind log) {
                interrupts.add(log + " firmware " + vector);
            }
        });
    }

    private void policy(String settings) {
        assertEquals(ReturnCode.SUCCESS, host.code(0x0103, settings));
    }

    private void report(Kind log) {
        host.device.report(
                log, EventHeader.INFORMATIONAL, GeneralMediaEvent.of(new MediaError(TestDevice.BASE, 0, 0, 0)));
    }

    private void reportToAll() {
        for (Kind log : Kind.values()) {
            report(log);
        }
    }

    private List<String> taken() {
        List<String> taken = List.copyOf(interrupts);
        interrupts.clear();
        return taken;
    }

    @Test
    void shouldNotInterruptAHostThatHasNotAskedForIt() {
        reportToAll();
        assertEquals(List.of(), taken());
    }

    @Test
    void shouldInterruptWithTheMessageOfTheLogThatItShowed() {
        policy("01 01 01 01 01");
        reportToAll();
        assertEquals(
                List.of(
                        "informational message 2",
                        "warning message 3",
                        "failure message 4",
                        "fatal message 5",
                        "dynamic-capacity message 2"),
                taken());
        assertArrayEquals(Host.hex("21 31 41 51 21"), host.outputBytes(0x0102, ""));
    }

    @Test
    void shouldInterruptForEachLogByItself() {
        policy("00 01 00 00 01");
        reportToAll();
        assertEquals(List.of("warning message 3", "dynamic-capacity message 2"), taken());
    }

    @Test
    void shouldInterruptOnlyWhenAnEmptyLogGetsARecord() {
        policy("01 01 01 01 01");
        report(Kind.WARNING);
        report(Kind.WARNING);
        assertEquals(List.of("warning message 3"), taken());
        assertEquals(ReturnCode.SUCCESS, host.code(0x0101, "01 00 01 000000 0100"));
        report(Kind.WARNING);
        assertEquals(List.of(), taken(), "a record was left");
        assertEquals(ReturnCode.SUCCESS, host.code(0x0101, "01 00 02 000000 0200 0300"));
        report(Kind.WARNING);
        assertEquals(List.of("warning message 3"), taken());
        assertEquals(ReturnCode.SUCCESS, host.code(0x0101, "01 01 00 000000"));
        report(Kind.WARNING);
        assertEquals(List.of("warning message 3"), taken());
    }

    @Test
    void shouldNotInterruptForRecordsThatAreThereWhenInterruptsAreEnabled() {
        report(Kind.FATAL);
        policy("01 01 01 01 01");
        report(Kind.FATAL);
        assertEquals(List.of(), taken());
    }

    @Test
    void shouldNotInterruptForRecordsThatAFullLogLoses() {
        policy("01 01 01 01 01");
        int depth = host.device.log(Kind.FAILURE).depth();
        for (int i = 0; i < depth + 3; i++) {
            report(Kind.FAILURE);
        }
        assertEquals(List.of("failure message 4"), taken());
        assertEquals(3, host.output(0x0100, "02").getShort(2));
    }

    @Test
    void shouldInterruptOnceForAllRecordsOfARequest() {
        policy("00 00 00 00 01");
        host.device.capacity().add(0, TestDevice.singles(0, 5), Extent.NO_TAG);
        assertEquals(List.of("dynamic-capacity message 2"), taken());
    }

    @Test
    void shouldNotifyFirmwareOnTheVectorThatTheHostChooses() {
        policy("72 f2 01 00 00");
        assertArrayEquals(Host.hex("72 f2 41 00 00"), host.outputBytes(0x0102, ""));
        reportToAll();
        assertEquals(List.of("informational firmware 7", "warning firmware 15", "failure message 4"), taken());
    }

    @Test
    void shouldNotHandDynamicCapacityToFirmware() {
        policy("01 01 01 01 01");
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0103, "02 02 02 02 02"));
        assertArrayEquals(Host.hex("21 31 41 51 21"), host.outputBytes(0x0102, ""), "nothing was changed");
    }

    @Test
    void shouldStopInterruptingAfterReset() {
        policy("01 01 01 01 01");
        host.device.reset();
        host.mailbox.reset();
        reportToAll();
        assertEquals(List.of(), taken());
    }

    @Test
    void shouldSayWhichLogsHaveRecords() {
        assertEquals(0, host.device.eventStatus());
        int expected = 0;
        for (Kind log : Kind.values()) {
            report(log);
            expected |= 1 << log.number();
            assertEquals(expected, host.device.eventStatus());
        }
        assertEquals(ReturnCode.SUCCESS, host.code(0x0101, "02 01 00 000000"));
        assertEquals(0x1B, host.device.eventStatus());
        host.device.reset();
        assertEquals(0, host.device.eventStatus());
    }
}
