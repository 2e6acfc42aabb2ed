package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.cli.MapPicture.Holder;
import io.mhsld.cli.MapPicture.Run;
import io.mhsld.cli.MapPicture.Shared;
import io.mhsld.cli.MapPicture.View;
import io.mhsld.state.Geometry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MapPictureTest {
    private static final long MIB = 1L << 20;
    private static final long GIB = 1L << 30;
    private static final String GLYPHS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz@&";

    /** Who owns what, as plainly as can be: a lane and a flag for each block. */
    private static final class Model {
        final Geometry geometry;
        final long[] lanes;
        final boolean[] accepted;
        final List<Run> runs = new ArrayList<>();
        final List<Shared> shared = new ArrayList<>();

        Model(int heads, long sizeBytes, int regions, long blockSizeBytes) {
            geometry = Geometry.of(heads, sizeBytes, regions, blockSizeBytes);
            lanes = new long[(int) geometry.blockCount()];
            accepted = new boolean[lanes.length];
        }

        Model accepted(int head, int first, int count) {
            own(head, first, count, true);
            runs.add(new Run(head, first, first + count));
            return this;
        }

        Model pending(int head, int first, int count) {
            own(head, first, count, false);
            return this;
        }

        /** A tag that these heads have; none of them: kept. */
        Model shared(int first, int count, boolean isPending, int... heads) {
            for (int head : heads) {
                own(head, first, count, !isPending);
            }
            shared.add(new Shared(first, first + count, heads.length > 0, isPending));
            return this;
        }

        private void own(int head, int first, int count, boolean isAccepted) {
            for (int block = first; block < first + count; block++) {
                lanes[block] |= 1L << head;
                accepted[block] = isAccepted;
            }
        }

        List<String> draw(View view) {
            List<Holder> holders = new ArrayList<>();
            for (int head = 0; head < geometry.headCount(); head++) {
                long blocks = 0;
                long pending = 0;
                for (int block = 0; block < lanes.length; block++) {
                    boolean isOwned = (lanes[block] >>> head & 1) != 0;
                    blocks += isOwned ? 1 : 0;
                    pending += isOwned && !accepted[block] ? 1 : 0;
                }
                holders.add(new Holder(head, blocks > 0 ? "serving" : "free", blocks > 0, blocks, pending));
            }
            holders.addAll(Holder.ofShared(shared));
            long kept = shared.stream()
                    .filter(part -> !part.isHeld())
                    .mapToLong(part -> part.end() - part.first())
                    .sum();
            holders.add(
                    Holder.ofFree(Arrays.stream(lanes).filter(lane -> lane == 0).count() - kept));
            return new MapPicture("pool0", geometry, block -> lanes[(int) block], runs, shared, holders, view).lines();
        }

        String drawn(int columns) {
            return String.join("\n", draw(View.ofAll(columns, false))) + "\n";
        }
    }

    // ---- golden

    @Test
    void shouldDrawFewBlocksAsWideCells() {
        Model model = new Model(8, 16 * MIB, 1, 2 * MIB)
                .accepted(0, 0, 2)
                .accepted(7, 3, 1)
                .pending(1, 6, 1);

        assertEquals("""
                pool0: 16 MiB in 8 blocks of 2 MiB, 1 region, 8 heads
                one cell is 1 block = 2 MiB

                             +0
                0x00000000   0  0  .  7  .  .  1  .
                                               ?

                   head  state    blocks   size  pending  share
                 0    0  serving       2  4 MiB           25.0%  ##########
                 1    1  serving       1  2 MiB    2 MiB  12.5%  #####
                 7    7  serving       1  2 MiB           12.5%  #####
                 .       free          4  8 MiB           50.0%  ....................
                below a cell: ? all or part of it is not accepted by the host yet
                """, model.drawn(88));
    }

    @Test
    void shouldPaintSharedAndKeptBlocksWithSignsOfTheirOwnAndNotAsDamage() {
        Model model = new Model(8, 16 * MIB, 1, 2 * MIB)
                .accepted(0, 0, 1)
                .shared(1, 2, false, 0, 3, 7)
                .shared(3, 1, true, 2)
                .shared(5, 2, false);

        assertEquals("""
                pool0: 16 MiB in 8 blocks of 2 MiB, 1 region, 8 heads
                one cell is 1 block = 2 MiB

                             +0
                0x00000000   0  *  *  *  .  %  %  .
                                      ?

                   head  state       blocks   size  pending  share
                 0    0  serving          3  6 MiB           37.5%  #############
                 2    2  serving          1  2 MiB    2 MiB  12.5%  #####
                 3    3  serving          2  4 MiB           25.0%  #########
                 7    7  serving          2  4 MiB           25.0%  #########
                 *       shared           3  6 MiB           37.5%  *************
                 %       kept by FM       2  4 MiB           25.0%  %%%%%%%%%
                 .       free             2  4 MiB           25.0%  .........
                below a cell: ? all or part of it is not accepted by the host yet
                """, model.drawn(86));
    }

    private static Model fourGibibytes() {
        return new Model(8, 4 * GIB, 1, 2 * MIB)
                .accepted(0, 0, 256)
                .accepted(1, 256, 129)
                .accepted(2, 385, 127)
                .pending(3, 1024, 64)
                .accepted(1, 2047, 1);
    }

    @Test
    void shouldDrawADeviceOf2048BlocksOnAnOrdinaryTerminal() {
        assertEquals("""
                pool0: 4 GiB in 2048 blocks of 2 MiB, 1 region, 8 heads
                one cell is 2 blocks = 4 MiB, one row is 256 MiB

                            +0              +64M            +128M           +192M
                0x00000000  0000000000000000000000000000000000000000000000000000000000000000
                0x10000000  0000000000000000000000000000000000000000000000000000000000000000
                0x20000000  1111111111111111111111111111111111111111111111111111111111111111
                0x30000000  1222222222222222222222222222222222222222222222222222222222222222
                            +
                0x40000000  ................................................................
                0x50000000  ................................................................
                0x60000000  ................................................................
                0x70000000  ................................................................
                0x80000000  33333333333333333333333333333333................................
                            ????????????????????????????????
                0x90000000  ................................................................
                0xa0000000  ................................................................
                0xb0000000  ................................................................
                0xc0000000  ................................................................
                0xd0000000  ................................................................
                0xe0000000  ................................................................
                0xf0000000  ...............................................................1
                                                                                           -

                   head  state    blocks      size  pending  share
                 0    0  serving     256   512 MiB           12.5%  ####
                 1    1  serving     130   260 MiB            6.3%  ##
                 2    2  serving     127   254 MiB            6.2%  ##
                 3    3  serving      64   128 MiB  128 MiB   3.1%  #
                 .       free       1471  2.87 GiB           71.8%  .....................
                below a cell: + more than one holder, the one with most is shown
                              ? all or part of it is not accepted by the host yet
                              - not all of it is owned
                """, fourGibibytes().drawn(80));
    }

    @Test
    void shouldDrawItOnANarrowTerminal() {
        assertEquals("""
                pool0: 4 GiB in 2048 blocks of 2 MiB, 1
                region, 8 heads
                one cell is 8 blocks = 16 MiB, one row
                is 384 MiB

                            +0      +128M   +256M
                0x00000000  000000000000000000000000
                0x18000000  000000001111111111111111
                0x30000000  2222222222222222........
                            +
                0x48000000  ........................
                0x60000000  ........................
                0x78000000  ........33333333........
                                    ????????
                0x90000000  ........................
                0xa8000000  ........................
                0xc0000000  ........................
                0xd8000000  ........................
                0xf0000000  ...............1
                                           _

                   state    blocks      size  pending
                 0 serving     256   512 MiB
                 1 serving     130   260 MiB
                 2 serving     127   254 MiB
                 3 serving      64   128 MiB  128 MiB
                 . free       1471  2.87 GiB
                below a cell: + more than one holder,
                                the one with most is
                                shown
                              ? all or part of it is not
                                accepted by the host yet
                              _ less than half of it is
                                owned
                """, fourGibibytes().drawn(40));
    }

    @Test
    void shouldDraw16TebibytesInAsFewRows() {
        Model model =
                new Model(8, 16L << 40, 1, 2 * MIB).accepted(4, 8192, 8192).accepted(5, 4_194_304, 1);

        List<String> lines = model.draw(View.ofAll(80, false));

        assertEquals("one cell is 8192 blocks = 16 GiB, one row is 1 TiB", lines.get(1));
        assertEquals("               +0              +256G           +512G           +768G", lines.get(3));
        assertEquals("0x00000000000  .4" + ".".repeat(62), lines.get(4));
        assertEquals("0x80000000000  5" + ".".repeat(63), lines.get(12));
        assertEquals("               _", lines.get(13));
        assertEquals("0xf0000000000  " + ".".repeat(64), lines.get(20));
        assertEquals(" 5    5  serving        1      2 MiB  <0.1%  #", lines.get(24));
        assertEquals(" .       free     8380415  15.98 TiB  99.9%  " + ".".repeat(35), lines.get(25));
    }

    @Test
    void shouldDrawEachRegionWithItsOwnAddresses() {
        // 96 MiB of each region are usable, the next one starts at the next 256 MiB.
        Model model = new Model(3, 192 * MIB, 2, 2 * MIB).accepted(2, 47, 1).accepted(0, 48, 2);

        assertEquals("""
                pool0: 192 MiB in 96 blocks of 2 MiB, 2 regions, 3 heads
                one cell is 1 block = 2 MiB

                region 0: 96 MiB from dpa 0x0
                            +0              +32M            +64M
                0x00000000  ...............................................2

                region 1: 96 MiB from dpa 0x10000000
                            +0              +32M            +64M
                0x10000000  00..............................................

                   head  state    blocks     size  share
                 0    0  serving       2    4 MiB   2.1%  #
                 2    2  serving       1    2 MiB   1.0%  #
                 .       free         93  186 MiB  96.9%  .....................................
                """, model.drawn(80));
    }

    @Test
    void shouldTellSixtyFourHeadsApart() {
        Model model = new Model(64, 128 * MIB, 1, 2 * MIB);
        for (int head = 0; head < 64; head++) {
            model.accepted(head, head, 1);
        }

        List<String> lines = model.draw(View.ofAll(80, false));

        assertEquals("0x00000000  " + GLYPHS, lines.get(4));
        assertTrue(lines.contains(" &   63  serving       1  2 MiB   1.6%  #"), String.join("\n", lines));
    }

    @Test
    void shouldShowWhatCannotBeAsDamage() {
        Model model = new Model(2, 16 * MIB, 1, 2 * MIB).accepted(0, 0, 2).accepted(1, 1, 1);
        model.lanes[5] = 1 << 6;

        List<String> lines = model.draw(View.ofAll(80, false));

        assertEquals("0x00000000   0  0  .  .  .  1  .  .", lines.get(4));
        assertEquals("                !           !", lines.get(5));
        assertEquals("below a cell: ! a block with an owner that cannot be: see verify", lines.get(lines.size() - 1));
    }

    @Test
    void shouldShowAPartOfTheDevice() {
        View view = new View(80, false, MapPicture.DEFAULT_ROWS, 3 * 256 * MIB - 6 * MIB, 9 * MIB);

        List<String> lines = fourGibibytes().draw(view);

        assertEquals("one cell is 1 block = 2 MiB", lines.get(1));
        assertEquals("0x2fa00000   1  1  1  1  2", lines.get(4));
    }

    @Test
    void shouldRefuseAViewOfNothing() {
        View view = new View(80, false, MapPicture.DEFAULT_ROWS, 4 * GIB, GIB);

        String message = assertThrows(
                        IllegalArgumentException.class, () -> fourGibibytes().draw(view))
                .getMessage();

        assertEquals("no region has these addresses: from=0x100000000 length=0x40000000", message);
    }

    // ---- properties

    @Test
    void shouldKeepToEveryWidthAndSayTheSameWithColours() {
        long seed = Long.getLong("mhsld.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        for (int columns = 40; columns <= 300; columns++) {
            Model model = randomModel(random);
            List<String> plain = model.draw(View.ofAll(columns, false));
            List<String> painted = model.draw(View.ofAll(columns, true));
            String hint = "mhsld.seed=" + seed + " columns=" + columns + "\n" + String.join("\n", plain);
            assertEquals(plain.size(), painted.size(), hint);
            for (int i = 0; i < plain.size(); i++) {
                assertTrue(plain.get(i).length() <= columns, hint);
                String seen = painted.get(i).replaceAll("\u001b\\[[0-9;]*m", "");
                assertEquals(plain.get(i), seen.stripTrailing(), hint);
            }
        }
    }

    @Test
    void shouldTellTheTruthInEveryCell() {
        long seed = Long.getLong("mhsld.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 200; round++) {
            Model model = randomModel(random);
            View view = new View(random.nextInt(40, 200), false, random.nextInt(1, 40), 0, Long.MAX_VALUE);
            List<String> lines = model.draw(view);
            checkCells(model, lines, "mhsld.seed=" + seed + " round=" + round + "\n" + String.join("\n", lines));
        }
    }

    private static Model randomModel(SplittableRandom random) {
        int heads = random.nextInt(1, 65);
        int regions = random.nextInt(1, 9);
        long blocks = (long) regions * random.nextInt(1, 2000);
        Model model = new Model(heads, blocks * 2 * MIB, regions, 2 * MIB);
        int longest = 1 << random.nextInt(8);
        for (int block = 0; block < blocks; ) {
            int count = (int) Math.min(blocks - block, random.nextInt(1, longest + 1));
            switch (random.nextInt(3)) {
                case 0 -> model.accepted(random.nextInt(heads), block, count);
                case 1 -> model.pending(random.nextInt(heads), block, count);
                default -> {
                    // Stays free.
                }
            }
            block += count;
        }
        return model;
    }

    private static void checkCells(Model model, List<String> lines, String hint) {
        int blocksPerCell = Integer.parseInt(lines.stream()
                .filter(line -> line.contains("one cell is"))
                .findFirst()
                .orElseThrow()
                .split(" ")[3]);
        long seen = 0;
        for (int i = 0; i < lines.size(); i++) {
            if (!lines.get(i).startsWith("0x")) {
                continue;
            }
            String[] parts = lines.get(i).split(" +", 2);
            int labelWidth = lines.get(i).indexOf(parts[1], parts[0].length());
            long block = model.geometry.blockOfDpa(Long.parseLong(parts[0].substring(2), 16));
            long end = model.geometry.regionOfBlock(block).firstBlock()
                    + model.geometry.regionOfBlock(block).lengthBytes() / model.geometry.blockSizeBytes();
            boolean hasMarks = i + 1 < lines.size()
                    && lines.get(i + 1).startsWith(" ".repeat(10))
                    && lines.get(i + 1).matches("[ !+?_-]+");
            String marks = hasMarks ? lines.get(i + 1) : "";
            for (int column = labelWidth; column < lines.get(i).length(); column++) {
                char glyph = lines.get(i).charAt(column);
                if (glyph != ' ') {
                    char mark = column < marks.length() ? marks.charAt(column) : ' ';
                    long cellEnd = Math.min(end, block + blocksPerCell);
                    checkCell(model, block, cellEnd, glyph, mark, hint + "\nblock=" + block);
                    seen += cellEnd - block;
                    block = cellEnd;
                }
            }
        }
        assertEquals(model.lanes.length, seen, hint);
    }

    private static void checkCell(Model model, long first, long end, char glyph, char mark, String hint) {
        long[] owned = new long[64];
        boolean isAllAccepted = true;
        long sum = 0;
        for (int block = (int) first; block < end; block++) {
            if (model.lanes[block] != 0) {
                owned[Long.numberOfTrailingZeros(model.lanes[block])]++;
                isAllAccepted &= model.accepted[block];
                sum++;
            }
        }
        if (glyph == '.') {
            assertEquals(0, sum, hint);
            assertEquals(' ', mark, hint);
            return;
        }
        long shown = owned[GLYPHS.indexOf(glyph)];
        int heads = 0;
        for (long blocks : owned) {
            assertTrue(blocks <= shown, hint);
            heads += blocks > 0 ? 1 : 0;
        }
        assertTrue(shown > 0, hint);
        char expected =
                heads > 1 ? '+' : !isAllAccepted ? '?' : 2 * sum < end - first ? '_' : sum < end - first ? '-' : ' ';
        assertEquals(expected, mark, hint);
    }
}
