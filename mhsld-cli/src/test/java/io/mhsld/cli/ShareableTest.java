package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mhsld.state.Geometry;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShareableTest {
    private static final long SEED = Long.getLong("mhsld.seed", 99L);
    private static final Geometry GEOMETRY = Geometry.of(2, 8 << 20, 4, 2 << 20);

    @Test
    void shouldReadRegionsAndAll() {
        assertEquals(Set.of(0, 2), Shareable.parse("0,2").in(GEOMETRY).shareableRegions());
        assertEquals(Set.of(3), Shareable.parse("3,3").in(GEOMETRY).shareableRegions());
        assertEquals(Set.of(0, 1, 2, 3), Shareable.parse("all").in(GEOMETRY).shareableRegions());
        assertEquals(GEOMETRY, Shareable.NONE.in(GEOMETRY));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ",", "0,", "x", "10", "-1", "0 1", "ALL", "all,1"})
    void shouldRefuseWhatIsNoRegions(String text) {
        assertThrows(IllegalArgumentException.class, () -> Shareable.parse(text));
    }

    @Test
    void shouldRefuseRegionThatIsNot() {
        assertThrows(IllegalArgumentException.class, () -> Shareable.parse("4").in(GEOMETRY));
    }

    @Test
    void shouldReadOrRefuseAnyText() {
        SplittableRandom random = new SplittableRandom(SEED);
        String letters = "0123456789,al -x\u00e4";
        for (int round = 0; round < 10_000; round++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(6); i > 0; i--) {
                text.append(letters.charAt(random.nextInt(letters.length())));
            }
            try {
                Shareable parsed = Shareable.parse(text.toString());
                boolean isInRange = parsed.regions().stream().allMatch(id -> id >= 0 && id <= 9);
                assertEquals(true, isInRange, "seed=" + SEED + " text=" + text);
            } catch (IllegalArgumentException e) {
                assertEquals(true, e.getMessage().startsWith("not regions: "), "seed=" + SEED + " text=" + text);
            }
        }
    }
}
