package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class OpcodeTest {
    @Test
    void shouldListTheCommandsInAscendingOrder() {
        List<Integer> codes = OpcodeTable.ALL.stream().map(Opcode::code).toList();
        assertEquals(
                List.of(
                        0x0001, 0x0002, 0x0003, 0x0004, 0x0005, 0x0100, 0x0101, 0x0102, 0x0103, 0x0200, 0x0201, 0x0202,
                        0x0300, 0x0301, 0x0400, 0x0401, 0x0402, 0x0403, 0x0404, 0x0405, 0x0500, 0x0501, 0x0502, 0x4000,
                        0x4100, 0x4101, 0x4102, 0x4103, 0x4200, 0x4201, 0x4202, 0x4203, 0x4204, 0x4300, 0x4301, 0x4302,
                        0x4303, 0x4304, 0x4305, 0x4400, 0x4402, 0x4500, 0x4800, 0x4801, 0x4802, 0x4803, 0x5300, 0x5500,
                        0x5501, 0x5600, 0x5601, 0x5602, 0x5603, 0x5604, 0x5605, 0x5606, 0x5607, 0x5608),
                codes);
        assertEquals(codes.stream().sorted().distinct().toList(), codes);
    }

    @Test
    void shouldFindACommandByItsNumber() {
        assertEquals(
                "Release Dynamic Capacity", OpcodeTable.of(0x4803).orElseThrow().name());
        assertEquals(Optional.empty(), OpcodeTable.of(0x4804));
        assertEquals(
                "4803h Release Dynamic Capacity",
                OpcodeTable.of(0x4803).orElseThrow().toString());
    }

    @Test
    void shouldTakeAtLeastTheFixedPartOfTheRequest() {
        for (Opcode opcode : OpcodeTable.ALL) {
            assertEquals(opcode.request().lengthBytes(0), opcode.input().min(), opcode.toString());
            boolean isFabric = opcode.kinds().equals(Set.of(CciKind.FM_OWNED_LD));
            int limit = isFabric ? FmOwnedLd.MAX_PAYLOAD_BYTES : Mailbox.MAX_PAYLOAD_BYTES;
            assertTrue(opcode.input().max() <= limit, opcode.toString());
        }
    }
}
