package io.mhsld.stress.storm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.head.HostDriver;
import io.mhsld.stress.process.ChildJvm;
import io.mhsld.stress.storm.Requests.Run;
import io.mhsld.stress.storm.TagOracle.Row;
import io.mhsld.stress.storm.TagOracle.Tag;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TagOracleTest {
    private static final List<Run> RUNS = List.of(new Run(2, 3));

    @TempDir
    private Path folder;

    private final TagOracle oracle = new TagOracle();
    private ChildJvm process;
    private Life first;
    private Life second;

    @BeforeEach
    void start() {
        process = ChildJvm.start(Operator.class, folder.resolve("log"), List.of(), List.of("none"));
        first = new Life(1, 0, HostDriver.Mode.AUTO, process);
        second = new Life(2, 1, HostDriver.Mode.AUTO, process);
    }

    @AfterEach
    void end() {
        process.close();
    }

    @Test
    void shouldKnowWhatIsGone() {
        Tag tag = oracle.create(first, 0, true);
        assertEquals(Optional.empty(), oracle.held(tag, first, RUNS));
        assertFalse(oracle.before(tag).wasGone());
        oracle.doom(first);
        assertFalse(oracle.before(tag).wasGone(), "nobody has taken it from the dead yet");
        oracle.serves(new Life(3, 0, HostDriver.Mode.AUTO, process));
        assertTrue(oracle.joining(tag, second).wasGone());
        assertFalse(oracle.mayBeSeen(tag.number(), 3, second));
        assertTrue(oracle.mayBeSeen(tag.number(), 1, second));
    }

    @Test
    void shouldFindTwoTagsWithOneBlock() {
        Tag tag = oracle.create(first, 0, true);
        Tag other = oracle.create(second, 0, true);
        assertEquals(Optional.empty(), oracle.held(tag, first, RUNS));
        assertTrue(oracle.held(other, second, List.of(new Run(4, 1))).isPresent());
    }

    @Test
    void shouldKnowWhoMayShareABlock() {
        Tag tag = oracle.create(first, 0, true);
        assertEquals(Optional.empty(), oracle.held(tag, first, RUNS));
        assertFalse(oracle.mayBeShared(2, 0b11));
        oracle.joining(tag, second);
        assertTrue(oracle.mayBeShared(2, 0b11));
        assertFalse(oracle.mayBeShared(5, 0b11));
        oracle.left(tag, second);
        assertFalse(oracle.mayBeShared(2, 0b11));
    }

    @Test
    void shouldFindWrongRows() {
        Tag tag = oracle.create(first, 0, true);
        assertEquals(Optional.empty(), oracle.held(tag, first, RUNS));
        assertEquals(List.of(), oracle.compare(List.of(new Row(tag.name(), 0, 0b1, false, RUNS))));
        assertEquals(1, oracle.compare(List.of()).size(), "lost");
        assertEquals(
                1,
                oracle.compare(List.of(new Row(tag.name(), 0, 0b11, false, RUNS)))
                        .size(),
                "a holder too many");
        assertEquals(
                1,
                oracle.compare(List.of(new Row(tag.name(), 0, 0b1, true, RUNS))).size(),
                "kept by nobody");
        oracle.left(tag, first);
        assertEquals(List.of(), oracle.compare(List.of()));
        assertEquals(
                1,
                oracle.compare(List.of(new Row(tag.name(), 0, 0b1, false, RUNS)))
                        .size(),
                "left behind");
    }
}
