package io.mhsld.register;

import static io.mhsld.register.Access.u32;
import static io.mhsld.register.Access.u64;
import static io.mhsld.register.Access.write32;
import static io.mhsld.register.Access.write8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mhsld.type3.RasCapability;
import io.mhsld.type3.RasCapability.Correctable;
import io.mhsld.type3.RasCapability.Uncorrectable;
import io.mhsld.type3.RasCapability.UncorrectableError;
import io.mhsld.type3.Seeds;
import io.mhsld.type3.TestDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ComponentRegistersTest {
    private static final int RAS = 0x1080;
    private static final int LINK = 0x10D8;

    private final RasCapability ras = TestDevice.withRegions(1).ras();
    private final ComponentRegisters registers = new ComponentRegisters(ras, TestDevice.regions(1));

    @TestFactory
    Stream<DynamicTest> shouldDoWhatItsRowsSay() {
        return ComponentRegisters.layouts().values().stream().flatMap(AttributeTests::of);
    }

    /** As Linux looks for them: an array of pointers behind a header at 1000h. */
    @Test
    void shouldPointToItsCapabilities() {
        long header = u32(registers, 0x1000);
        assertEquals(0x0311_0001L, header);
        List<String> found = new ArrayList<>();
        for (int i = 1; i <= header >> 24; i++) {
            long pointer = u32(registers, 0x1000 + 4 * i);
            found.add(
                    String.format("id %d v%d at %x", pointer & 0xFFFF, pointer >> 16 & 0xF, 0x1000 + (pointer >> 20)));
        }
        assertEquals(List.of("id 2 v3 at 1080", "id 4 v2 at 10d8", "id 5 v3 at 1128"), found);
        assertEquals(0x1B12, u32(registers, 0x1128));
        assertEquals(64 << 10, registers.lengthBytes());
    }

    @Test
    void shouldComeUpWithAllErrorsMasked() {
        assertEquals(0, u32(registers, RAS));
        assertEquals(0x1CFFF, u32(registers, RAS + 0x04));
        assertEquals(0x1CFFF, u32(registers, RAS + 0x08));
        assertEquals(0, u32(registers, RAS + 0x0C));
        assertEquals(0x7F, u32(registers, RAS + 0x10));
        assertEquals(0x200, u32(registers, RAS + 0x14));
        assertEquals(0x18, u64(registers, LINK + 0x08));
    }

    @Test
    void shouldTellOfErrors() {
        write32(registers, RAS + 0x04, 0);
        write8(registers, RAS + 0x10, 0x7D);
        assertEquals(0, ras.uncorrectableMask());
        assertEquals(0x7D, ras.correctableMask());
        ras.report(List.of(
                new UncorrectableError(Uncorrectable.MEM_DATA_ECC, List.of(0xDEAD_BEEF, 2)),
                new UncorrectableError(Uncorrectable.INTERNAL, List.of(3))));
        ras.report(Correctable.MEM_DATA_ECC);
        ras.report(Correctable.PHYSICAL);
        assertEquals(0x4080, u32(registers, RAS));
        assertEquals(2, u32(registers, RAS + 0x0C));
        assertEquals(0x207, u32(registers, RAS + 0x14));
        assertEquals(0x0000_0002_DEAD_BEEFL, u64(registers, RAS + 0x18));
        write32(registers, RAS, 0x80);
        assertEquals(0x4000, u32(registers, RAS));
        assertEquals(0x20E, u32(registers, RAS + 0x14));
        assertEquals(3, u32(registers, RAS + 0x18));
        write32(registers, RAS + 0x0C, 0xFFFF_FFFFL);
        assertEquals(0, u32(registers, RAS + 0x0C));
    }

    @Test
    void shouldClearWhatOneWriteNamesTogether() {
        write32(registers, RAS + 0x04, 0);
        UncorrectableError first = new UncorrectableError(Uncorrectable.CACHE_DATA_PARITY, List.of());
        ras.report(List.of(first, first, new UncorrectableError(Uncorrectable.INTERNAL, List.of())));
        write8(registers, RAS, 0x01);
        assertEquals(0x4001, u32(registers, RAS), "one of two");
        ras.report(List.of(first));
        write32(registers, RAS, 0x4001);
        assertEquals(0, u32(registers, RAS), "all of both");
        ras.report(List.of(first));
        write32(registers, RAS + 0x08, 0);
        assertEquals(1, u32(registers, RAS), "a later write of another register clears nothing");
    }

    private static LongStream seeds() {
        return Seeds.of(20);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void shouldSurviveAnyAccesses(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] data = new byte[64];
        for (int i = 0; i < 5_000; i++) {
            int length = random.nextInt(data.length + 1);
            int offset = 0x0FE0 + random.nextInt(0x200);
            if (random.nextBoolean()) {
                random.nextBytes(data);
                registers.write(offset, data, 0, length);
            } else {
                registers.read(offset, data, 0, length);
            }
        }
        registers.reset(ResetKind.POWER_ON);
        ras.writeUncorrectableMask(-1);
        ras.writeUncorrectableSeverity(-1);
        ras.writeCorrectableMask(-1);
        byte[] after = new byte[0x1000];
        registers.read(0x1000, after, 0, after.length);
        byte[] fresh = new byte[0x1000];
        new ComponentRegisters(TestDevice.withRegions(1).ras(), TestDevice.regions(1))
                .read(0x1000, fresh, 0, fresh.length);
        assertArrayEquals(fresh, after, "seed=" + seed);
    }
}
