package io.mhsld.stress.storm;

import io.mhsld.head.HostDriver;
import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpException;
import io.mhsld.socket.LocalAddress;
import io.mhsld.stress.process.ChildJvm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/** One head of the device: one process after the other, and the load on the one that lives. */
final class HeadSlot {
    /** A head that is stopped is not answered for sooner. */
    private static final long REQUEST_TIMEOUT_MS = 30_000;

    private static final long START_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(60);
    private static final long END_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(30);
    private static final long EXIT_PATIENCE_NS = TimeUnit.SECONDS.toNanos(2);
    private static final int KILLED_STARTING_PERCENT = 15;
    private static final int KILLED_STARTING_WITHIN_MS = 400;
    private static final int MAX_DOWNTIME_MS = 120;
    private static final int LOGS_KEPT = 6;
    private static final int SHORT_LIVED_OF_TEN = 9;

    private final Storm storm;
    private final int head;
    private final SplittableRandom random;
    private final ArrayDeque<Path> logs = new ArrayDeque<>();

    /** Held by whoever sends requests to the head. */
    private final ReentrantLock control = new ReentrantLock();

    /** Held by whoever decides whether the process lives: to start it, stop it, end it. */
    private final ReentrantLock fate = new ReentrantLock();

    private volatile Life life;
    private Host host;
    private long changeNs = System.nanoTime();
    private long startDelayNs;
    private long killStartingNs = Long.MAX_VALUE;
    private long doomedNs;

    HeadSlot(Storm storm, int head, SplittableRandom random) {
        this.storm = storm;
        this.head = head;
        this.random = random;
    }

    int head() {
        return head;
    }

    ReentrantLock control() {
        return control;
    }

    ReentrantLock fate() {
        return fate;
    }

    /** The process that is, or was, this head; empty before the next one is started. */
    Optional<Life> life() {
        return Optional.ofNullable(life);
    }

    /** The process, if it serves and nothing has been done to end it. */
    Optional<Life> serving() {
        return life().filter(one -> one.isReady() && !one.isDoomed());
    }

    /** Who sends requests to it; empty while nobody serves. The caller holds {@link #control}. */
    Optional<Host> host() {
        return serving().isPresent() ? Optional.ofNullable(host) : Optional.empty();
    }

    /** One step of this head's life. Returns how long to wait before the next. */
    long step() {
        control.lock();
        try {
            Life current = life;
            if (current == null) {
                return startIfDue();
            } else if (!current.process().isAlive()) {
                bury(current);
                return 0;
            } else if (current.isDoomed()) {
                return awaitEnd(current);
            } else if (!current.isReady()) {
                return awaitReady(current);
            }
            work(current);
            return random.nextInt(4) == 0 ? random.nextLong(4_000_000) : 0;
        } finally {
            control.unlock();
        }
    }

    /** Ends the process for good and waits for it. The caller holds {@link #fate}. */
    void end(boolean politely) {
        control.lock();
        try {
            Life current = life;
            if (current == null) {
                return;
            }
            storm.ownership().doom(current, politely ? Ending.LEFT : Ending.KILLED);
            if (politely) {
                current.process().terminate();
            } else {
                current.process().killNow();
            }
            long endNs = System.nanoTime() + END_TIMEOUT_NS;
            while (current.process().isAlive() && System.nanoTime() - endNs < 0) {
                Storm.pauseNs(1_000_000);
            }
            if (current.process().isAlive()) {
                storm.tally().violation("head does not end: %s", current);
                current.process().kill();
            }
            bury(current);
        } finally {
            control.unlock();
        }
    }

    // ---- steps

    private long startIfDue() {
        if (System.nanoTime() - changeNs < startDelayNs || !fate.tryLock()) {
            return 1_000_000;
        }
        try {
            int number = storm.nextLife();
            boolean longLived = storm.isLongLived(this);
            boolean auto = longLived ? head % 2 == 0 : random.nextBoolean();
            HostDriver.Mode mode = auto ? HostDriver.Mode.AUTO : HostDriver.Mode.MANUAL;
            Path log = storm.launcher().folder().resolve("head" + head + "-life" + number + ".log");
            logs.add(log);
            ChildJvm process = storm.launcher()
                    .start(storm.files(), head, mode, log, !longLived && random.nextInt(10) < SHORT_LIVED_OF_TEN);
            changeNs = System.nanoTime();
            killStartingNs = !longLived && random.nextInt(100) < KILLED_STARTING_PERCENT
                    ? TimeUnit.MILLISECONDS.toNanos(random.nextInt(KILLED_STARTING_WITHIN_MS))
                    : Long.MAX_VALUE;
            life = new Life(number, head, mode, process);
            storm.tally().deed("start");
            return 1_000_000;
        } finally {
            fate.unlock();
        }
    }

    private long awaitReady(Life current) {
        long ageNs = System.nanoTime() - changeNs;
        if (ageNs > killStartingNs && fate.tryLock()) {
            try {
                if (!current.isDoomed()) {
                    storm.ownership().doom(current, Ending.KILLED);
                    current.process().killNow();
                    storm.tally().deed("kill: while it started");
                }
            } finally {
                fate.unlock();
            }
        } else if (HeadLauncher.isReady(current.process())) {
            try {
                QmpClient client = connect();
                host = new Host(current, storm.geometry(), storm.ownership(), storm.tally(), client, random.split());
                current.becomeReady();
            } catch (QmpException e) {
                blame(current, e);
            }
        } else if (ageNs > START_TIMEOUT_NS) {
            storm.tally()
                    .violation(
                            "head does not start: %s log=%s",
                            current, current.process().outputFile());
            storm.ownership().doom(current, Ending.KILLED);
            current.process().killNow();
        }
        return 3_000_000;
    }

    private void work(Life current) {
        try {
            host.act();
        } catch (QmpException e) {
            blame(current, e);
        }
    }

    /** A connection to the control socket of the process that lives now. */
    QmpClient connect() {
        return QmpClient.connect(LocalAddress.unix(storm.files().controlSocket(head)), REQUEST_TIMEOUT_MS);
    }

    /** A request was not answered: that is only right when the head was being ended. */
    void blame(Life current, QmpException e) {
        if (current.isDoomed()) {
            return;
        }
        long endNs = System.nanoTime() + EXIT_PATIENCE_NS;
        while (current.process().isAlive() && System.nanoTime() - endNs < 0) {
            Storm.pauseNs(1_000_000);
        }
        storm.tally()
                .violation(
                        "head that lives does not answer: %s alive=%s reason=\"%s\" log=%s",
                        current,
                        current.process().isAlive(),
                        e.getMessage(),
                        current.process().outputFile());
        storm.ownership().doom(current, Ending.KILLED);
        current.process().killNow();
    }

    private long awaitEnd(Life current) {
        closeHost();
        if (doomedNs == 0) {
            doomedNs = System.nanoTime();
        } else if (System.nanoTime() - doomedNs > END_TIMEOUT_NS && fate.tryLock()) {
            try {
                storm.tally()
                        .violation(
                                "head does not end: %s log=%s",
                                current, current.process().outputFile());
                current.process().killNow();
            } finally {
                fate.unlock();
            }
        }
        return 500_000;
    }

    private void bury(Life current) {
        closeHost();
        int exit = current.process().awaitExit();
        String said = current.process().output();
        Optional<Ending> doom = current.doom();
        boolean byKill = exit == 128 + 9;
        // SIGTERM ends a head that has nothing yet in the JVM's own way; a JVM that has hardly begun can fail over it,
        // and a library that adds a hook of its own complains.
        boolean noJvm = !current.isReady() && said.contains("Error occurred during initialization of VM");
        boolean byJvm = noJvm || (!current.isReady() && said.contains("Shutdown in progress"));
        boolean byLeave = exit == 0 || exit == 128 + 15 || noJvm;
        boolean expected = doom.isPresent()
                && switch (doom.get()) {
                    case LEFT -> byLeave;
                    case KILLED_LEAVING -> byKill || byLeave;
                    default -> byKill;
                };
        if (!expected) {
            storm.tally().violation("head has ended by itself: %s exit=%d said=%n%s", current, exit, said);
        }
        if (!byJvm) {
            said.lines()
                    .filter(line -> line.contains("error") || line.contains("Exception"))
                    .findFirst()
                    .ifPresent(line -> storm.tally().violation("head reports an error: %s line=\"%s\"", current, line));
        }
        doomedNs = 0;
        changeNs = System.nanoTime();
        startDelayNs = TimeUnit.MILLISECONDS.toNanos(random.nextInt(MAX_DOWNTIME_MS));
        life = null;
        removeOldLogs();
    }

    private void closeHost() {
        if (host != null) {
            host.close();
            host = null;
        }
    }

    private void removeOldLogs() {
        try {
            while (logs.size() > LOGS_KEPT && storm.tally().violations().isEmpty()) {
                Files.deleteIfExists(logs.remove());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
