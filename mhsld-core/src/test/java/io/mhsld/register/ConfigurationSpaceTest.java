package io.mhsld.register;

import static io.mhsld.register.Access.u16;
import static io.mhsld.register.Access.u32;
import static io.mhsld.register.Access.u64;
import static io.mhsld.register.Access.u8;
import static io.mhsld.register.Access.write16;
import static io.mhsld.register.Access.write32;
import static io.mhsld.register.Access.write8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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

class ConfigurationSpaceTest {
    private static final long SERIAL = 0x1122_3344_5566_7788L;
    private static final long DATA_BAR_BYTES = 1L << 40;

    private static final int COMMAND = 0x04;
    private static final int STATUS = 0x06;
    private static final int DEVICE_CONTROL = 0x88;
    private static final int DEVICE_STATUS = 0x8A;
    private static final int DVSEC = 0x10C;
    private static final int AER = 0x200;
    private static final int INTERNAL_ERROR = 1 << 22;
    private static final int CORRECTED_INTERNAL_ERROR = 1 << 14;

    private final ConfigurationSpace space = make(0);
    private final List<String> told = new ArrayList<>();

    private static ConfigurationSpace make(long dataBarBytes) {
        return new ConfigurationSpace(SERIAL, dataBarBytes, new DataObjectExchange(new Cdat(TestDevice.regions(1))));
    }

    private static byte[] bytes(RegisterPart part) {
        byte[] bytes = new byte[(int) part.lengthBytes()];
        part.read(0, bytes, 0, bytes.length);
        return bytes;
    }

    @TestFactory
    Stream<DynamicTest> shouldDoWhatItsRowsSay() {
        return LongStream.of(0, DATA_BAR_BYTES)
                .boxed()
                .flatMap(bar -> ConfigurationSpace.layouts(SERIAL, bar).values().stream())
                .distinct()
                .flatMap(AttributeTests::of);
    }

    @Test
    void shouldShowTheHeader() {
        assertEquals(0x0D93_8086L, u32(space, 0x00));
        assertEquals(0x0010_0000L, u32(space, 0x04));
        assertEquals(0x0502_1000L, u32(space, 0x08));
        assertEquals(0, u8(space, 0x0E));
        assertEquals(0x1100_1AF4L, u32(space, 0x2C));
        assertEquals(0, u32(space, 0x30));
        assertEquals(0, u8(space, 0x3D));
    }

    @Test
    void shouldListItsCapabilities() {
        List<String> found = new ArrayList<>();
        for (int at = u8(space, 0x34); at != 0; at = u8(space, at + 1)) {
            found.add(String.format("%02x at %02x", u8(space, at), at));
        }
        assertEquals(List.of("11 at 40", "10 at 80"), found);
        assertEquals(7, u16(space, 0x42));
        assertEquals(0x2002, u32(space, 0x44));
        assertEquals(0x3002, u32(space, 0x48));
        assertEquals(0x0002, u16(space, 0x82));
        assertEquals(1, u32(space, 0x84) >> 28 & 1);
        assertEquals(0x105, u32(space, 0x8C) & 0x3FF);
    }

    /** As Linux walks: until the offset is 0, and no more often than there are places for a capability. */
    @Test
    void shouldListItsExtendedCapabilities() {
        List<String> found = new ArrayList<>();
        int rest = (4096 - 256) / 8;
        int at = 0x100;
        int end = 0x100;
        while (at >= 0x100 && rest-- > 0) {
            long header = u32(space, at);
            long id = header & 0xFFFF;
            assertTrue(at >= end, "overlaps the one before it: " + Integer.toHexString(at));
            String name = String.format("%03x: %04x v%d", at, id, header >> 16 & 0xF);
            if (id == 0x23) {
                long vendor = u32(space, at + 4);
                name += String.format(
                        " %04x dvsec %d rev %d length %02x",
                        vendor & 0xFFFF, u16(space, at + 8), vendor >> 16 & 0xF, vendor >> 20);
                end = at + (int) (vendor >> 20);
            } else {
                end = at + (id == 0x2E ? 0x18 : id == 3 ? 0x0C : 0x48);
            }
            found.add(name);
            at = (int) (header >> 20);
        }
        assertEquals(0, at);
        assertEquals(
                List.of(
                        "100: 0003 v1",
                        "10c: 0023 v1 1e98 dvsec 0 rev 3 length 3c",
                        "148: 0023 v1 1e98 dvsec 8 rev 0 length 24",
                        "16c: 0023 v1 1e98 dvsec 5 rev 0 length 10",
                        "190: 002e v1",
                        "1b0: 0023 v1 1e98 dvsec 7 rev 2 length 20",
                        "200: 0001 v2"),
                found);
        assertEquals(SERIAL, u64(space, 0x104));
    }

    @Test
    void shouldSayThatItIsACxlDeviceOfDynamicCapacityOnly() {
        assertEquals(0x001E, u16(space, DVSEC + 0x0A));
        assertEquals(0x0002, u16(space, DVSEC + 0x0C));
        assertEquals(0, u32(space, DVSEC + 0x18));
        assertEquals(0x4B, u32(space, DVSEC + 0x1C));
        assertEquals(0, u64(space, DVSEC + 0x28));
        assertEquals(0x0000_0100L, u64(space, 0x148 + 0x0C));
        assertEquals(0x0000_0302L, u64(space, 0x148 + 0x14));
        assertEquals(0, u64(space, 0x148 + 0x1C));
        assertEquals(0x0603, u16(space, 0x16C + 0x0A));
        assertEquals(0x33, u32(space, 0x16C + 0x0C));
        assertEquals(0x0026, u16(space, 0x1B0 + 0x0A));
        assertEquals(0x0026_0002L, u32(space, 0x1B0 + 0x0C));
        assertEquals(0xEF, u32(space, 0x1B0 + 0x10));
    }

    @Test
    void shouldSizeItsBars() {
        ConfigurationSpace withData = make(DATA_BAR_BYTES);
        assertEquals(List.of("4 10000", "4 4000", "none"), sizes(space));
        assertEquals(List.of("4 10000", "4 4000", "c 10000000000"), sizes(withData));
        assertEquals(List.of("c 200000"), sizes(make(2L << 20)).subList(2, 3));
        write32(withData, 0x20, 0x8000_0000L);
        write32(withData, 0x24, 0x0000_1234L);
        assertEquals(0xC, u32(withData, 0x20));
        assertEquals(0x1200, u32(withData, 0x24));
        write32(withData, 0x10, 0xFEB1_2345L);
        assertEquals(0xFEB1_0004L, u32(withData, 0x10));
        assertThrows(IllegalArgumentException.class, () -> make(3));
        assertThrows(IllegalArgumentException.class, () -> make(8));
    }

    /** Write ones to both halves, look which stick (PCI Express r6.1 7.5.1.2.1). */
    private static List<String> sizes(ConfigurationSpace space) {
        List<String> sizes = new ArrayList<>();
        for (int at = 0x10; at < 0x28; at += 8) {
            write32(space, at, 0xFFFF_FFFFL);
            write32(space, at + 4, 0xFFFF_FFFFL);
            long mask = u64(space, at);
            write32(space, at, 0);
            write32(space, at + 4, 0);
            sizes.add(mask == 0 ? "none" : String.format("%x %x", mask & 0xF, -(mask & ~0xFL)));
        }
        return sizes;
    }

    @Test
    void shouldKeepWhatIsLockedUntilAConventionalReset() {
        write16(space, DVSEC + 0x0C, 0xFFFF);
        assertEquals(0x4FFF, u16(space, DVSEC + 0x0C));
        write16(space, DVSEC + 0x0C, 0x0004);
        assertTrue(space.isCxlMemoryEnabled());
        write16(space, DVSEC + 0x14, 0);
        write16(space, DVSEC + 0x0C, 0x0000);
        assertFalse(space.isCxlMemoryEnabled(), "writing 0 does not spend the lock");
        write32(space, DVSEC + 0x20, 0x12);
        write16(space, DVSEC + 0x14, 1);
        write16(space, DVSEC + 0x14, 0);
        write16(space, DVSEC + 0x0C, 0x0004);
        write32(space, DVSEC + 0x20, 0x34);
        for (ResetKind kind : new ResetKind[] {ResetKind.FLR, ResetKind.CXL}) {
            space.reset(kind);
            assertEquals(1, u16(space, DVSEC + 0x14), kind::name);
            assertEquals(0x12, u32(space, DVSEC + 0x20), kind::name);
        }
        assertFalse(space.isCxlMemoryEnabled());
        space.reset(ResetKind.CONVENTIONAL);
        assertEquals(0, u16(space, DVSEC + 0x14));
        assertEquals(0, u32(space, DVSEC + 0x20));
    }

    @Test
    void shouldOfferNoCxlReset() {
        assertEquals(0, u16(space, DVSEC + 0x0A) & 1 << 7);
        write16(space, COMMAND, 0x6);
        write16(space, DVSEC + 0x10, 0xFFFF);
        assertEquals(1, u16(space, DVSEC + 0x10));
        assertEquals(0, u16(space, DVSEC + 0x12));
        assertEquals(6, u16(space, COMMAND));
    }

    @Test
    void shouldResetTheFunctionWhenDeviceControlSaysSo() {
        space.onFunctionLevelReset(() -> told.add(String.format("flr with command %x", u16(space, COMMAND))));
        byte[] before = bytes(space);
        write16(space, COMMAND, 0x0406);
        write32(space, 0x10, 0xFEB0_0000L);
        write16(space, 0x42, 0xC000);
        write16(space, DVSEC + 0x0C, 0x0004);
        write32(space, AER + 0x08, 0);
        write16(space, 0x90, 0x0040);
        write16(space, DEVICE_CONTROL, 0x2910);
        assertEquals(List.of(), told);
        write16(space, DEVICE_CONTROL, 0xA91F);
        assertEquals(List.of("flr with command 0"), told);
        assertEquals(0x2910, u16(space, DEVICE_CONTROL), "what was written with the request is gone, too");
        assertEquals(0x0040, u16(space, 0x90), "common clock configuration stays");
        assertEquals(0, u32(space, AER + 0x08), "sticky");
        assertTrue(space.isCxlMemoryEnabled());
        assertFalse(space.isMsixEnabled());
        write16(space, 0x90, 0);
        write32(space, AER + 0x08, INTERNAL_ERROR);
        write16(space, DVSEC + 0x0C, 0);
        assertArrayEquals(before, bytes(space));
        write8(space, DEVICE_CONTROL + 1, 0x80);
        assertEquals(2, told.size());
    }

    @Test
    void shouldTellWhenMsixChanges() {
        space.onMsixControl(() -> told.add(space.isMsixEnabled() + " " + space.isMsixMasked()));
        write16(space, 0x42, 0x8000);
        write16(space, 0x42, 0x8000);
        write8(space, 0x43, 0xC0);
        write8(space, 0x43, 0x00);
        assertEquals(List.of("true false", "true true", "false false", "false false"), told);
        assertFalse(space.isMemorySpaceEnabled());
        write16(space, COMMAND, 2);
        assertTrue(space.isMemorySpaceEnabled());
    }

    @Test
    void shouldRecordMaskedErrorsAndSendNothing() {
        space.onErrorMessage(message -> told.add(message.name()));
        write16(space, DEVICE_CONTROL, 0x000F);
        write16(space, COMMAND, 0x0100);
        space.internalErrors().uncorrectableInternalError(true);
        space.internalErrors().correctedInternalError();
        assertEquals(INTERNAL_ERROR, u32(space, AER + 0x04));
        assertEquals(CORRECTED_INTERNAL_ERROR, u32(space, AER + 0x10));
        assertEquals(0, u32(space, AER + 0x18), "no first error");
        assertEquals(0b0101, u16(space, DEVICE_STATUS));
        assertEquals(List.of(), told);
    }

    @Test
    void shouldReportInternalErrors() {
        space.onErrorMessage(message -> told.add(message.name()));
        write32(space, AER + 0x08, 0);
        write32(space, AER + 0x14, 0);
        space.internalErrors().uncorrectableInternalError(true);
        space.internalErrors().correctedInternalError();
        assertEquals(List.of(), told, "reporting is not enabled");
        write16(space, DEVICE_CONTROL, 0x0007);
        space.internalErrors().uncorrectableInternalError(true);
        space.internalErrors().uncorrectableInternalError(false);
        space.internalErrors().correctedInternalError();
        assertEquals(List.of("FATAL", "NON_FATAL", "CORRECTABLE"), told);
        assertEquals(22, u32(space, AER + 0x18));
        assertEquals(0b0111, u16(space, DEVICE_STATUS));
        assertEquals(0, u16(space, STATUS) & 0x4000);

        told.clear();
        write32(space, AER + 0x0C, 0);
        write16(space, DEVICE_CONTROL, 0x0004);
        space.internalErrors().uncorrectableInternalError(true);
        assertEquals(List.of(), told, "not fatal by its AER severity, and non-fatal ones are not reported");
        write16(space, COMMAND, 0x0100);
        space.internalErrors().uncorrectableInternalError(true);
        assertEquals(List.of("NON_FATAL"), told, "SERR# enable does as well");
        assertEquals(0x4000, u16(space, STATUS) & 0x4000);

        space.reset(ResetKind.CONVENTIONAL);
        assertEquals(INTERNAL_ERROR, u32(space, AER + 0x04), "sticky");
        assertEquals(0, u16(space, DEVICE_STATUS));
        write32(space, AER + 0x04, INTERNAL_ERROR);
        assertEquals(0, u32(space, AER + 0x04));
        space.reset(ResetKind.POWER_ON);
        assertArrayEquals(bytes(make(0)), bytes(space));
    }

    private static LongStream seeds() {
        return Seeds.of(20);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void shouldSurviveAnyAccesses(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        ConfigurationSpace any = make(DATA_BAR_BYTES);
        byte[] data = new byte[64];
        byte[] initial = bytes(any);
        for (int i = 0; i < 5_000; i++) {
            int length = random.nextInt(data.length + 1);
            int offset = random.nextInt(ConfigurationSpace.LENGTH_BYTES - length + 1);
            if (random.nextBoolean()) {
                random.nextBytes(data);
                any.write(offset, data, 0, length);
            } else {
                any.read(offset, data, 0, length);
            }
        }
        any.reset(ResetKind.POWER_ON);
        assertArrayEquals(initial, bytes(any), "nothing is left behind: seed=" + seed);
    }
}
