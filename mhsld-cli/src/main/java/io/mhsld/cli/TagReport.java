package io.mhsld.cli;

import io.mhsld.cli.Tags.Tag;
import io.mhsld.type3.DynamicCapacity.Range;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** {@code tags}: who shares which capacity. */
final class TagReport {
    private TagReport() {}

    /** For people. */
    static List<String> text(List<Tag> tags, int columns) {
        if (tags.isEmpty()) {
            return List.of("no tags");
        }
        TextTable table = new TextTable()
                .words("tag")
                .numbers("region")
                .numbers("size")
                .numbers("extents")
                .words("heads")
                .words("offered to")
                .words("kept by FM");
        for (Tag tag : sorted(tags)) {
            table.row(
                    tag.tag(),
                    tag.region(),
                    Sizes.text(tag.lengthBytes()),
                    tag.extents().size(),
                    heads(tag.holders() & ~tag.pendingHolders()),
                    heads(tag.pendingHolders()),
                    tag.isReferenced() ? "yes" : "no");
        }
        return table.lines(columns, "extents", "offered to");
    }

    /** The members of the JSON object. */
    static void json(Json out, String name, List<Tag> tags) {
        out.put("name", name);
        out.array(
                "tags",
                all -> sorted(tags)
                        .forEach(tag -> all.element(one -> {
                            one.put("tag", tag.tag())
                                    .put("region", tag.region())
                                    .put("epoch", tag.epoch())
                                    .put("length", tag.lengthBytes())
                                    .put("referenced", tag.isReferenced());
                            one.array(
                                    "heads",
                                    heads -> numbers(tag.holders() & ~tag.pendingHolders())
                                            .forEach(heads::element));
                            one.array(
                                    "pending_heads",
                                    heads -> numbers(tag.pendingHolders()).forEach(heads::element));
                            one.array(
                                    "extents",
                                    extents -> tag.extents()
                                            .forEach(extent -> extents.element(range -> range(range, extent))));
                        })));
    }

    private static void range(Json out, Range extent) {
        out.put("offset", extent.offsetBytes()).put("length", extent.lengthBytes());
    }

    private static List<Tag> sorted(List<Tag> tags) {
        return tags.stream()
                .sorted(Comparator.comparingInt(Tag::region).thenComparing(Tag::tag))
                .toList();
    }

    private static String heads(long bits) {
        List<Long> numbers = numbers(bits);
        return numbers.isEmpty()
                ? "-"
                : String.join(",", numbers.stream().map(String::valueOf).toList());
    }

    private static List<Long> numbers(long bits) {
        List<Long> numbers = new ArrayList<>();
        for (int head = 0; head < Long.SIZE; head++) {
            if (((bits >>> head) & 1) != 0) {
                numbers.add((long) head);
            }
        }
        return numbers;
    }
}
