package io.mhsld.stress.storm;

import io.mhsld.Device;
import io.mhsld.head.Fence;
import io.mhsld.head.Repairer;
import io.mhsld.qmp.QmpException;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import io.mhsld.stress.storm.Requests.Run;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/** Does harm to the heads, and measures how long the dead hold on. One thread. */
final class Chaos {
    /** Now fierce, now calm: few heads come to own anything when all are killed as they start. */
    private static final int[] MAX_PAUSES_MS = {150, 400, 1000};

    private static final long MOOD_NS = TimeUnit.SECONDS.toNanos(2);
    private static final long CLAIM_PATIENCE_NS = TimeUnit.SECONDS.toNanos(10);
    private static final int MAX_STOP_MS = 900;

    /** So much of the harm is for heads that own something. */
    private static final int WITH_BLOCKS_PERCENT = 60;

    /** So often a head of the wanted kind is looked for. */
    private static final int ATTEMPTS = 200;

    /** Requests that were sent before everybody was told to leave the blocks alone have been answered by then. */
    private static final long SHUN_NS = TimeUnit.MILLISECONDS.toNanos(40);

    private final Storm storm;
    private final Tally tally;
    private final SplittableRandom random;
    private int maxPauseMs = MAX_PAUSES_MS[0];
    private int dice;
    private int attempts;
    private long moodNs = System.nanoTime();

    Chaos(Storm storm, SplittableRandom random) {
        this.storm = storm;
        this.tally = storm.tally();
        this.random = random;
    }

    /** Does one thing to one head, or several. */
    long step() {
        if (System.nanoTime() - moodNs > MOOD_NS) {
            moodNs = System.nanoTime();
            maxPauseMs = MAX_PAUSES_MS[random.nextInt(MAX_PAUSES_MS.length)];
        }
        if (attempts++ % ATTEMPTS == 0) {
            dice = random.nextInt(100);
        }
        boolean wantsOwner = dice < WITH_BLOCKS_PERCENT;
        HeadSlot slot = storm.slots().get(random.nextInt(storm.slots().size()));
        if (storm.isLongLived(slot) || !slot.fate().tryLock()) {
            return 1_000_000;
        }
        try {
            Optional<Life> victim = slot.life()
                    .filter(life -> !life.isDoomed())
                    .filter(life ->
                            !wantsOwner || storm.ownership().certain(life).size() > 1);
            if (victim.isEmpty()) {
                return 1_000_000;
            }
            harm(slot, victim.get());
            attempts = 0;
        } finally {
            slot.fate().unlock();
        }
        return TimeUnit.MILLISECONDS.toNanos(random.nextInt(maxPauseMs));
    }

    private void harm(HeadSlot slot, Life life) {
        if (dice < 30) {
            claimFromTheDead(life);
        } else if (dice < 38) {
            awaitRelease(life);
        } else if (dice < 47) {
            stop(life);
        } else if (dice < 55) {
            killWithItsReaper(slot, life);
        } else if (dice < WITH_BLOCKS_PERCENT) {
            recover(slot, life);
        } else if (dice < 65) {
            fence(slot, life);
        } else if (dice < 71) {
            leave(life);
        } else if (dice < 80) {
            leave(life);
            Storm.pauseNs(random.nextLong(25_000_000));
            killLeaving(life);
        } else {
            kill(life, "at any moment");
        }
    }

    private void kill(Life life, String when) {
        storm.ownership().doom(life, Ending.KILLED);
        life.process().killNow();
        tally.deed("kill: " + when);
    }

    private void leave(Life life) {
        storm.ownership().doom(life, Ending.LEFT);
        life.process().terminate();
        tally.deed("SIGTERM");
    }

    private void killLeaving(Life life) {
        storm.ownership().doom(life, Ending.KILLED);
        life.process().killNow();
        tally.deed("kill: while it left");
    }

    /** The second is likely to be reaping the first. */
    private void killWithItsReaper(HeadSlot slot, Life life) {
        kill(life, "together with others");
        for (HeadSlot other : storm.slots()) {
            if (other != slot
                    && !storm.isLongLived(other)
                    && random.nextInt(3) == 0
                    && other.fate().tryLock()) {
                try {
                    Storm.pauseNs(random.nextLong(8_000_000));
                    other.life().filter(peer -> !peer.isDoomed()).ifPresent(peer -> kill(peer, "together with others"));
                } finally {
                    other.fate().unlock();
                }
            }
        }
    }

    private void recover(HeadSlot slot, Life life) {
        kill(life, "before a recover");
        for (HeadSlot other : storm.slots()) {
            if (other != slot
                    && !storm.isLongLived(other)
                    && random.nextInt(4) == 0
                    && other.fate().tryLock()) {
                try {
                    other.life().filter(peer -> !peer.isDoomed()).ifPresent(peer -> kill(peer, "before a recover"));
                } finally {
                    other.fate().unlock();
                }
            }
        }
        storm.tellOperator("recover", random.nextBoolean() ? 1 + random.nextLong(8_000_000) : 0);
        try {
            Repairer.Recovery recovery = Device.recover(storm.files(), Operator.WAIT_MS);
            recovery.after().findings().forEach(finding -> tally.violation("inspection after a recover: %s", finding));
            tally.deed("recover");
        } catch (StateFileException e) {
            requireInUse(e, "recover");
        }
    }

    // ---- stopped heads

    private void stop(Life life) {
        life.process().signal("STOP");
        tally.deed("stop");
        long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(5 + random.nextInt(MAX_STOP_MS));
        while (System.nanoTime() - endNs < 0) {
            askForBlocksOf(life);
            Storm.pauseNs(5_000_000);
        }
        for (long block : storm.ownership().certain(life)) {
            long lane = storm.view().ownerMap().ownersVolatile(block);
            boolean stillItsOwn = storm.ownership()
                    .owner(block)
                    .filter(owner -> owner == life)
                    .isPresent();
            if (stillItsOwn && (lane >>> life.head() & 1) == 0) {
                tally.violation("I5 a stopped head has lost a block: %s block=%d lane=0x%x", life, block, lane);
            }
        }
        if (random.nextInt(4) == 0) {
            kill(life, "while it was stopped");
        } else if (random.nextInt(6) == 0) {
            leave(life);
            life.process().signal("CONT");
        } else {
            life.process().signal("CONT");
            tally.deed("continue");
        }
    }

    /** What a stopped head has is not to be had; the oracle sees it when it is. */
    private void askForBlocksOf(Life stopped) {
        List<Long> owned = storm.ownership().certain(stopped);
        HeadSlot other = storm.slots().get(random.nextInt(storm.slots().size()));
        if (owned.isEmpty() || other.head() == stopped.head() || !other.fate().tryLock()) {
            return;
        }
        try {
            if (!other.control().tryLock()) {
                return;
            }
            try {
                long block = owned.get(random.nextInt(owned.size()));
                other.serving()
                        .ifPresent(life -> other.host().ifPresent(host -> {
                            if (!host.owned().contains(block) && !ask(other, life, host, block)) {
                                tally.deed("asked for a block of a stopped head, refused");
                            }
                        }));
            } finally {
                other.control().unlock();
            }
        } finally {
            other.fate().unlock();
        }
    }

    // ---- fences

    private void fence(HeadSlot slot, Life life) {
        boolean wasReady = life.isReady();
        if (random.nextInt(3) == 0) {
            life.process().signal("STOP");
            tally.deed("stop");
        }
        storm.ownership().doom(life, Ending.FENCED);
        try {
            Optional<Long> fenced = Device.fence(storm.files(), slot.head()).map(Fence.Ended::pid);
            if (wasReady && (fenced.isEmpty() || fenced.get() != life.process().pid())) {
                tally.violation("fence has not ended the head: %s fenced=%s", life, fenced);
            }
            long left = storm.view().ownerMap().countVolatile(slot.head());
            if (wasReady && left != 0) {
                tally.violation("I5 a fenced head still holds blocks: %s blocks=%d", life, left);
            }
            tally.deed("fence");
        } catch (StateFileException e) {
            requireInUse(e, "fence");
        }
        // One that was only starting may not have been anybody's head yet.
        life.process().killNow();
    }

    private void requireInUse(StateFileException e, String what) {
        if (e.problem() != Problem.IN_USE) {
            tally.violation("%s failed: %s", what, e);
        }
        tally.deed(what + ", refused");
    }

    // ---- how long the dead hold on

    /** Another head asks for a block of the dead one at once, and again until it gets it. */
    private void claimFromTheDead(Life life) {
        Optional<HeadSlot> serving = otherServing(life);
        if (serving.isEmpty() || !serving.get().fate().tryLock()) {
            return;
        }
        HeadSlot heir = serving.get();
        try {
            heir.control().lock();
            try {
                Optional<Life> living = heir.serving();
                Optional<Host> host = heir.host();
                List<Long> owned = new ArrayList<>(storm.ownership().certain(life));
                if (living.isEmpty() || host.isEmpty() || owned.isEmpty()) {
                    return;
                }
                life.shun();
                long block = owned.get(random.nextInt(owned.size()));
                long deathNs = System.nanoTime();
                kill(life, "and another head asks at once");
                timeEnd(life, deathNs);
                claim(heir, living.get(), host.get(), life, block, deathNs);
            } finally {
                heir.control().unlock();
            }
        } finally {
            heir.fate().unlock();
        }
    }

    private void claim(HeadSlot heir, Life living, Host host, Life dead, long block, long deathNs) {
        String refusals = "";
        while (System.nanoTime() - deathNs < CLAIM_PATIENCE_NS && !living.isDoomed()) {
            long[] gotNs = {0};
            long askedNs = System.nanoTime();
            if (ask(heir, living, host, block, gotNs)) {
                tally.claimableOnConflict(
                        gotNs[0] - deathNs,
                        dead.goneNs(),
                        String.format("lastAskMs=%.1f refusalsMs=[%s]", (gotNs[0] - askedNs) / 1e6, refusals));
                return;
            }
            refusals += String.format(" %.1f", (System.nanoTime() - askedNs) / 1e6);
            if (storm.ownership().owner(block).isPresent() || host.lastRefusal().startsWith("no memory left")) {
                tally.deed("measurement given up: another head was faster");
                return;
            }
            if (!host.lastRefusal().contains("owner=[" + dead.head() + "]")) {
                Storm.pauseNs(1_000_000);
            }
        }
        if (!living.isDoomed()) {
            tally.violation(
                    "I5 block of a dead head cannot be claimed: dead=[%s] block=%d lane=0x%x by=[%s] reason=\"%s\"",
                    dead, block, storm.view().ownerMap().ownersVolatile(block), living, host.lastRefusal());
        }
    }

    private boolean ask(HeadSlot slot, Life life, Host host, long block) {
        return ask(slot, life, host, block, new long[1]);
    }

    private static boolean ask(HeadSlot slot, Life life, Host host, long block, long[] gotNs) {
        try {
            return host.add(List.of(new Run(block, 1)), gotNs);
        } catch (QmpException e) {
            slot.blame(life, e);
            return false;
        }
    }

    /** Nobody asks for anything that the dead one had; one other head at least lives all the time, for it is the living that free it. */
    private void awaitRelease(Life life) {
        Optional<HeadSlot> witness = otherServing(life);
        if (!life.isReady()
                || storm.ownership().certain(life).isEmpty()
                || witness.isEmpty()
                || !witness.get().fate().tryLock()) {
            return;
        }
        try {
            if (witness.get().serving().isPresent()) {
                killAndAwaitRelease(life);
            }
        } finally {
            witness.get().fate().unlock();
        }
    }

    private Optional<HeadSlot> otherServing(Life life) {
        return storm.slots().stream()
                .filter(slot -> slot.head() != life.head() && slot.serving().isPresent())
                .skip(random.nextInt(2))
                .findFirst();
    }

    private void killAndAwaitRelease(Life life) {
        life.shun();
        Storm.pauseNs(SHUN_NS);
        int witnesses = (int) storm.slots().stream()
                .filter(slot -> slot.serving().isPresent())
                .count();
        long deathNs = System.nanoTime();
        kill(life, "and nobody asks");
        timeEnd(life, deathNs);
        while (storm.view().ownerMap().countVolatile(life.head()) > 0) {
            if (System.nanoTime() - deathNs > CLAIM_PATIENCE_NS) {
                tally.violation(
                        "I5 a dead head still holds blocks: dead=[%s] blocks=%d",
                        life, storm.view().ownerMap().countVolatile(life.head()));
                return;
            }
            Storm.pauseNs(200_000);
        }
        tally.claimableWithoutConflict(
                System.nanoTime() - deathNs, life.goneNs(), "ageMs=" + life.ageMs() + " serving=" + witnesses);
    }

    private void timeEnd(Life life, long deathNs) {
        life.process().onExit(() -> {
            life.setGoneNs(System.nanoTime() - deathNs);
            tally.gone(life.goneNs());
        });
    }
}
