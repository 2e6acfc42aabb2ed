package io.mhsld.stress.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.stress.soak.Slope.Sample;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SlopeTest {
    private static final double EXACT = 1e-9;

    @Test
    void shouldFindTheLineThatIsThere() {
        Slope slope = Slope.through(series(hours -> 5 + 12 * hours));

        assertEquals(12, slope.perHour(), EXACT);
        assertEquals(0, slope.errorPerHour(), 1e-6);
        assertEquals(12 * slope.hours(), slope.rise(), EXACT);
    }

    @Test
    void shouldBeFlatForWhatDoesNotChange() {
        Slope slope = Slope.through(series(hours -> 31));

        assertEquals(0, slope.rise(), EXACT);
        assertEquals(31, slope.mean(), EXACT);
    }

    @Test
    void shouldNotBeCertainOfNoise() {
        SplittableRandom random = new SplittableRandom(17);
        Slope slope = Slope.through(series(hours -> 100 + random.nextDouble()));

        assertTrue(slope.certainRise() < 0, slope::toString);
    }

    @Test
    void shouldBeCertainOfGrowthInNoise() {
        SplittableRandom random = new SplittableRandom(17);
        Slope slope = Slope.through(series(hours -> 100 + random.nextDouble() + 6 * hours));

        assertTrue(slope.certainRise() > 0, slope::toString);
        assertTrue(slope.visiblePerHour(0) < 6, slope::toString);
    }

    @Test
    void shouldKnowNothingFromTwoSamples() {
        Slope slope = Slope.through(List.of(new Sample(0, 1), new Sample(1, 2)));

        assertTrue(slope.certainRise() < 0, slope::toString);
    }

    @ParameterizedTest
    @EnumSource
    void shouldKnowWhereEachLeakGoes(Leak leak) {
        assertEquals(1, leak.change().places(), () -> leak + " has lost its place in the source");
    }

    /** Half an hour, a sample every 30 s. */
    private static List<Sample> series(DoubleUnaryOperator value) {
        return IntStream.range(0, 60)
                .mapToObj(i -> new Sample(i / 120.0, value.applyAsDouble(i / 120.0)))
                .toList();
    }
}
