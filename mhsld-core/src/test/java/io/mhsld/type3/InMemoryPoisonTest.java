package io.mhsld.type3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.MediaPoison.Line;
import io.mhsld.type3.MediaPoison.Source;
import io.mhsld.type3.Refusal.Cause;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class InMemoryPoisonTest {
    private static final int LINE = MediaPoison.LINE_BYTES;
    private static final int LINES = 4096;

    static LongStream seeds() {
        return Seeds.of(5);
    }

    private final MediaPoison poison = new InMemoryPoison(() -> 42, (dpa, line) -> Optional.empty());

    /** Which lines of a range some records cover; none twice. */
    private static BitSet covered(List<Line> records) {
        BitSet covered = new BitSet();
        long end = 0;
        for (Line record : records) {
            assertTrue(record.dpa() >= end && record.lengthBytes() > 0, () -> "records are by address: " + records);
            end = record.endDpa();
            covered.set((int) (record.dpa() / LINE), (int) (end / LINE));
        }
        return covered;
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void shouldKnowWhatAModelOfEachLineKnows(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        BitSet model = new BitSet();
        for (int step = 0; step < 1_500; step++) {
            String which = "seed=" + seed + " step=" + step;
            int first = random.nextInt(LINES);
            int count = 1 + random.nextInt(Math.min(LINES - first, 1 << random.nextInt(6)));
            boolean meetsPoison = !model.get(first, first + count).isEmpty();
            switch (random.nextInt(8)) {
                case 0 -> {
                    poison.scrubbed((long) first * LINE, (long) count * LINE);
                    model.clear(first, first + count);
                }
                case 1, 2 -> {
                    assertEquals(Optional.empty(), poison.clear((long) first * LINE, new byte[LINE]), which);
                    model.clear(first);
                }
                case 3 -> {
                    if (random.nextInt(20) == 0) {
                        poison.recover();
                    }
                }
                default -> {
                    Source source = random.nextInt(3) == 0 ? Source.INTERNAL : Source.INJECTED;
                    Optional<Cause> cause = poison.inject((long) first * LINE, (long) count * LINE, source)
                            .map(Refusal::cause);
                    if (meetsPoison) {
                        assertEquals(Optional.of(Cause.ALREADY_POISONED), cause, which);
                    } else if (cause.isEmpty()) {
                        model.set(first, first + count);
                    } else {
                        assertEquals(Optional.of(Cause.POISON_LIMIT), cause, which);
                        assertEquals(
                                MediaPoison.MAX_RECORDS,
                                poison.lines(0, LINES * LINE).size(),
                                which);
                    }
                }
            }
            List<Line> listed = poison.lines(0, LINES * LINE);
            List<Line> all = poison.scan(0, LINES * LINE);
            assertTrue(listed.size() <= MediaPoison.MAX_RECORDS, which);
            assertEquals(model, covered(all), which);
            assertTrue(all.containsAll(listed), which);
            assertTrue(poison.hasOverflowed() || all.size() == listed.size(), which);
            assertEquals(poison.hasOverflowed() ? 42 : 0, poison.overflowTimestampNs(), which);
            long dpa = random.nextInt(LINES * LINE - 200);
            int length = 1 + random.nextInt(200);
            boolean expected = !model.get((int) (dpa / LINE), (int) ((dpa + length - 1) / LINE) + 1)
                    .isEmpty();
            assertEquals(expected, poison.isPoisoned(dpa, length), which);
            assertEquals(
                    covered(poison.scan(dpa / LINE * LINE, LINE)).get((int) (dpa / LINE)),
                    model.get((int) (dpa / LINE)),
                    which);
        }
        poison.scrubbed(0, LINES * LINE);
        poison.recover();
        assertEquals(List.of(), poison.scan(0, LINES * LINE));
        assertEquals(false, poison.hasOverflowed());
    }

    @Test
    void shouldRememberSoMuchAndNoMore() {
        int room = MediaPoison.MAX_RECORDS + PoisonList.MAX_UNLISTED;
        for (int i = 0; i < room; i++) {
            assertEquals(Optional.empty(), poison.inject(2L * i * LINE, LINE, Source.INTERNAL));
        }
        assertEquals(
                Cause.POISON_LIMIT,
                poison.inject(2L * room * LINE, LINE, Source.INTERNAL)
                        .orElseThrow()
                        .cause());
    }
}
