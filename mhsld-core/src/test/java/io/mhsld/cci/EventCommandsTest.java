package io.mhsld.cci;

import static io.mhsld.type3.TestDevice.BASE;
import static io.mhsld.type3.TestDevice.BLOCK;
import static io.mhsld.type3.TestDevice.MIB;
import static io.mhsld.type3.TestDevice.TAG;
import static io.mhsld.type3.TestDevice.blocks;
import static io.mhsld.type3.TestDevice.singles;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.mhsld.type3.EventHeader;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.EventRecord;
import io.mhsld.type3.Extent;
import io.mhsld.type3.GeneralMediaEvent;
import io.mhsld.type3.MediaError;
import io.mhsld.type3.ReleaseRequest;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EventCommandsTest {
    private final Host host = Host.singleHeaded();

    private void add(int first, int count) {
        host.device.capacity().add(0, singles(first, count), Extent.NO_TAG);
    }

    @Test
    void shouldWriteADynamicCapacityRecordByteByByte() {
        host.code(0x0301, "0100000000000000");
        host.clock.advanceNs(0x1233);
        host.device.capacity().add(0, List.of(blocks(0, 64), blocks(64, 64)), TAG);
        ByteBuffer events = host.events();
        byte[] expected = Host.hex(
                // header
                "ca95afa7f18340188c2f95268e101a2a 80 000000 0100 0000 3412000000000000 00 00 0000 00"
                        + "0000000000000000000000"
                        // add, extents valid, host 3, no region, More
                        + "00 01 0300 00 01 0000"
                        // extent
                        + "0000001000000000 0000000800000000 00112233445566778899aabbccddeeff 0000 000000000000"
                        + "000000000000000000000000000000000000000000000000 fe010000 00000000");
        assertEquals(32 + 2 * 128, events.capacity());
        assertArrayEquals(expected, Arrays.copyOfRange(host.outputBytes(0x0100, "04"), 32, 160));
        assertEquals(BASE, 256 * MIB);
        assertEquals(2, events.getShort(160 + 20), "handle of the second record");
        assertEquals(0, events.get(160 + 53), "More of the second record");
    }

    @Test
    void shouldAnswerForEveryLogAndNoOther() {
        add(0, 1);
        for (String log : List.of("00", "01", "02", "03")) {
            assertArrayEquals(new byte[32], host.outputBytes(0x0100, log));
        }
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0100, "05"));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0100, "ff"));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0101, "05 01 00 000000"));
    }

    @Test
    void shouldReturnAsManyRecordsAsFitAndSayWhetherMoreRemain() {
        add(0, 17);
        ByteBuffer first = host.events();
        assertEquals(0x02, first.get(0));
        assertEquals(15, first.getShort(20));
        assertEquals(32 + 15 * 128, first.capacity());
        assertEquals(ReturnCode.SUCCESS, host.clear(1, 2));
        ByteBuffer second = host.events();
        assertEquals(0x00, second.get(0));
        assertEquals(15, second.getShort(20));
        assertEquals(3, second.getShort(32 + 20));
    }

    @Test
    void shouldTellAnOverflowUntilThereIsRoom() {
        host.code(0x0301, "0000000000000000");
        host.device.capacity().add(0, List.of(blocks(0, 8)), Extent.NO_TAG);
        assertEquals(ReturnCode.SUCCESS, host.respond(Host.blocks(0, 8)));
        int depth = host.output(0x4000, "").getShort(67);
        for (int i = 1; i < depth; i++) {
            host.device.capacity().release(ReleaseRequest.prescriptive(0, List.of(blocks(0, 1))));
        }
        assertEquals(0x02, host.events().get(0));
        for (int i = 0; i < 3; i++) {
            host.clock.advanceNs(50);
            host.device
                    .capacity()
                    .release(ReleaseRequest.prescriptive(0, List.of(blocks(i, 1)))
                            .byForce(true));
        }
        ByteBuffer events = host.events();
        assertEquals(0x03, events.get(0));
        assertEquals(3, events.getShort(2));
        assertEquals(50, events.getLong(4));
        assertEquals(150, events.getLong(12));
        host.clear(1);
        assertEquals(0x02, host.events().get(0));
        assertEquals(0, host.events().getShort(2));
    }

    @ParameterizedTest
    @EnumSource(EventLog.Kind.class)
    void shouldTellTheOverflowOfEachLogUntilAllIsCleared(EventLog.Kind kind) {
        String log = String.format("%02x", kind.number());
        int depth =
                host.output(0x4000, "").getShort(kind == EventLog.Kind.DYNAMIC_CAPACITY ? 67 : 48 + 2 * kind.number());
        assertEquals(host.device.log(kind).depth(), depth);
        host.code(0x0301, "0000000000000000");
        for (int i = 0; i < depth + 5; i++) {
            host.clock.advanceNs(1);
            host.device.report(kind, EventHeader.ofFlags(1), GeneralMediaEvent.of(new MediaError(i, 0, 0, 0)));
        }
        ByteBuffer events = host.output(0x0100, log);
        assertEquals(0x03, events.get(0), "overflow and more");
        assertEquals(5, events.getShort(2));
        assertEquals(depth + 1, events.getLong(4));
        assertEquals(depth + 5, events.getLong(12));
        assertEquals(15, events.getShort(20));
        assertEquals(ReturnCode.SUCCESS, host.code(0x0101, log + "01 00 000000"));
        assertArrayEquals(new byte[32], host.outputBytes(0x0100, log));
    }

    @Test
    void shouldSayThereIsNoMoreWhenTheLastRecordsAreReturned() {
        for (int count = 1; count <= 31; count++) {
            host.device.report(
                    EventLog.Kind.WARNING, EventHeader.ofFlags(1), GeneralMediaEvent.of(new MediaError(0, 0, 0, 0)));
            assertEquals(count > 15 ? 0x02 : 0, host.output(0x0100, "01").get(0), "records=" + count);
        }
    }

    @Test
    void shouldNotUseAHandleTwiceWhileItsRecordIsInTheLog() {
        EventLog log = host.device.log(EventLog.Kind.FATAL);
        for (int i = 0; i < 3 * 0x10000; i++) {
            host.device.report(
                    EventLog.Kind.FATAL, EventHeader.ofFlags(3), GeneralMediaEvent.of(new MediaError(i, 0, 0, 0)));
            if (log.size() == 200) {
                Set<Integer> handles =
                        log.oldest(200).stream().map(EventRecord::handle).collect(Collectors.toSet());
                assertEquals(200, handles.size());
                assertFalse(handles.contains(0));
                for (int clear = 0; clear < 199; clear++) {
                    log.clear(new int[] {log.oldest(1).get(0).handle()});
                }
            }
        }
    }

    @Test
    void shouldClearAllOfALogThatHasNotOverflowed() {
        // The specification would have it refused; libcxlmi's tests count on it.
        assertEquals(ReturnCode.SUCCESS, host.code(0x0101, "00 01 00 000000"));
    }

    @Test
    void shouldClearHandlesOnlyFromTheFrontInOrder() {
        add(0, 3);
        assertEquals(ReturnCode.INVALID_HANDLE, host.clear(2));
        assertEquals(ReturnCode.INVALID_HANDLE, host.clear(1, 3));
        assertEquals(ReturnCode.INVALID_HANDLE, host.clear(0));
        assertEquals(ReturnCode.INVALID_HANDLE, host.clear(1, 2, 3, 4));
        assertEquals(3, host.events().getShort(20));
        assertEquals(ReturnCode.SUCCESS, host.clear());
        assertEquals(3, host.events().getShort(20));
        assertEquals(ReturnCode.SUCCESS, host.clear(1, 2, 3));
        assertEquals(0, host.events().getShort(20));
    }

    @Test
    void shouldCheckTheLengthOfTheHandleListBeforeUse() {
        add(0, 3);
        assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, host.code(0x0101, "04 00 02 000000 0100"));
        assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, host.code(0x0101, "04 00 ff 000000"));
        assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, host.code(0x0101, "04 00 01 0000"));
        assertEquals(ReturnCode.SUCCESS, host.code(0x0101, "04 00 01 000000 0100"));
    }

    @Test
    void shouldEmptyTheLogOnClearAll() {
        add(0, 3);
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0101, "04 01 01 000000 0100"));
        assertEquals(3, host.events().getShort(20));
        assertEquals(ReturnCode.SUCCESS, host.code(0x0101, "04 01 00 000000"));
        assertEquals(0, host.events().getShort(20));
        assertEquals(0, host.events().get(0));
    }

    @Test
    void shouldStoreTheInterruptPolicyAndChooseTheMessageNumbers() {
        assertArrayEquals(new byte[5], host.outputBytes(0x0102, ""));
        assertEquals(ReturnCode.SUCCESS, host.code(0x0103, "01 01 01 01 01"));
        assertArrayEquals(Host.hex("21 31 41 51 21"), host.outputBytes(0x0102, ""));
        assertEquals(ReturnCode.SUCCESS, host.code(0x0103, "00 f1 00 f0 f0"));
        assertArrayEquals(Host.hex("00 31 00 00 00"), host.outputBytes(0x0102, ""));
    }

    @Test
    void shouldLeaveTheDynamicCapacityInterruptAloneWhenFourBytesAreGiven() {
        host.code(0x0103, "00 00 00 00 01");
        assertEquals(ReturnCode.SUCCESS, host.code(0x0103, "01 00 00 00"));
        assertArrayEquals(Host.hex("21 00 00 00 21"), host.outputBytes(0x0102, ""));
        assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, host.code(0x0103, "01 01 01"));
        assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, host.code(0x0103, "01 01 01 01 01 01"));
    }

    @Test
    void shouldRefuseReservedInterruptModesWhole() {
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0103, "01 01 01 01 03"));
        assertEquals(ReturnCode.INVALID_INPUT, host.code(0x0103, "01 13 01 01"));
        assertArrayEquals(new byte[5], host.outputBytes(0x0102, ""));
    }

    @Test
    void shouldForgetTheInterruptPolicyOnReset() {
        host.code(0x0103, "01 01 01 01 01");
        host.mailbox.reset();
        assertArrayEquals(new byte[5], host.outputBytes(0x0102, ""));
    }

    @Test
    void shouldDecodeRecordsForPeople() {
        host.device.capacity().add(0, List.of(blocks(1, 1)), TAG);
        Map<String, Object> values = EventLayouts.EVENT_RECORDS.decode(host.outputBytes(0x0100, "04"));
        Map<?, ?> record = (Map<?, ?>) ((List<?>) values.get("records")).get(0);
        assertEquals("add capacity", record.get("type"));
        assertEquals(BASE + BLOCK, record.get("startDpa"));
        assertEquals(TAG.toString(), record.get("tag"));
    }
}
