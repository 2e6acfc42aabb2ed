package io.mhsld.cli;

import io.mhsld.state.Geometry;
import io.mhsld.state.Geometry.Region;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongUnaryOperator;
import java.util.function.ToLongFunction;

/**
 * A picture of who owns which blocks: rows of cells with the DPA of their first byte, then who the heads are.
 *
 * <p>A cell is one block, or as many as it takes to keep to the height: a power of two. It shows the head that owns most of it, and what is not
 * told by that stands as a mark in a line of its own below the cell. So every cell says the truth without colours, too.
 */
final class MapPicture {
    /** Rows that a person takes in at a glance, and that leave room for the legend on a common terminal. */
    static final int DEFAULT_ROWS = 16;

    /** Below that, labels and a cell or two do not fit. */
    static final int MIN_COLUMNS = 20;

    private static final String GLYPHS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz@&";
    private static final char FREE = '.';
    private static final char SHARED_SIGN = '*';
    private static final char KEPT_SIGN = '%';
    private static final int NOBODY = -1;
    private static final int SHARED = Geometry.MAX_HEADS;
    private static final int KEPT = SHARED + 1;
    private static final int MIN_LABEL_DIGITS = 8;
    private static final int LONG_LABEL_DIGITS = 11;
    private static final int MIN_CELLS = 4;

    /** Few blocks are drawn as wide cells, so that the picture does not shrink to a few dots. */
    private static final int MAX_CELL_WIDTH = 3;

    private static final int MIN_TICK_COLUMNS = 8;
    private static final int MIN_BAR = 10;
    private static final int MAX_BAR = 40;

    /**
     * How to draw it.
     *
     * @param columns width of the terminal
     * @param colour with escape sequences for colours
     * @param rows no more rows of cells than that, if every region can do with one
     * @param startDpa first address to show
     * @param lengthBytes how much of the address space to show
     */
    record View(int columns, boolean colour, int rows, long startDpa, long lengthBytes) {
        /** All of the device. */
        static View ofAll(int columns, boolean colour) {
            return new View(columns, colour, DEFAULT_ROWS, 0, Long.MAX_VALUE);
        }
    }

    /**
     * A head as the legend tells of it.
     *
     * @param state in a word
     * @param isWorthTelling false: it is left out when it owns nothing
     * @param blocks how many it owns
     * @param pendingBlocks how many of them its host has not accepted
     */
    record Holder(int head, String state, boolean isWorthTelling, long blocks, long pendingBlocks) {
        /** Nobody holds these. */
        static Holder ofFree(long blocks) {
            return new Holder(NOBODY, "free", true, blocks, 0);
        }

        /** Whoever holds these by their tags, each counted once; nothing when there are none. */
        static List<Holder> ofShared(List<Shared> shared) {
            long held = count(shared, true);
            long kept = count(shared, false);
            return List.of(
                    new Holder(SHARED, "shared", held > 0, held, 0), new Holder(KEPT, "kept by FM", kept > 0, kept, 0));
        }

        private static long count(List<Shared> shared, boolean held) {
            return shared.stream()
                    .filter(part -> part.isHeld == held)
                    .mapToLong(part -> part.end - part.first)
                    .sum();
        }
    }

    /** Accepted blocks [first, end) of a head. */
    record Run(int head, long first, long end) {}

    /**
     * Blocks [first, end) of a tag.
     *
     * @param isHeld at least one head has it; otherwise a fabric manager keeps it
     * @param isPending at least one host has not accepted it yet
     */
    record Shared(long first, long end, boolean isHeld, boolean isPending) {}

    /** What stands below a cell; what comes first hides the others. */
    private enum Mark {
        DAMAGE('!', "a block with an owner that cannot be: see verify"),
        SEVERAL('+', "more than one holder, the one with most is shown"),
        PENDING('?', "all or part of it is not accepted by the host yet"),
        LITTLE('_', "less than half of it is owned"),
        MUCH('-', "not all of it is owned"),
        NONE(' ', "");

        private final char sign;
        private final String meaning;

        Mark(char sign, String meaning) {
            this.sign = sign;
            this.meaning = meaning;
        }
    }

    private record Cell(int head, Mark mark) {}

    /** The part of a region that is shown. */
    private record Section(Region region, long firstBlock, long blockCount) {}

    private final String name;
    private final Geometry geometry;
    private final LongUnaryOperator owners;
    private final List<Run> accepted;
    private final List<Shared> shared;
    private final List<Holder> holders;
    private final View view;
    private final List<Section> sections;
    private final int labelDigits;
    private final int labelWidth;
    private final int cellsPerRow;
    private final long blocksPerCell;
    private final int cellWidth;
    private final Set<Mark> usedMarks = EnumSet.noneOf(Mark.class);

    /**
     * @param name what people call the device
     * @param owners the owner map's lane of a block
     * @param accepted the blocks of accepted extents that are not shared
     * @param shared the blocks of tags
     * @param holders what the legend tells: all heads, and what is free
     * @throws IllegalArgumentException when there is nothing to be seen in the view
     */
    MapPicture(
            String name,
            Geometry geometry,
            LongUnaryOperator owners,
            List<Run> accepted,
            List<Shared> shared,
            List<Holder> holders,
            View view) {
        this.name = name;
        this.geometry = geometry;
        this.owners = owners;
        this.accepted =
                accepted.stream().sorted(Comparator.comparingLong(Run::first)).toList();
        this.shared =
                shared.stream().sorted(Comparator.comparingLong(Shared::first)).toList();
        this.holders = holders;
        this.view = view;
        this.sections = sectionsOf(geometry, view);
        this.labelDigits = labelDigitsOf(geometry);
        this.labelWidth = "0x".length() + labelDigits + (labelDigits > LONG_LABEL_DIGITS ? 1 : 2);
        int columns = Math.max(view.columns, MIN_COLUMNS) - labelWidth;
        this.cellsPerRow = cellsFor(columns);
        long longest = sections.stream().mapToLong(Section::blockCount).max().orElseThrow();
        long rowsEach = Math.max(1, view.rows / sections.size());
        this.blocksPerCell = Math.max(1, nextPowerOfTwo(divideUp(longest, cellsPerRow * rowsEach)));
        this.cellWidth = blocksPerCell > 1 ? 1 : (int) Math.max(1, Math.min(MAX_CELL_WIDTH, columns / longest));
    }

    /** The picture, line by line. */
    List<String> lines() {
        List<String> lines = new ArrayList<>(wrapped(headline()));
        lines.addAll(wrapped(scale()));
        for (Section section : sections) {
            lines.add("");
            if (geometry.regions().size() > 1) {
                lines.addAll(wrapped(StatusReport.summary(section.region)));
            }
            addSection(lines, section);
        }
        lines.add("");
        addLegend(lines);
        addMarks(lines);
        return lines;
    }

    // ---- cells

    private void addSection(List<String> lines, Section section) {
        long blocksPerRow = blocksPerCell * cellsPerRow;
        lines.add(ruler(section));
        long end = section.firstBlock + section.blockCount;
        for (long first = section.firstBlock; first < end; first += blocksPerRow) {
            List<Cell> cells = new ArrayList<>(cellsPerRow);
            long rowEnd = Math.min(end, first + blocksPerRow);
            for (long block = first; block < rowEnd; block += blocksPerCell) {
                cells.add(look(block, Math.min(rowEnd, block + blocksPerCell)));
            }
            lines.add(label(geometry.dpaOfBlock(first)) + picture(cells));
            String marks = marks(cells);
            if (!marks.isEmpty()) {
                lines.add(" ".repeat(labelWidth) + marks);
            }
        }
    }

    /** Sums blocks [first, end) up. */
    private Cell look(long first, long end) {
        int heads = geometry.headCount();
        long[] owned = new long[KEPT + 1];
        long pending = 0;
        boolean damaged = false;
        int run = firstEndingAfter(accepted, Run::end, first);
        int part = firstEndingAfter(shared, Shared::end, first);
        for (long block = first; block < end; block++) {
            long lane = owners.applyAsLong(block);
            while (part < shared.size() && shared.get(part).end <= block) {
                part++;
            }
            if (part < shared.size() && shared.get(part).first <= block) {
                damaged |= lane != 0 && Long.SIZE - Long.numberOfLeadingZeros(lane) > heads;
                owned[lane != 0 ? SHARED : KEPT]++;
                pending += lane != 0 && shared.get(part).isPending ? 1 : 0;
                continue;
            }
            if (lane == 0) {
                continue;
            }
            int head = Long.numberOfTrailingZeros(lane);
            if ((lane & (lane - 1)) != 0 || head >= heads) {
                damaged = true;
                head = Math.min(head, heads - 1);
            }
            owned[head]++;
            while (run < accepted.size() && accepted.get(run).end <= block) {
                run++;
            }
            if (run == accepted.size() || accepted.get(run).first > block || accepted.get(run).head != head) {
                pending++;
            }
        }
        return judge(owned, pending, damaged, end - first);
    }

    private static Cell judge(long[] owned, long pending, boolean damaged, long blocks) {
        int most = NOBODY;
        int owners = 0;
        long sum = 0;
        for (int head = 0; head < owned.length; head++) {
            sum += owned[head];
            owners += owned[head] > 0 ? 1 : 0;
            if (owned[head] > (most == NOBODY ? 0 : owned[most])) {
                most = head;
            }
        }
        if (most == NOBODY) {
            return new Cell(NOBODY, Mark.NONE);
        }
        Mark mark = damaged
                ? Mark.DAMAGE
                : owners > 1
                        ? Mark.SEVERAL
                        : pending > 0
                                ? Mark.PENDING
                                : sum * 2 < blocks ? Mark.LITTLE : sum < blocks ? Mark.MUCH : Mark.NONE;
        return new Cell(most, mark);
    }

    private static <T> int firstEndingAfter(List<T> runs, ToLongFunction<T> end, long block) {
        int low = 0;
        int high = runs.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (end.applyAsLong(runs.get(middle)) <= block) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private String picture(List<Cell> cells) {
        StringBuilder line = new StringBuilder();
        String style = "";
        for (Cell cell : cells) {
            String wanted = view.colour ? styleOf(cell) : "";
            if (!wanted.equals(style)) {
                line.append(style.isEmpty() ? "" : HeadColours.RESET).append(wanted);
                style = wanted;
            }
            line.append(" ".repeat(cellWidth / 3)).append(glyphOf(cell.head)).append(" ".repeat(cellWidth / 2));
        }
        return style.isEmpty()
                ? line.toString().stripTrailing()
                : line.append(HeadColours.RESET).toString();
    }

    private String marks(List<Cell> cells) {
        StringBuilder line = new StringBuilder();
        for (Cell cell : cells) {
            usedMarks.add(cell.mark);
            line.append(" ".repeat(cellWidth / 3)).append(cell.mark.sign).append(" ".repeat(cellWidth / 2));
        }
        return line.toString().stripTrailing();
    }

    private static String styleOf(Cell cell) {
        if (cell.head == NOBODY) {
            return HeadColours.FREE;
        }
        if (!isHead(cell.head) && cell.mark != Mark.DAMAGE) {
            return HeadColours.SHARED;
        }
        return switch (cell.mark) {
            case DAMAGE -> HeadColours.DAMAGE;
            case PENDING -> HeadColours.pending(cell.head);
            case SEVERAL, LITTLE, MUCH -> HeadColours.part(cell.head);
            case NONE -> HeadColours.whole(cell.head);
        };
    }

    private static boolean isHead(int head) {
        return head != NOBODY && head != SHARED && head != KEPT;
    }

    private static char glyphOf(int head) {
        return switch (head) {
            case NOBODY -> FREE;
            case SHARED -> SHARED_SIGN;
            case KEPT -> KEPT_SIGN;
            default -> GLYPHS.charAt(head);
        };
    }

    // ---- texts

    private String headline() {
        return name + ": " + StatusReport.summary(geometry);
    }

    private String scale() {
        long blocksPerRow = blocksPerCell * cellsPerRow;
        boolean hasFullRow = sections.stream().anyMatch(section -> section.blockCount > blocksPerRow);
        return "one cell is " + Sizes.count(blocksPerCell, "block") + " = " + size(blocksPerCell)
                + (hasFullRow ? ", one row is " + size(blocksPerRow) : "");
    }

    private String size(long blocks) {
        return Sizes.text(blocks * geometry.blockSizeBytes());
    }

    /** Distances from the start of a row. */
    private String ruler(Section section) {
        long cells = Math.min(cellsPerRow, divideUp(section.blockCount, blocksPerCell));
        int step = Math.max(1, Integer.highestOneBit(cellsPerRow) / 4);
        while (step * cellWidth < MIN_TICK_COLUMNS) {
            step *= 2;
        }
        StringBuilder line = new StringBuilder(" ".repeat(labelWidth));
        for (int cell = 0; cell < cells; cell += step) {
            String tick = "+" + Sizes.exact(cell * blocksPerCell * geometry.blockSizeBytes());
            int column = labelWidth + cell * cellWidth + cellWidth / 3;
            if (column + tick.length() <= view.columns) {
                line.append(" ".repeat(column - line.length())).append(tick);
            }
        }
        return line.toString();
    }

    private String label(long dpa) {
        String digits = Long.toHexString(dpa);
        return "0x" + "0".repeat(labelDigits - digits.length()) + digits + " ".repeat(labelWidth - 2 - labelDigits);
    }

    private List<String> wrapped(String text) {
        return wrapped(text, view.columns);
    }

    /** Breaks a text at blanks. */
    static List<String> wrapped(String text, int columns) {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (String word : text.split(" ")) {
            if (line.length() > 0 && line.length() + 1 + word.length() > columns) {
                lines.add(line.toString());
                line.setLength(0);
            }
            line.append(line.length() > 0 ? " " : "").append(word);
        }
        lines.add(line.toString());
        return lines;
    }

    // ---- legend

    private void addLegend(List<String> lines) {
        boolean isAnyPending = holders.stream().anyMatch(holder -> holder.pendingBlocks > 0);
        TextTable table =
                new TextTable().numbers("head").words("state").numbers("blocks").numbers("size");
        if (isAnyPending) {
            table.numbers("pending");
        }
        table.numbers("share");
        List<Holder> told = holders.stream()
                .filter(holder -> holder.blocks > 0 || holder.isWorthTelling)
                .toList();
        for (Holder holder : told) {
            List<Object> cells = new ArrayList<>(
                    List.of(isHead(holder.head) ? holder.head : "", holder.state, holder.blocks, size(holder.blocks)));
            if (isAnyPending) {
                cells.add(holder.pendingBlocks == 0 ? "" : size(holder.pendingBlocks));
            }
            cells.add(shareOf(holder.blocks));
            table.row(cells.toArray());
        }
        int indent = 3;
        List<String> rows = geometry.headCount() <= 10
                ? table.lines(view.columns - indent, "share", "head", "state")
                : table.lines(view.columns - indent, "share", "state");
        int width = rows.stream().mapToInt(String::length).max().orElse(0);
        int barWidth = Math.min(MAX_BAR, view.columns - indent - width - 2);
        lines.add(" ".repeat(indent) + rows.get(0));
        for (int i = 0; i < told.size(); i++) {
            Holder holder = told.get(i);
            String row = rows.get(i + 1);
            String bar = barWidth < MIN_BAR ? "" : bar(holder, barWidth);
            String gap = bar.isEmpty() ? "" : " ".repeat(width - row.length() + 2);
            lines.add(" " + painted(holder.head, String.valueOf(glyphOf(holder.head))) + " " + row + gap + bar);
        }
    }

    private String bar(Holder holder, int width) {
        int length = (int) divideUp(holder.blocks * width, geometry.blockCount());
        if (!isHead(holder.head)) {
            return painted(holder.head, String.valueOf(glyphOf(holder.head)).repeat(length));
        }
        String bar = "#".repeat(length);
        return view.colour && length > 0 ? HeadColours.solid(holder.head) + bar + HeadColours.RESET : bar;
    }

    private String painted(int head, String text) {
        return view.colour && !text.isEmpty() ? styleOf(new Cell(head, Mark.NONE)) + text + HeadColours.RESET : text;
    }

    private String shareOf(long blocks) {
        long total = geometry.blockCount();
        long tenths = (blocks * 1000 + total / 2) / total;
        if (tenths == 0 && blocks > 0) {
            return "<0.1%";
        }
        return tenths == 1000 && blocks < total ? ">99.9%" : tenths / 10 + "." + tenths % 10 + "%";
    }

    private void addMarks(List<String> lines) {
        String lead = "below a cell: ";
        for (Mark mark : Mark.values()) {
            if (mark != Mark.NONE && usedMarks.contains(mark)) {
                List<String> meaning = wrapped(mark.meaning, view.columns - lead.length() - 2);
                for (int i = 0; i < meaning.size(); i++) {
                    lines.add((i == 0 ? lead + mark.sign : " ".repeat(lead.length() + 1)) + " " + meaning.get(i));
                }
                lead = " ".repeat(lead.length());
            }
        }
    }

    // ---- layout

    private static List<Section> sectionsOf(Geometry geometry, View view) {
        List<Section> sections = new ArrayList<>();
        for (Region region : geometry.regions()) {
            long from = Math.max(0, view.startDpa - region.baseDpa());
            long to = Math.min(region.lengthBytes(), saturatedAdd(view.startDpa, view.lengthBytes) - region.baseDpa());
            if (from < to) {
                long first = from / geometry.blockSizeBytes();
                long end = divideUp(to, geometry.blockSizeBytes());
                sections.add(new Section(region, region.firstBlock() + first, end - first));
            }
        }
        if (sections.isEmpty()) {
            throw new IllegalArgumentException("no region has these addresses: from=0x"
                    + Long.toHexString(view.startDpa) + " length=0x" + Long.toHexString(view.lengthBytes));
        }
        return sections;
    }

    private static int labelDigitsOf(Geometry geometry) {
        Region last = geometry.regions().get(geometry.regions().size() - 1);
        String lastDpa = Long.toHexString(last.baseDpa() + last.lengthBytes() - 1);
        return Math.max(MIN_LABEL_DIGITS, lastDpa.length());
    }

    /** Round numbers of cells keep the labels round: powers of two, and three times those. */
    private static int cellsFor(int columns) {
        int cells = MIN_CELLS;
        while (cells * 2 <= columns) {
            cells *= 2;
        }
        return cells + cells / 2 <= columns ? cells + cells / 2 : cells;
    }

    private static long divideUp(long dividend, long divisor) {
        return (dividend + divisor - 1) / divisor;
    }

    private static long nextPowerOfTwo(long number) {
        return number <= 1 ? 1 : Long.highestOneBit(number - 1) << 1;
    }

    private static long saturatedAdd(long left, long right) {
        long sum = left + right;
        return sum < 0 ? Long.MAX_VALUE : sum;
    }
}
