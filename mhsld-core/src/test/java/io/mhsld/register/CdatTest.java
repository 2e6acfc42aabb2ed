package io.mhsld.register;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mhsld.type3.DcRegion;
import io.mhsld.type3.TestDevice;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CdatTest {
    /** The table as software reads it: header, then structures by their own lengths. */
    private static List<String> parse(Cdat cdat) {
        ByteBuffer table = ByteBuffer.wrap(cdat.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        byte sum = 0;
        for (byte value : table.array()) {
            sum += value;
        }
        assertEquals(0, sum, "checksum");
        assertEquals(table.capacity(), table.getInt(0));
        assertEquals(2, table.get(4));
        assertEquals(0, table.getInt(12));
        List<String> parsed = new ArrayList<>();
        for (int at = 16; at < table.capacity(); at += table.getShort(at + 2)) {
            assertEquals(24, table.getShort(at + 2));
            String handle = "handle " + table.get(at + 4) + " ";
            parsed.add(handle
                    + switch (table.get(at)) {
                        case 0 ->
                            String.format(
                                    "flags %02x base %x length %x",
                                    table.get(at + 5), table.getLong(at + 8), table.getLong(at + 16));
                        case 1 ->
                            String.format(
                                    "type %d: %d", table.get(at + 6), table.getLong(at + 8) * table.getShort(at + 16));
                        case 4 ->
                            String.format(
                                    "efi %d offset %x length %x",
                                    table.get(at + 5), table.getLong(at + 8), table.getLong(at + 16));
                        default -> "unknown";
                    });
        }
        return parsed;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8})
    void shouldDescribeEachRegion(int count) {
        List<String> expected = new ArrayList<>();
        for (DcRegion region : TestDevice.regions(count)) {
            String handle = "handle " + region.dsmadHandle() + " ";
            expected.add(handle + String.format("flags 20 base %x length 40000000", region.baseDpa()));
            expected.add(handle + "type 1: 150000");
            expected.add(handle + "type 2: 250000");
            expected.add(handle + "type 4: 16000");
            expected.add(handle + "type 5: 16000");
            expected.add(handle + "efi 1 offset 0 length 40000000");
        }
        assertEquals(expected, parse(new Cdat(TestDevice.regions(count))));
    }

    @Test
    void shouldSayWhatIsShareableAndHowMuchIsDecoded() {
        DcRegion shared = new DcRegion(5, 512L << 20, 512L << 20, 300L << 20, 2L << 20, true, false);
        List<String> parsed = parse(new Cdat(List.of(shared)));
        assertEquals("handle 5 flags 28 base 20000000 length 20000000", parsed.get(0));
    }
}
