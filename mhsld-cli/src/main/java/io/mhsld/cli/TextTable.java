package io.mhsld.cli;

import java.util.ArrayList;
import java.util.List;

/** Rows of text under headings, each column as wide as its widest cell, two blanks between columns. */
final class TextTable {
    private static final String GAP = "  ";

    private final List<String> headings = new ArrayList<>();
    private final List<Boolean> alignedRight = new ArrayList<>();
    private final List<Object[]> rows = new ArrayList<>();

    /** Adds a column of words. */
    TextTable words(String heading) {
        headings.add(heading);
        alignedRight.add(false);
        return this;
    }

    /** Adds a column of numbers, which stand at its right edge. */
    TextTable numbers(String heading) {
        headings.add(heading);
        alignedRight.add(true);
        return this;
    }

    /** Adds a row: a cell for each column, fewer when the rest of the row is empty. */
    void row(Object... cells) {
        if (cells.length > headings.size()) {
            throw new IllegalArgumentException("too many cells: cells=" + cells.length + " columns=" + headings.size());
        }
        rows.add(cells);
    }

    /** Headings and rows; without the columns, first named first, that must go to keep to the width. */
    List<String> lines(int maxWidth, String... mayGo) {
        List<Integer> columns = new ArrayList<>();
        for (int column = 0; column < headings.size(); column++) {
            columns.add(column);
        }
        for (int next = 0; next < mayGo.length && widthOf(columns) > maxWidth; next++) {
            columns.remove(Integer.valueOf(headings.indexOf(mayGo[next])));
        }
        List<String> lines = new ArrayList<>();
        lines.add(line(columns, headings.toArray()));
        for (Object[] row : rows) {
            lines.add(line(columns, row));
        }
        return lines;
    }

    private String line(List<Integer> columns, Object[] cells) {
        StringBuilder line = new StringBuilder();
        for (int column : columns) {
            String cell = cellOf(cells, column);
            String padding = " ".repeat(Math.max(0, widthOf(column) - cell.length()));
            line.append(line.length() == 0 ? "" : GAP);
            line.append(alignedRight.get(column) ? padding + cell : cell + padding);
        }
        return line.toString().stripTrailing();
    }

    private int widthOf(List<Integer> columns) {
        int width = -GAP.length();
        for (int column : columns) {
            width += GAP.length() + widthOf(column);
        }
        return width;
    }

    private int widthOf(int column) {
        int width = headings.get(column).length();
        for (Object[] row : rows) {
            width = Math.max(width, cellOf(row, column).length());
        }
        return width;
    }

    private static String cellOf(Object[] cells, int column) {
        return column < cells.length ? String.valueOf(cells[column]) : "";
    }
}
