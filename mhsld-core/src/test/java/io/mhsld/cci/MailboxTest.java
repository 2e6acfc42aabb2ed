package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.DcRegion;
import io.mhsld.type3.TestDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MailboxTest {
    private final Host host = Host.singleHeaded();

    @Test
    void shouldHaveTheGenericSetOnItsMessageInterfaceBesides() {
        List<Integer> ofMailbox =
                host.mailbox.commands().stream().map(Opcode::code).toList();
        List<Integer> more = host.ldCci.commands().stream()
                .map(Opcode::code)
                .filter(code -> !ofMailbox.contains(code))
                .toList();
        assertEquals(List.of(1, 2, 3, 4), more);
        assertEquals(ofMailbox.size() + 4, host.ldCci.commands().size());
    }

    @Test
    void shouldNotSupportWhatIsNotInTheTable() {
        for (int opcode :
                new int[] {0, 1, 2, 3, 4, 0x0104, 0x4401, 0x4501, 0x4804, 0x5500, 0x5501, 0x5600, 0xFFFF, -1, 0x10100
                }) {
            assertEquals(ReturnCode.UNSUPPORTED, host.code(opcode, ""), Integer.toHexString(opcode));
            assertEquals(ReturnCode.UNSUPPORTED, host.code(opcode, new byte[5000]));
        }
    }

    @Test
    void shouldRefuseWrongLengthsOfFixedInputs() {
        for (Opcode opcode : host.mailbox.commands()) {
            int min = opcode.input().min();
            if (min > 0) {
                assertEquals(
                        ReturnCode.INVALID_PAYLOAD_LENGTH, host.code(opcode.code(), new byte[min - 1]), opcode.name());
            }
            assertEquals(
                    ReturnCode.INVALID_PAYLOAD_LENGTH,
                    host.code(opcode.code(), new byte[opcode.input().max() + 1]),
                    opcode.name());
        }
    }

    @Test
    void shouldRefuseInputsLongerThanThePayloadArea() {
        assertEquals(2048, Mailbox.MAX_PAYLOAD_BYTES);
        assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, host.code(0x4802, new byte[2049]));
        assertEquals(ReturnCode.INVALID_PAYLOAD_LENGTH, host.code(0x4802, new byte[1 << 20]));
    }

    @Test
    void shouldTellFaultsOfOursToTheSinkAndTheHostNoMoreThanItNeedsToKnow() {
        List<RuntimeException> faults = new ArrayList<>();
        DcRegion crooked = new DcRegion(0, 0, 1, TestDevice.BLOCK, TestDevice.BLOCK);
        Mailbox mailbox = new Mailbox(
                TestDevice.with(List.of(crooked), new TestDevice.HandClock()), Optional.empty(), faults::add);
        Response response = mailbox.execute(0x4800, new byte[] {1, 0});
        assertEquals(ReturnCode.INTERNAL_ERROR, response.code());
        assertEquals(0, response.payload().length);
        assertEquals(1, faults.size());
        assertTrue(faults.get(0).getMessage().contains("opcode=4800h"));
        assertTrue(faults.get(0).getCause().getMessage().contains("decodeLengthBytes"));
    }

    @Test
    void shouldKeepItsAnswersFromLaterChanges() {
        Response response = host.mailbox.execute(0x4000, new byte[0]);
        response.payload()[0] = 'X';
        assertEquals('m', response.payload()[0]);
        assertEquals("code=0x0000 (success) length=69", response.toString());
    }
}
