package io.mhsld.stress.storm;

import io.mhsld.fabric.SharedTables;
import io.mhsld.head.TagRegistry;
import io.mhsld.state.StateFile;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;

/** The fabric manager of shared capacity: keeps tags, and lets go of them; in a process that is killed over it, now and then. One thread. */
final class Keeper {
    private static final int MAX_KEPT = 3;
    private static final int MAX_PAUSE_NS = 80_000_000;

    private final Storm storm;
    private final Tally tally;
    private final SplittableRandom random;

    Keeper(Storm storm, SplittableRandom random) {
        this.storm = storm;
        this.tally = storm.tally();
        this.random = random;
    }

    /** Keeps one tag, or lets go of one. */
    long step() {
        TagOracle oracle = storm.ownership().tags();
        List<TagOracle.Tag> kept = oracle.kept();
        boolean drops = kept.size() >= MAX_KEPT || (!kept.isEmpty() && random.nextInt(3) == 0);
        Optional<TagOracle.Tag> tag =
                drops ? Optional.of(kept.get(random.nextInt(kept.size()))) : oracle.choose(random);
        tag.ifPresent(one -> {
            if (random.nextInt(12) == 0) {
                changeInAProcess(oracle, one, !drops);
            } else {
                change(oracle, one, !drops);
            }
        });
        return random.nextInt(MAX_PAUSE_NS);
    }

    private void change(TagOracle oracle, TagOracle.Tag tag, boolean keep) {
        TagOracle.Before before = oracle.changing(tag);
        Optional<Refusal> refusal;
        try (StateFile state = StateFile.open(storm.files().stateFile(), StateFile.Access.READ_WRITE, 0);
                SharedTables tables = new SharedTables(storm.files(), state)) {
            refusal = keep ? tables.addReference(tag.name()) : tables.removeReference(tag.name());
        }
        boolean isUnknown =
                refusal.filter(reason -> reason.cause() == Cause.TAG_UNKNOWN).isPresent();
        if (refusal.isPresent() && !isUnknown && refusal.get().cause() != Cause.BUSY) {
            tally.violation("tag cannot be changed: keep=%s tag=[%s] reason=\"%s\"", keep, tag, refusal.get());
        } else if (isUnknown && (before.wasKept() || oracle.wasThereSince(tag, before))) {
            tally.violation("I5 a tag that is held is not there: keep=%s tag=[%s]", keep, tag);
        } else if (keep && refusal.isEmpty() && before.wasGone()) {
            tally.violation("I1 a tag that was gone is kept: tag=[%s]", tag);
        }
        oracle.changed(tag, refusal.isEmpty() ? keep : !isUnknown && before.wasKept());
        tally.deed((keep ? "keep a tag" : "let go of a tag") + (refusal.isPresent() ? ", refused" : ""));
    }

    /** What came of it is seen when the process is no more, or has done it: nobody else changes it. */
    private void changeInAProcess(TagOracle oracle, TagOracle.Tag tag, boolean keep) {
        oracle.changing(tag);
        storm.tellOperator(
                (keep ? "keep " : "drop ") + tag.name(), random.nextInt(4) == 0 ? 0 : 1 + random.nextLong(8_000_000));
        oracle.changed(tag, isKept(storm.view(), tag.name()));
        tally.deed((keep ? "keep a tag" : "let go of a tag") + ", in a process of its own");
    }

    private static boolean isKept(StateFile view, UUID tag) {
        return TagRegistry.listOf(view).stream().anyMatch(row -> row.tag().equals(tag) && row.isReferenced());
    }

    /** All heads have ended: lets go of what is kept, which must be what the oracle says. */
    void letGoOfAll() {
        TagOracle oracle = storm.ownership().tags();
        List<TagOracle.Tag> kept = oracle.kept();
        List<UUID> expected = kept.stream().map(TagOracle.Tag::name).sorted().toList();
        List<UUID> found = TagRegistry.listOf(storm.view()).stream()
                .map(TagRegistry.Tag::tag)
                .sorted()
                .toList();
        if (!found.equals(expected)) {
            tally.violation("I5 after all heads have ended other tags are left than kept: %s kept=%s", found, expected);
        }
        kept.forEach(tag -> change(oracle, tag, false));
    }
}
