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
                        0x0100, 0x0101, 0x0102, 0x0103, 0x0300, 0x0301, 0x0400, 0x0401, 0x4000, 0x4800, 0x4801, 0x4802,
                        0x4803, 0x5300, 0x5500, 0x5501, 0x5600, 0x5601, 0x5602, 0x5603, 0x5604, 0x5605, 0x5606, 0x5607,
                        0x5608),
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
