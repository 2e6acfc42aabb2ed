package io.mhsld.cli;

import io.mhsld.state.DeviceFiles;
import io.mhsld.type3.Refusal;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shared capacity by its tags. {@link TagReport} does the printing. */
@Command(
        name = "tags",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Tags of shared capacity: which heads have it, and whether the fabric manager keeps it.")
final class TagsVerb extends Verb {
    @Parameters(index = "0", paramLabel = "NAME", description = "The device: /dev/shm/NAME, or a path.")
    String name;

    @Option(
            names = "--add-reference",
            paramLabel = "TAG",
            converter = CapacityVerbs.TagConverter.class,
            description = "Keep the capacity of this tag, also when no head has it any more.")
    UUID added;

    @Option(
            names = "--remove-reference",
            paramLabel = "TAG",
            converter = CapacityVerbs.TagConverter.class,
            description = "Keep it no longer: without a head that has it, it becomes free.")
    UUID removed;

    @Mixin
    JsonOption json;

    private final Function<DeviceFiles, Tags> opener;

    /** @param opener opens the tags of a device */
    TagsVerb(Console console, Function<DeviceFiles, Tags> opener) {
        super(console);
        this.opener = opener;
    }

    @Override
    ExitCode run() {
        DeviceFiles files = DeviceFiles.named(name);
        return DeviceOperator.guarded(files, () -> run(files));
    }

    private ExitCode run(DeviceFiles files) {
        if (added != null && removed != null) {
            throw usage("one at a time: --add-reference, --remove-reference");
        }
        try (Tags tags = opener.apply(files)) {
            if (added != null) {
                done(tags.addReference(added), added, "referenced");
            } else if (removed != null) {
                done(tags.removeReference(removed), removed, "no longer referenced");
            }
            List<Tags.Tag> all = tags.list();
            if (json.json) {
                Json.print(console.out(), out -> TagReport.json(out, name, all));
            } else if (added == null && removed == null) {
                TagReport.text(all, console.columns()).forEach(console.out()::println);
            }
            return ExitCode.DONE;
        }
    }

    private void done(Optional<Refusal> refusal, UUID tag, String words) {
        if (refusal.isPresent()) {
            throw new CommandException(
                    ExitCode.REFUSED,
                    "refused: "
                            + refusal.get()
                                    .cause()
                                    .name()
                                    .toLowerCase(Locale.ROOT)
                                    .replace('_', ' ') + ": " + refusal.get().detail());
        }
        if (!json.json) {
            console.out().println(words + ": tag=" + tag);
        }
    }
}
