package io.mhsld.stress.contest;

import io.mhsld.state.StateFile;
import io.mhsld.stress.contest.Scoreboard.Score;
import io.mhsld.stress.process.ChildJvm;
import io.mhsld.stress.process.TrialDevice;
import io.mhsld.stress.process.TrialFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Processes contend for the blocks of a device, for lanes of each length: in rounds, all at once for the same or for overlapping blocks; then
 * freely; for leases; and for so many free blocks, wherever they are. All sums must come out exactly: whoever owns a block, or holds a lease, adds one to a number by a plain load and a
 * plain store, and two at once would lose one of them.
 */
@Command(
        name = "contest",
        description =
                "Real processes contend for blocks and leases of one device; wins and losses are counted exactly.")
public final class Contest implements Callable<Integer> {
    private static final int[] HEAD_COUNTS = {8, 16, 32, 64};
    private static final int PHASES = 4;
    private static final long START_PATIENCE_S = 60;
    private static final int MAX_LINES_SHOWN = 12;

    @Option(
            names = "--heads",
            paramLabel = "N",
            defaultValue = "4",
            description = "Processes, 2 to 7 (${DEFAULT-VALUE}).")
    private int contenders;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "9",
            description = "How long they contend, over all lengths of lanes (${DEFAULT-VALUE}).")
    private int seconds;

    @Option(names = "--seed", paramLabel = "X", description = "Which blocks they want in which order.")
    private Optional<Long> seed = Optional.empty();

    @Option(names = "--broken", description = "They claim wrong, and must be caught.")
    private boolean broken;

    @Option(
            names = "--evidence",
            paramLabel = "FOLDER",
            defaultValue = "${sys:java.io.tmpdir}",
            description = "Where files go that a violation leaves behind (${DEFAULT-VALUE}).")
    private Path evidence;

    @Spec
    private CommandSpec spec;

    private final List<String> violations = new ArrayList<>();

    @Override
    public Integer call() {
        if (contenders < 2 || contenders > 7 || seconds < 1) {
            throw new ParameterException(spec.commandLine(), "--heads from 2 to 7, --seconds from 1");
        }
        long drawn = seed.orElseGet(() -> new SplittableRandom().nextLong(1_000_000_000));
        say(
                "contest: seed=%d processes=%d seconds=%d broken=%b java=%d",
                drawn, contenders, seconds, broken, Runtime.version().feature());
        TrialFolder folder = TrialFolder.create(evidence, "contest");
        List<TrialDevice> devices = new ArrayList<>();
        try {
            for (int headCount : HEAD_COUNTS) {
                devices.add(TrialDevice.create("contest", headCount, Scoreboard.BLOCKS));
            }
            contend(folder, devices, drawn);
            for (int i = 0; i < HEAD_COUNTS.length; i++) {
                count(devices.get(i), Scoreboard.map(folder.file(boardName(i)), contenders));
            }
            if (!violations.isEmpty()) {
                devices.forEach(device -> folder.keep(device.files()));
            }
        } finally {
            devices.forEach(TrialDevice::close);
        }
        if (violations.isEmpty()) {
            folder.delete();
            say("passed: violations=0");
            return 0;
        }
        violations.stream().limit(MAX_LINES_SHOWN).forEach(violation -> say("%s", violation));
        say("FAILED: violations=%d seed=%d evidence=%s", violations.size(), drawn, folder.path());
        return 1;
    }

    private void contend(TrialFolder folder, List<TrialDevice> devices, long drawn) {
        List<ChildJvm> children = new ArrayList<>();
        try {
            long phaseMs = 1000L * seconds / PHASES / HEAD_COUNTS.length;
            for (int number = 0; number < contenders; number++) {
                List<String> arguments =
                        new ArrayList<>(List.of("" + number, "" + contenders, "" + drawn, "" + phaseMs, "" + broken));
                for (int i = 0; i < devices.size(); i++) {
                    arguments.add(devices.get(i).name());
                    arguments.add(folder.file(boardName(i)).toString());
                }
                children.add(ChildJvm.start(
                        Contender.class, folder.file("contender-" + number + ".log"), List.of(), arguments));
            }
            for (ChildJvm child : children) {
                int status = child.awaitExit(seconds + START_PATIENCE_S);
                child.output().lines().filter(line -> !line.isBlank()).forEach(violations::add);
                check(status == 0, "a contender ended badly: status=%d pid=%d", status, child.pid());
            }
        } finally {
            children.forEach(ChildJvm::close);
        }
    }

    private static String boardName(int device) {
        return "scores-" + HEAD_COUNTS[device];
    }

    /** The sums of one device. */
    private void count(TrialDevice device, Scoreboard board) {
        try (StateFile state = StateFile.open(device.files().stateFile(), StateFile.Access.READ_ONLY, 0)) {
            int heads = state.geometry().headCount();
            countRounds(heads, board);
            countFree(heads, board);
            countLeases(heads, board);
            countChoices(heads, board);
            long owned = IntStream.range(0, Scoreboard.BLOCKS)
                    .filter(block -> state.ownerMap().ownersVolatile(block) != 0)
                    .count();
            check(owned == 0, "blocks are owned after the end: heads=%d blocks=%d", heads, owned);
            long found = board.sum(Score.VIOLATIONS);
            check(found == 0, "contenders found something wrong: heads=%d violations=%d", heads, found);
            check(
                    board.sum(Score.DONE) == contenders,
                    "not all came to the end: heads=%d done=%d",
                    heads,
                    board.sum(Score.DONE));
            say(
                    "lanes for %2d heads: rounds %d same, %d overlapping (%d won), %d blocked;"
                            + " free %d attempts = %d won + %d lost; leases %d asked = %d held + %d refused;"
                            + " choices %d rounds, %d got + %d refused, the longest %.1f ms",
                    heads,
                    board.sum(Score.SAME_ROUNDS) / contenders,
                    board.sum(Score.OVERLAPPING_ROUNDS) / contenders,
                    board.sum(Score.OVERLAPPING_WINS),
                    board.sum(Score.BLOCKED_ROUNDS) / contenders,
                    board.sum(Score.FREE_ATTEMPTS),
                    board.sum(Score.FREE_WINS),
                    board.sum(Score.FREE_LOSSES),
                    board.sum(Score.LEASE_ATTEMPTS),
                    board.sum(Score.LEASE_WINS),
                    board.sum(Score.LEASE_LOSSES),
                    board.get(0, Score.CHOICE_ROUNDS),
                    board.sum(Score.CHOICE_WINS),
                    board.sum(Score.CHOICE_LOSSES),
                    board.max(Score.CHOICE_LONGEST_US) / 1_000.0);
        }
    }

    private void countRounds(int heads, Scoreboard board) {
        long same = board.get(0, Score.SAME_ROUNDS);
        long overlapping = board.get(0, Score.OVERLAPPING_ROUNDS);
        check(
                same > 0 && overlapping > 0,
                "no rounds were played: heads=%d same=%d overlapping=%d",
                heads,
                same,
                overlapping);
        check(
                board.sum(Score.SAME_ROUNDS) == same * contenders,
                "not all played every round: heads=%d played=%d rounds=%d",
                heads,
                board.sum(Score.SAME_ROUNDS),
                same);
        check(
                board.sum(Score.SAME_WINS) == same,
                "wins are not rounds: heads=%d wins=%d rounds=%d",
                heads,
                board.sum(Score.SAME_WINS),
                same);
        check(
                board.sum(Score.OVERLAPPING_WINS) >= overlapping,
                "rounds without a winner: heads=%d wins=%d rounds=%d",
                heads,
                board.sum(Score.OVERLAPPING_WINS),
                overlapping);
        check(
                board.sum(Score.BLOCKED_WINS) == 0,
                "owned blocks were won: heads=%d wins=%d",
                heads,
                board.sum(Score.BLOCKED_WINS));
    }

    private void countFree(int heads, Scoreboard board) {
        long attempts = board.sum(Score.FREE_ATTEMPTS);
        long wins = board.sum(Score.FREE_WINS);
        long losses = board.sum(Score.FREE_LOSSES);
        check(wins > 0 && losses > 0, "there was no contest: heads=%d wins=%d losses=%d", heads, wins, losses);
        check(
                attempts == wins + losses,
                "attempts are not wins and losses: heads=%d attempts=%d wins=%d losses=%d",
                heads,
                attempts,
                wins,
                losses);
        for (int block = 0; block < Scoreboard.BLOCKS; block++) {
            long won = board.blockWins(block);
            long tickets = board.tickets(block);
            check(
                    won == tickets,
                    "two owned a block at once: heads=%d block=%d wins=%d tickets=%d",
                    heads,
                    block,
                    won,
                    tickets);
        }
    }

    private void countLeases(int heads, Scoreboard board) {
        long tickets = 0;
        for (int lease = 0; lease < Scoreboard.LEASES; lease++) {
            long drawn = board.leaseTickets(lease);
            long incarnation = board.get(0, Score.incarnation(lease));
            check(
                    drawn == incarnation,
                    "two held a lease at once: heads=%d lease=%d tickets=%d incarnation=%d",
                    heads,
                    lease,
                    drawn,
                    incarnation);
            tickets += drawn;
        }
        long wins = board.sum(Score.LEASE_WINS);
        check(
                wins == tickets && wins > 0,
                "two held a lease at once: heads=%d wins=%d tickets=%d",
                heads,
                wins,
                tickets);
    }

    private void countChoices(int heads, Scoreboard board) {
        long rounds = board.get(0, Score.CHOICE_ROUNDS);
        long wins = board.sum(Score.CHOICE_WINS);
        long losses = board.sum(Score.CHOICE_LOSSES);
        check(
                rounds > 1 && losses > 0 && wins + losses == rounds * contenders,
                "choices are not those that were got and refused: heads=%d rounds=%d got=%d refused=%d",
                heads,
                rounds,
                wins,
                losses);
    }

    private void check(boolean holds, String format, Object... values) {
        if (!holds) {
            violations.add("violation: " + String.format(Locale.ROOT, format, values));
        }
    }

    private static void say(String format, Object... values) {
        System.out.printf(Locale.ROOT, format + "%n", values);
    }
}
