package io.mhsld.stress.contest;

import io.mhsld.head.LeaseFile;
import io.mhsld.head.Leases.Lease;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.OwnerMap;
import io.mhsld.state.StateFile;
import io.mhsld.stress.contest.RoundPlan.Kind;
import io.mhsld.stress.contest.RoundPlan.Range;
import io.mhsld.stress.contest.Scoreboard.Score;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/** One process of the contest: it goes through three phases on each device, and writes down what it won and lost. */
final class Contender {
    /** Said in full; the others are counted. */
    private static final int MAX_REPORTS = 10;

    /** However slow the machine is: enough for rounds of every kind. */
    private static final int MIN_ROUNDS = 60;

    /** However slow the machine is: enough for rounds in which all get what they want, and for others. */
    private static final int MIN_CHOICES = 20;

    /** Longest range of the free phase: longer ones would be met nearly always. */
    private static final int MAX_FREE_RANGE = 12;

    private static final int MAX_DWELL_SPINS = 40;

    private final int number;
    private final List<Integer> heads;
    private final int head;
    private final long seed;
    private final long phaseNs;
    private final boolean broken;
    private final StateFile state;
    private final DeviceFiles files;
    private final OwnerMap map;
    private final Blocks blocks;
    private final Scoreboard board;

    private Contender(int number, int contenders, long seed, long phaseMs, boolean broken, String device, Path board) {
        this.number = number;
        this.seed = seed;
        this.phaseNs = TimeUnit.MILLISECONDS.toNanos(phaseMs);
        this.broken = broken;
        this.files = DeviceFiles.named(device);
        this.state = StateFile.open(files.stateFile(), StateFile.Access.READ_WRITE, 0);
        this.heads = headsOf(contenders, state.geometry().headCount());
        this.head = heads.get(number);
        this.map = state.ownerMap();
        this.blocks = Blocks.of(state, broken);
        this.board = Scoreboard.map(board, contenders);
    }

    /** Arguments: number, contenders, seed, milliseconds for each phase, broken, and for each device its name and its scoreboard. */
    public static void main(String[] arguments) {
        int number = Integer.parseInt(arguments[0]);
        int contenders = Integer.parseInt(arguments[1]);
        long seed = Long.parseLong(arguments[2]);
        long phaseMs = Long.parseLong(arguments[3]);
        boolean broken = Boolean.parseBoolean(arguments[4]);
        for (int i = 5; i < arguments.length; i += 2) {
            Contender contender =
                    new Contender(number, contenders, seed, phaseMs, broken, arguments[i], Path.of(arguments[i + 1]));
            contender.run();
        }
    }

    /** Heads that stand apart in the lane, the first and the last among them. */
    static List<Integer> headsOf(int contenders, int headCount) {
        return IntStream.range(0, contenders)
                .mapToObj(i -> i * (headCount - 1) / Math.max(1, contenders - 1))
                .toList();
    }

    private void run() {
        board.awaitOthers();
        playRounds();
        board.awaitOthers();
        contendFreely();
        board.awaitOthers();
        contendForLeases();
        board.awaitOthers();
        for (int lease = 0; number == 0 && lease < Scoreboard.LEASES; lease++) {
            board.set(number, Score.incarnation(lease), state.heads().incarnationAcquire(lease));
        }
        chooseBlocks();
        board.set(number, Score.DONE, 1);
        state.close();
    }

    // ---- rounds: all claim at once, somebody judges, the winners let go

    private void playRounds() {
        long endNs = System.nanoTime() + phaseNs;
        int contenders = heads.size();
        for (long round = 0; board.stops() == 0; round++) {
            RoundPlan plan = RoundPlan.of(seed, round, contenders, Scoreboard.BLOCKS);
            boolean judge = round % contenders == number;
            if (judge && plan.obstacle() != RoundPlan.NO_OBSTACLE) {
                setObstacle(plan, round);
            }
            board.awaitOthers();
            playRound(plan, round, judge);
            if (number == 0 && round >= MIN_ROUNDS && System.nanoTime() - endNs > 0) {
                board.stop();
            }
            board.awaitOthers();
        }
    }

    private void playRound(RoundPlan plan, long round, boolean judge) {
        Range range = plan.ranges().get(number);
        long met = blocks.claim(head, range.first(), range.count());
        boolean won = met == OwnerMap.CLAIMED;
        board.set(number, Score.MET, met);
        board.add(number, roundsOf(plan.kind()), 1);
        board.add(number, winsOf(plan.kind()), won ? 1 : 0);
        if (!won && (met < range.first() || met >= range.end())) {
            report("a claim met a block that it did not want: met=%d %s round=%d", met, range, round);
        }
        board.awaitOthers();
        if (judge) {
            judge(plan, round);
        }
        board.awaitOthers();
        if (won) {
            long cleared = map.clear(head, range.first(), range.count());
            if (cleared != range.count()) {
                report("a winner had less than it won: cleared=%d %s round=%d", cleared, range, round);
            }
        }
        if (judge && plan.obstacle() != RoundPlan.NO_OBSTACLE) {
            map.clear(obstacleHead(), plan.obstacle(), 1);
        }
    }

    private void setObstacle(RoundPlan plan, long round) {
        if (map.claim(obstacleHead(), plan.obstacle(), 1) != OwnerMap.CLAIMED) {
            report("a block was owned between two rounds: block=%d round=%d", plan.obstacle(), round);
        }
    }

    /** A head that is no contender's. */
    private int obstacleHead() {
        int free = 0;
        while (heads.contains(free)) {
            free++;
        }
        return free;
    }

    /** Nobody is at work: every lane must be what the winners' claims made of it. */
    private void judge(RoundPlan plan, long round) {
        long[] expected = new long[Scoreboard.BLOCKS];
        if (plan.obstacle() != RoundPlan.NO_OBSTACLE) {
            expected[plan.obstacle()] = 1L << obstacleHead();
        }
        int winners = 0;
        for (int contender = 0; contender < heads.size(); contender++) {
            if (board.get(contender, Score.MET) == OwnerMap.CLAIMED) {
                winners++;
                Range range = plan.ranges().get(contender);
                for (int block = range.first(); block < range.end(); block++) {
                    if (expected[block] != 0) {
                        report("two won the same block: block=%d round=%d plan=%s", block, round, plan);
                    }
                    expected[block] |= 1L << heads.get(contender);
                }
            }
        }
        if (winners == 0 && plan.kind() != Kind.BLOCKED) {
            report("nobody won: round=%d plan=%s", round, plan);
        }
        for (int block = 0; block < expected.length; block++) {
            long owners = map.ownersVolatile(block);
            if (owners != expected[block]) {
                report(
                        "wrong lane: block=%d owners=0x%x expected=0x%x winners=%d round=%d plan=%s",
                        block, owners, expected[block], winners, round, plan);
            }
        }
    }

    private static Score roundsOf(Kind kind) {
        return switch (kind) {
            case SAME -> Score.SAME_ROUNDS;
            case OVERLAPPING -> Score.OVERLAPPING_ROUNDS;
            case BLOCKED -> Score.BLOCKED_ROUNDS;
        };
    }

    private static Score winsOf(Kind kind) {
        return switch (kind) {
            case SAME -> Score.SAME_WINS;
            case OVERLAPPING -> Score.OVERLAPPING_WINS;
            case BLOCKED -> Score.BLOCKED_WINS;
        };
    }

    // ---- free: each for itself, as fast as it can

    private void contendFreely() {
        SplittableRandom random = new SplittableRandom(seed ^ ((number + 1L) << 32));
        long endNs = System.nanoTime() + phaseNs;
        long attempts = 0;
        long wins = 0;
        long losses = 0;
        while (System.nanoTime() - endNs < 0) {
            int first = random.nextInt(Scoreboard.BLOCKS);
            int count = 1 + random.nextInt(Math.min(MAX_FREE_RANGE, Scoreboard.BLOCKS - first));
            attempts++;
            if (blocks.claim(head, first, count) != OwnerMap.CLAIMED) {
                losses++;
                continue;
            }
            wins++;
            for (int block = first; block < first + count; block++) {
                board.drawTicketPlain(block);
                board.countBlockWin(number, block);
            }
            for (int spins = random.nextInt(MAX_DWELL_SPINS); spins > 0; spins--) {
                Thread.onSpinWait();
            }
            long cleared = map.clear(head, first, count);
            if (cleared != count) {
                report("an owner had less than it won: first=%d count=%d cleared=%d", first, count, cleared);
            }
        }
        board.set(number, Score.FREE_ATTEMPTS, attempts);
        board.set(number, Score.FREE_WINS, wins);
        board.set(number, Score.FREE_LOSSES, losses);
    }

    // ---- leases: whoever holds one raises the head's incarnation, and draws a ticket, by plain loads and stores

    private void contendForLeases() {
        SplittableRandom random = new SplittableRandom(seed ^ ((number + 1L) << 40));
        long endNs = System.nanoTime() + phaseNs;
        long attempts = 0;
        long wins = 0;
        try (LeaseFile leases = LeaseFile.open(files.lockFile(), PosixFilePermissions.fromString("rw-------"))) {
            while (System.nanoTime() - endNs < 0) {
                int wanted = random.nextInt(Scoreboard.LEASES);
                attempts++;
                if (broken) {
                    if (!leases.isHeld(wanted)) {
                        wins++;
                        actAsHolder(wanted);
                    }
                    continue;
                }
                Optional<Lease> lease = leases.tryHead(wanted);
                if (lease.isPresent()) {
                    wins++;
                    actAsHolder(wanted);
                    lease.get().release();
                }
            }
        }
        board.set(number, Score.LEASE_ATTEMPTS, attempts);
        board.set(number, Score.LEASE_WINS, wins);
        board.set(number, Score.LEASE_LOSSES, attempts - wins);
    }

    private void actAsHolder(int lease) {
        state.heads().nextIncarnationRelease(lease);
        board.drawLeaseTicketPlain(lease);
    }

    // ---- choices: all want so many blocks at once, wherever they are

    private void chooseBlocks() {
        long stopsBefore = board.stops();
        int contenders = heads.size();
        board.awaitOthers();
        try (LeaseFile leases = LeaseFile.open(files.lockFile(), PosixFilePermissions.fromString("rw-------"));
                Chooser chooser = new Chooser(state, leases, head, broken)) {
            board.awaitOthers();
            // On the first device a process loads all that a head consists of, which takes longer than a phase.
            chooser.choose(1);
            chooser.letGo();
            board.awaitOthers();
            long endNs = System.nanoTime() + phaseNs;
            for (long round = 0; board.stops() == stopsBefore; round++) {
                int[] wants = Chooser.wants(seed, round, contenders, Scoreboard.BLOCKS);
                board.awaitOthers();
                long startNs = System.nanoTime();
                boolean won = chooser.choose(wants[number]).isEmpty();
                countLongest(System.nanoTime() - startNs);
                board.set(number, Score.MET, won ? wants[number] : 0);
                board.add(number, Score.CHOICE_ROUNDS, 1);
                board.add(number, won ? Score.CHOICE_WINS : Score.CHOICE_LOSSES, 1);
                board.awaitOthers();
                judgeChoice(chooser, round, wants[number], won);
                if (number == 0 && round >= MIN_CHOICES && System.nanoTime() - endNs > 0) {
                    board.stop();
                }
                board.awaitOthers();
                chooser.letGo();
                board.awaitOthers();
            }
            // Nobody leaves while another one still wants something.
            board.awaitOthers();
        }
    }

    /** A choice that waited out its patience would show. */
    private void countLongest(long tookNs) {
        board.set(
                number,
                Score.CHOICE_LONGEST_US,
                Math.max(board.get(number, Score.CHOICE_LONGEST_US), TimeUnit.NANOSECONDS.toMicros(tookNs)));
    }

    /** Nobody is at work: who got something has all of it, and who got nothing could not have it beside the others. */
    private void judgeChoice(Chooser chooser, long round, int wanted, boolean won) {
        long owned = chooser.owned();
        if (owned != (won ? wanted : 0)) {
            report("neither all nor nothing: owned=%d wanted=%d got=%b round=%d", owned, wanted, won, round);
        }
        long left = Scoreboard.BLOCKS - board.sum(Score.MET);
        if (left < 0 || (!won && wanted <= left)) {
            report("refused while enough is free: wanted=%d free=%d round=%d", wanted, left, round);
        }
        if (!won && Chooser.isFitting(round)) {
            report("refused though there is enough for all: wanted=%d round=%d", wanted, round);
        }
    }

    private void report(String format, Object... values) {
        board.add(number, Score.VIOLATIONS, 1);
        if (board.get(number, Score.VIOLATIONS) <= MAX_REPORTS) {
            System.out.printf(
                    "violation: heads=%d contender=%d ", state.geometry().headCount(), number);
            System.out.printf(format + "%n", values);
        }
    }
}
