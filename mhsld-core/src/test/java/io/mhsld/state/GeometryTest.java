package io.mhsld.state;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GeometryTest {
    private static final long SEED = Long.getLong("mhsld.seed", 5_500L);
    private static final long KIB = 1L << 10;
    private static final long MIB = 1L << 20;
    private static final long GIB = 1L << 30;
    private static final long TIB = 1L << 40;

    @ParameterizedTest
    @CsvSource({"1,1", "2,1", "8,1", "9,2", "16,2", "17,4", "32,4", "33,8", "63,8", "64,8"})
    void shouldChooseNarrowestLaneForHeads(int heads, int laneBytes) {
        assertEquals(laneBytes, Geometry.of(heads, 64 * MIB, 1, 2 * MIB).laneBytes());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "0; 67108864; 1; 2097152; head count out of range: heads=0 limit=64",
                "65; 67108864; 1; 2097152; head count out of range: heads=65 limit=64",
                "-1; 67108864; 1; 2097152; head count out of range: heads=-1 limit=64",
                "8; 67108864; 0; 2097152; region count out of range: regions=0 limit=8",
                "8; 67108864; 9; 2097152; region count out of range: regions=9 limit=8",
                "8; 67108864; 1; 2048; block size is not a power of two from 4 KiB up: blockSize=2048",
                "8; 67108864; 1; 0; block size is not a power of two from 4 KiB up: blockSize=0",
                "8; 67108864; 1; 6144; block size is not a power of two from 4 KiB up: blockSize=6144",
                "8; 67108864; 1; -2097152; block size is not a power of two from 4 KiB up: blockSize=-2097152",
                "8; 67108864; 1; -9223372036854775808;"
                        + " block size is not a power of two from 4 KiB up: blockSize=-9223372036854775808",
                "8; 67108864; 1; 4611686018427387904;"
                        + " block size is not a power of two from 4 KiB up: blockSize=4611686018427387904",
                "8; 0; 1; 2097152; size out of range: size=0 limit=4503599627370496",
                "8; -2097152; 1; 2097152; size out of range: size=-2097152 limit=4503599627370496",
                "8; 9223372036854775807; 1; 2097152; size out of range: size=9223372036854775807 limit=4503599627370496",
                "8; 4503599627370496; 1; 2097152; size out of range: size=4503599627370496 limit=4503599627370496",
                "8; 67108865; 1; 2097152;"
                        + " size is not a multiple of block size times regions: size=67108865 blockSize=2097152 regions=1",
                "8; 67108864; 3; 2097152;"
                        + " size is not a multiple of block size times regions: size=67108864 blockSize=2097152 regions=3",
                "8; 2097152; 2; 2097152;"
                        + " size is not a multiple of block size times regions: size=2097152 blockSize=2097152 regions=2",
                "8; 4398046515200; 1; 4096;"
                        + " too many blocks for one owner map: blocks=1073741825 heads=8 limit=1073741824",
                "64; 549755817984; 1; 4096;"
                        + " too many blocks for one owner map: blocks=134217729 heads=64 limit=134217728",
            })
    void shouldRefuseWhatIsOutOfRange(int heads, long size, int regions, long blockSize, String message) {
        Exception refusal =
                assertThrows(IllegalArgumentException.class, () -> Geometry.of(heads, size, regions, blockSize));
        assertEquals(message, refusal.getMessage());
    }

    @Test
    void shouldRefuseRegionsThatReachBeyondLastAddress() {
        // Three regions of a little more than a third of the address space, each rounded up to 256 MiB.
        long third = ((1L << 52) / 3 - 4 * MIB) / (4 * MIB) * (4 * MIB);
        Exception refusal = assertThrows(IllegalArgumentException.class, () -> Geometry.of(1, 3 * third, 3, 4 * MIB));
        assertTrue(
                refusal.getMessage().startsWith("regions reach beyond the last address: decodeLength="),
                refusal.getMessage());
        assertTrue(refusal.getMessage().endsWith(" regions=3 limit=4503599627370496"), refusal.getMessage());
    }

    @Test
    void shouldAllowEveryLimit() {
        assertEquals(1L << 30, Geometry.of(8, 4 * TIB, 1, 4 * KIB).ownerMapBytes());
        assertEquals(1L << 30, Geometry.of(64, 512 * GIB, 8, 4 * KIB).ownerMapBytes());
        assertEquals(8 * MIB, Geometry.of(8, 16 * TIB, 1, 2 * MIB).ownerMapBytes());
        assertEquals(64 * MIB, Geometry.of(64, 16 * TIB, 8, 2 * MIB).ownerMapBytes());
        assertEquals(8, Geometry.of(1, 4 * KIB, 1, 4 * KIB).ownerMapBytes());
        Geometry widest = Geometry.of(1, 7L << 49, 7, 1L << 49);
        assertEquals(7, widest.blockCount());
        assertEquals(6L << 49, widest.dpaOfBlock(6));
        assertEquals(6, widest.blockOfDpa((7L << 49) - 1));
    }

    @Test
    void shouldBaseRegionsAtMultiplesOf256MiB() {
        Geometry geometry = Geometry.of(8, 3 * 258 * MIB, 3, 2 * MIB);

        assertEquals(
                List.of(
                        new Geometry.Region(0, 0, 512 * MIB, 258 * MIB, 0),
                        new Geometry.Region(1, 512 * MIB, 512 * MIB, 258 * MIB, 129),
                        new Geometry.Region(2, 1024 * MIB, 512 * MIB, 258 * MIB, 258)),
                geometry.regions());
        assertEquals(387, geometry.blockCount());
        assertEquals(774 * MIB, geometry.capacityBytes());
    }

    @Test
    void shouldConvertWithoutGapsInMediaAndWithGapsInDpa() {
        Geometry geometry = Geometry.of(8, 3 * 258 * MIB, 3, 2 * MIB);

        assertEquals(128, geometry.blockOfDpa(258 * MIB - 1));
        assertEquals(129, geometry.blockOfDpa(512 * MIB));
        assertEquals(258 * MIB, geometry.mediaOffsetOfDpa(512 * MIB));
        assertEquals(516 * MIB + 5, geometry.mediaOffsetOfDpa(1024 * MIB + 5));
        assertEquals(512 * MIB, geometry.dpaOfBlock(129));
        assertEquals(256 * MIB, geometry.dpaOfBlock(128));
        for (long hole : new long[] {258 * MIB, 512 * MIB - 1, 770 * MIB, 1024 * MIB - 1, 1282 * MIB, 1536 * MIB}) {
            for (Runnable asked :
                    List.<Runnable>of(() -> geometry.blockOfDpa(hole), () -> geometry.mediaOffsetOfDpa(hole))) {
                Exception refusal = assertThrows(IllegalArgumentException.class, asked::run);
                assertEquals("no region has this address: dpa=0x" + Long.toHexString(hole), refusal.getMessage());
            }
        }
    }

    @Test
    void shouldConvertEveryBlockThereAndBack() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int regions = 1; regions <= Geometry.MAX_REGIONS; regions++) {
            for (long blockSize : new long[] {4 * KIB, 64 * KIB, 2 * MIB, 512 * MIB}) {
                long perRegion = random.nextInt(1, 200);
                Geometry geometry = Geometry.of(3, regions * perRegion * blockSize, regions, blockSize);
                String which = "seed=" + SEED + " " + geometry;
                long decode = (perRegion * blockSize + 256 * MIB - 1) / (256 * MIB) * (256 * MIB);
                assertEquals(regions * perRegion, geometry.blockCount(), which);
                for (long block = 0; block < geometry.blockCount(); block++) {
                    long dpa = block / perRegion * decode + block % perRegion * blockSize;
                    long within = random.nextLong(blockSize);
                    assertEquals(dpa, geometry.dpaOfBlock(block), which);
                    assertEquals(block, geometry.blockOfDpa(dpa), which);
                    assertEquals(block, geometry.blockOfDpa(dpa + within), which);
                    assertEquals(block, geometry.blockOfDpa(dpa + blockSize - 1), which);
                    assertEquals(block * blockSize + within, geometry.mediaOffsetOfDpa(dpa + within), which);
                    assertEquals(
                            block / perRegion, geometry.regionOfBlock(block).id(), which);
                }
            }
        }
    }

    @Test
    void shouldRefuseAddressesAndBlocksThatOverflow() {
        Geometry geometry = Geometry.of(8, 512 * MIB, 2, 2 * MIB);
        List<String> messages = new ArrayList<>();
        for (long dpa : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE, -512 * MIB, 1L << 52}) {
            messages.add(assertThrows(IllegalArgumentException.class, () -> geometry.blockOfDpa(dpa))
                    .getMessage());
        }
        for (long block : new long[] {-1, 256, Long.MAX_VALUE, Long.MIN_VALUE}) {
            messages.add(assertThrows(IllegalArgumentException.class, () -> geometry.dpaOfBlock(block))
                    .getMessage());
        }
        assertEquals(
                List.of(
                        "no region has this address: dpa=0xffffffffffffffff",
                        "no region has this address: dpa=0x8000000000000000",
                        "no region has this address: dpa=0x7fffffffffffffff",
                        "no region has this address: dpa=0xffffffffe0000000",
                        "no region has this address: dpa=0x10000000000000",
                        "no such block: block=-1 blocks=256",
                        "no such block: block=256 blocks=256",
                        "no such block: block=9223372036854775807 blocks=256",
                        "no such block: block=-9223372036854775808 blocks=256"),
                messages);
    }

    @Test
    void shouldNeverLetAnyNumbersThroughThatDoNotFit() {
        SplittableRandom random = new SplittableRandom(SEED);
        long[] edges = {0, 1, -1, 4 * KIB, 1L << 51, 1L << 52, 1L << 62, Long.MAX_VALUE, Long.MIN_VALUE, 2 * MIB};
        int allowed = 0;
        for (int round = 0; round < 200_000; round++) {
            int heads = random.nextInt(-1, 67);
            int regions = random.nextInt(-1, 11);
            long blockSize = random.nextInt(4) == 0 ? edges[random.nextInt(edges.length)] : 1L << random.nextInt(64);
            long size = random.nextInt(3) == 0
                    ? edges[random.nextInt(edges.length)]
                    : blockSize * Math.max(1, regions) * random.nextLong(1, 1 << 20);
            String which = "seed=" + SEED + " heads=" + heads + " size=" + size + " regions=" + regions + " blockSize="
                    + blockSize;
            Geometry geometry;
            try {
                geometry = Geometry.of(heads, size, regions, blockSize);
            } catch (IllegalArgumentException e) {
                continue;
            }
            allowed++;
            Geometry.Region last = geometry.regions().get(regions - 1);
            assertEquals(size, geometry.capacityBytes(), which);
            assertEquals(size / blockSize, geometry.blockCount(), which);
            assertTrue(geometry.ownerMapBytes() > 0 && geometry.ownerMapBytes() <= 1L << 30, which);
            assertTrue(last.baseDpa() >= 0 && last.baseDpa() + last.decodeLengthBytes() <= 1L << 52, which);
            assertEquals(
                    geometry.blockCount() - 1, geometry.blockOfDpa(last.baseDpa() + last.lengthBytes() - 1), which);
        }
        assertTrue(allowed > 5_000, "allowed=" + allowed);
    }
}
