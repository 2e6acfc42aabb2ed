package io.mhsld.cli;

import io.mhsld.cli.CapacityOperator.Removal;
import io.mhsld.cli.CapacityOperator.Request;
import io.mhsld.cli.CapacityOperator.Selection;
import io.mhsld.cli.HeadOperator.Range;
import io.mhsld.type3.TagText;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The verbs that move capacity to a head and away from it. They hold options; {@link CapacityOperator} does the work. */
final class CapacityVerbs {
    private CapacityVerbs() {}

    static void addTo(CommandLine commandLine, Console console) {
        commandLine.addSubcommand(new Add(console));
        commandLine.addSubcommand(new Release(console));
    }

    /** One offset and length; repeated for more. */
    private static final class ExtentOption {
        @Option(
                names = "--offset",
                paramLabel = "O",
                converter = SizeConverter.class,
                description = "Offset from the start of the region: 256M. With a length, repeatable.")
        Long offsetBytes;

        @Option(
                names = "--length",
                paramLabel = "L",
                converter = SizeConverter.class,
                description = "Length: 128M. Without an offset the device chooses where.")
        Long lengthBytes;
    }

    /** Takes what every interface takes for a tag. */
    static final class TagConverter implements ITypeConverter<UUID> {
        @Override
        public UUID convert(String text) {
            if (text.isEmpty()) {
                // Most likely a variable of a script that is not set, and then the capacity would have the wrong tag.
                throw new TypeConversionException("tag is empty, leave it out for none");
            }
            return TagText.tagOf(text);
        }
    }

    /** What both verbs take. */
    private abstract static class CapacityVerb extends HeadVerbs.HeadClientVerb {
        @Option(names = "--region", paramLabel = "R", description = "DC region: ${DEFAULT-VALUE}.")
        int region = 0;

        @ArgGroup(exclusive = false, multiplicity = "0..*")
        List<ExtentOption> extents = new ArrayList<>();

        @Mixin
        JsonOption json;

        CapacityVerb(Console console) {
            super(console);
        }

        CapacityOperator capacity() {
            return new CapacityOperator(operator(), console, json.json);
        }

        boolean hasOffsets() {
            return extents.stream().anyMatch(extent -> extent.offsetBytes != null);
        }

        /** The ranges, each with its offset and length. */
        List<Range> ranges() {
            if (extents.isEmpty()) {
                throw usage("missing option: --offset");
            }
            for (ExtentOption extent : extents) {
                if (extent.offsetBytes == null || extent.lengthBytes == null) {
                    throw usage("missing option: --" + (extent.offsetBytes == null ? "offset" : "length"));
                }
            }
            return extents.stream()
                    .map(extent -> new Range(extent.offsetBytes, extent.lengthBytes))
                    .toList();
        }

        /** How much, for the device to choose where. */
        List<Range> lengthOnly(Enum<?> policy) {
            if (hasOffsets()) {
                throw usage("the device chooses where: --policy=" + policy + " takes no --offset");
            }
            if (extents.size() != 1) {
                throw usage("one --length says how much: --policy=" + policy);
            }
            return List.of(new Range(0, extents.get(0).lengthBytes));
        }

        /** For policies by which the tag alone says what. */
        List<Range> tagOnly(String option, UUID tag) {
            if (tag == null) {
                throw usage("missing option: --tag (" + option + ")");
            }
            if (!extents.isEmpty()) {
                throw usage("the tag says what: " + option + " takes neither --offset nor --length");
            }
            return List.of();
        }
    }

    @Command(
            name = "add",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description = {
                "Offer capacity to a head: all of it, or nothing.",
                "With offsets it is those extents; with a length alone the device chooses free blocks."
            })
    private static final class Add extends CapacityVerb {
        @Option(
                names = "--policy",
                paramLabel = "POLICY",
                description = {
                    "prescriptive: the extents that are named (default with --offset);",
                    "free: so much of what is free, in pieces if need be (default without);",
                    "contiguous: so much in one piece;",
                    "enable-shared-access: what has the tag already, together with the heads that have it."
                })
        Selection policy;

        @Option(
                names = "--tag",
                paramLabel = "TAG",
                converter = TagConverter.class,
                description = "Tag of the capacity: a UUID, or a word that stands for one.")
        UUID tag;

        Add(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            Selection selection = policy == null ? usualPolicy() : policy;
            List<Range> ranges = switch (selection) {
                case PRESCRIPTIVE -> ranges();
                case FREE, CONTIGUOUS -> lengthOnly(selection);
                case ENABLE_SHARED_ACCESS -> tagOnly("--policy=" + selection, tag);
            };
            return capacity().add(selection, new Request(region, ranges, Optional.ofNullable(tag)));
        }

        private Selection usualPolicy() {
            return hasOffsets() || extents.isEmpty() ? Selection.PRESCRIPTIVE : Selection.FREE;
        }
    }

    @Command(
            name = "release",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description = "Ask a head's host to give capacity back, or take it.")
    private static final class Release extends CapacityVerb {
        @Option(
                names = "--removal",
                paramLabel = "POLICY",
                description = {
                    "prescriptive: the extents that are named (default);",
                    "tag-based: all that the head has with the tag (default with --tag alone)."
                })
        Removal removal;

        @Option(
                names = "--tag",
                paramLabel = "TAG",
                converter = TagConverter.class,
                description = "Tag of the capacity: a UUID, or a word that stands for one.")
        UUID tag;

        @Option(
                names = "--forced",
                description = "Do not ask: the head revokes it from its host; unanswered offers are withdrawn.")
        boolean forced;

        @Option(names = "--sanitize", description = "Overwrite it before anybody else can get it.")
        boolean sanitize;

        Release(Console console) {
            super(console);
        }

        @Override
        ExitCode run() {
            Removal policy = removal == null ? usualPolicy() : removal;
            List<Range> ranges = policy == Removal.PRESCRIPTIVE ? ranges() : tagOnly("--removal=" + policy, tag);
            return capacity().release(policy, new Request(region, ranges, Optional.ofNullable(tag)), forced, sanitize);
        }

        private Removal usualPolicy() {
            return tag != null && extents.isEmpty() ? Removal.TAG_BASED : Removal.PRESCRIPTIVE;
        }
    }
}
