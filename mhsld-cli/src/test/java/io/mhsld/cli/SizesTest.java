package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class SizesTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "4096, 4096",
        "512K, 524288",
        "512k, 524288",
        "2M, 2097152",
        "4G, 4294967296",
        "4GiB, 4294967296",
        "4gib, 4294967296",
        "4 GiB, 4294967296",
        "16T, 17592186044416",
        "4P, 4503599627370496",
        "0x0, 0",
        "0x1000, 4096",
        "0XffFF, 65535",
        "0x1_0000_0000, 4294967296",
        "9223372036854775807, 9223372036854775807",
        "0x7fffffffffffffff, 9223372036854775807",
        "8191P, 9222246136947933184"
    })
    void shouldReadSizes(String text, long bytes) {
        assertEquals(bytes, Sizes.parse(text));
        assertEquals(bytes, new SizeConverter().convert(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "9223372036854775808",
                "18446744073709551615",
                "18446744073709551616",
                "0x8000000000000000",
                "0xffffffffffffffff",
                "0x10000000000000000",
                "8192P",
                "99999999T",
                "99999999999999999999G"
            })
    void shouldRefuseWhatDoesNotFit(String text) {
        String message = assertThrows(IllegalArgumentException.class, () -> Sizes.parse(text))
                .getMessage();

        assertEquals("size too large: size=" + text + " limit=9223372036854775807", message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "-4G", "-0x10", " -1"})
    void shouldRefuseNegativeSizes(String text) {
        String message = assertThrows(IllegalArgumentException.class, () -> Sizes.parse(text))
                .getMessage();

        assertEquals("negative size: size=" + text, message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", " ", "G", "iB", "4X", "4GB", "4KB", "4B", "4iB", "1.5G", "1e6", "0x", "0xG", "+4", "+4G", "4G4",
                "four", "4GG"
            })
    void shouldRefuseWhatIsNoSize(String text) {
        String message = assertThrows(TypeConversionException.class, () -> new SizeConverter().convert(text))
                .getMessage();

        assertTrue(message.startsWith("not a size: size=\"" + text + "\" (write 4G"), message);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0 B",
        "1023, 1023 B",
        "1024, 1 KiB",
        "1536, 1.5 KiB",
        "2097152, 2 MiB",
        "3489660928, 3.25 GiB",
        "1073741823, 1023.99 MiB",
        "17592186044416, 16 TiB",
        "4503599627370496, 4 PiB",
        "9223372036854775807, 8191.99 PiB"
    })
    void shouldWriteSizesForPeople(long bytes, String text) {
        assertEquals(text, Sizes.text(bytes));
    }

    @Test
    void shouldReadWhatItWroteExactly() {
        long seed = Long.getLong("mhsld.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 10_000; i++) {
            long bytes = random.nextLong(Long.MAX_VALUE) >>> random.nextInt(63) << random.nextInt(20) & Long.MAX_VALUE;
            assertEquals(bytes, Sizes.parse(Sizes.exact(bytes)), "mhsld.seed=" + seed);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"9\u001e\u001eP", "\u0663", "4\u212a", "0x", "0x_", "0x+5", "+5", "5\u2003K"})
    void shouldRefuseWhatOnlyLooksLikeASize(String text) {
        String message = assertThrows(IllegalArgumentException.class, () -> Sizes.parse(text))
                .getMessage();

        assertTrue(message.startsWith("not a size: size="), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"+5", "0x+5", "\u0663", "0x", "", "-1"})
    void shouldRefuseWhatOnlyLooksLikeASerialNumber(String text) {
        assertThrows(TypeConversionException.class, () -> new SerialConverter().convert(text));
        if (!text.isEmpty()) {
            assertThrows(
                    UsageException.class,
                    () -> QemuArguments.parse(List.of("-device", "cxl-mhsld,mhd-head=0,sn=" + text)));
        }
    }
}
