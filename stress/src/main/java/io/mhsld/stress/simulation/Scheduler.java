package io.mhsld.stress.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * One baton for all threads: who has it runs, at each step it may be handed on. All chance comes from one seed, time is counted in steps and
 * pauses, so that the same seed gives the same run.
 */
final class Scheduler {
    /** What a thread meets whose process has been killed: nothing that it does has an effect any more. */
    static final class Died extends Error {
        private static final long serialVersionUID = 1L;

        Died() {
            super("killed", null, false, false);
        }
    }

    /** A thread that takes part. */
    final class Actor {
        private final String name;
        private final int number;
        private final Thread thread;
        private volatile boolean hasBaton;
        private long readyAtNs;
        private boolean killed;
        private boolean buried = true;
        private boolean over;

        /** Who waits for this one to be unwound. */
        private Actor next;

        private Actor(String name, int number, Consumer<Actor> body) {
            this.name = name;
            this.number = number;
            this.thread = new Thread(() -> run(body), name);
            thread.setDaemon(true);
        }

        private void run(Consumer<Actor> body) {
            try {
                waitForBaton(this);
                body.accept(this);
            } catch (Died e) {
                // The end of the run.
            } catch (RuntimeException | Error e) {
                fail(e);
            } finally {
                over = true;
                hand(next == null ? main : next);
            }
        }

        @Override
        public String toString() {
            return name;
        }

        /** True between its death and the begin of its next life. */
        boolean isKilled() {
            return killed;
        }

        /** A life begins: from here on it may be killed. */
        void begin() {
            if (ending) {
                throw new Died();
            }
            buried = false;
        }

        /** A life is over, in whatever way; who killed it goes on. */
        void end() {
            buried = true;
            if (next != null) {
                Actor killer = next;
                next = null;
                hand(killer);
                waitForBaton(this);
            }
            if (ending) {
                throw new Died();
            }
            killed = false;
        }

        /** Does not run for so long. */
        void stop(long ns) {
            readyAtNs = Math.max(readyAtNs, nowNs + ns);
        }
    }

    /** Something that the kernel does later. */
    private record Event(long atNs, long order, Runnable action) {}

    /** Who did what where: for people. */
    private record Step(long atNs, Actor actor, String what, String object, long place) {
        @Override
        public String toString() {
            return String.format("%12d us  %-8s %-6s %s+%d", atNs / 1000, actor, what, object, place);
        }
    }

    private static final int TRACE_LENGTH = 40;

    private final SplittableRandom random;
    private final long stepNs;
    private final int switchOneIn;
    private final List<Actor> actors = new ArrayList<>();
    private final PriorityQueue<Event> events = new PriorityQueue<>(
            (a, b) -> a.atNs == b.atNs ? Long.compare(a.order, b.order) : Long.compare(a.atNs, b.atNs));
    private final Thread mainThread = Thread.currentThread();
    private final Actor main;
    private final Step[] trace = new Step[TRACE_LENGTH];
    private Runnable fate = () -> {};
    private Actor current;
    private long eventCount;
    private long steps;
    private long stepLimit;
    private long switches;
    private long nowNs = 1_000_000_000L;
    private long hash = 17;
    private boolean ending;
    private Throwable failure;

    /**
     * A scheduler without anybody.
     *
     * @param stepNs how long a step takes
     * @param switchOneIn at one step in so many another thread goes on
     */
    Scheduler(SplittableRandom random, long stepNs, int switchOneIn) {
        this.random = random;
        this.stepNs = stepNs;
        this.switchOneIn = switchOneIn;
        this.main = new Actor("main", -1, unused -> {});
        this.current = main;
    }

    /** One more takes part; it begins when its turn comes. */
    Actor add(String name, Consumer<Actor> body) {
        Actor actor = new Actor(name, actors.size(), body);
        actors.add(actor);
        return actor;
    }

    /** Runs all for so many steps, then ends every life as by a kill, each at the place that it had come to. */
    void run(long limit) {
        stepLimit = limit;
        actors.forEach(actor -> actor.thread.start());
        hand(choose());
        waitForBaton(main);
        ending = true;
        for (Actor actor : actors) {
            while (!actor.over) {
                actor.killed = true;
                actor.next = main;
                hand(actor);
                waitForBaton(main);
            }
        }
        runEvents(Long.MAX_VALUE);
    }

    /** What went wrong, with the thread on which it did. */
    Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }

    SplittableRandom random() {
        return random;
    }

    long nowNs() {
        return nowNs;
    }

    long steps() {
        return steps;
    }

    long switches() {
        return switches;
    }

    /** Of all steps: which thread did what where. */
    long hash() {
        return hash;
    }

    /** Whose turn it is, if the calling thread takes part and has the turn: others only look. */
    Optional<Actor> self() {
        return Thread.currentThread() == current.thread && current != main ? Optional.of(current) : Optional.empty();
    }

    /** The last steps, oldest first. */
    List<String> trace() {
        List<String> lines = new ArrayList<>();
        for (long i = Math.max(0, steps - TRACE_LENGTH); i < steps; i++) {
            lines.add(trace[(int) (i % TRACE_LENGTH)].toString());
        }
        return lines;
    }

    /** The kernel does something in so long. */
    void after(long ns, Runnable action) {
        events.add(new Event(nowNs + ns, eventCount++, action));
    }

    /** Is asked at each step whether it wants to stop or kill somebody. */
    void onStep(Runnable listener) {
        fate = listener;
    }

    /** The calling thread is about to do something that others may see. Returns when it is its turn to do so. */
    void step(String what, String object, long place) {
        Actor self = current;
        if (self.killed) {
            throw new Died();
        }
        trace[(int) (steps % TRACE_LENGTH)] = new Step(nowNs, self, what, object, place);
        steps++;
        nowNs += stepNs;
        hash = ((hash * 31 + self.number) * 31 + what.hashCode() + object.hashCode()) * 31 + place;
        runEvents(nowNs);
        fate.run();
        if (steps >= stepLimit || failure != null) {
            yieldTo(main);
        } else if (self.readyAtNs > nowNs || random.nextInt(switchOneIn) == 0) {
            yieldTo(choose());
        }
    }

    /** The calling thread lets others run for so long. */
    void pause(long ns) {
        Actor self = current;
        if (self.killed) {
            throw new Died();
        }
        self.readyAtNs = nowNs + ns;
        yieldTo(choose());
    }

    /** Unwinds a thread, at once, if it is in a life. Its own death is an exception to it. */
    void kill(Actor victim) {
        if (victim.killed || victim.buried) {
            return;
        }
        victim.killed = true;
        if (victim == current) {
            throw new Died();
        }
        victim.readyAtNs = nowNs;
        victim.next = current;
        Actor self = current;
        hand(victim);
        waitForBaton(self);
    }

    // ---- the baton

    /** Somebody who may run; time passes until there is one. */
    private Actor choose() {
        while (true) {
            int ready = 0;
            int left = 0;
            long earliestNs = events.isEmpty() ? Long.MAX_VALUE : events.peek().atNs;
            for (Actor actor : actors) {
                if (!actor.over) {
                    left++;
                    ready += actor.readyAtNs <= nowNs ? 1 : 0;
                    earliestNs = Math.min(earliestNs, actor.readyAtNs);
                }
            }
            if (left == 0) {
                return main;
            }
            if (ready > 0) {
                int chosen = random.nextInt(ready);
                for (Actor actor : actors) {
                    if (!actor.over && actor.readyAtNs <= nowNs && chosen-- == 0) {
                        return actor;
                    }
                }
            }
            nowNs = Math.max(nowNs, earliestNs);
            runEvents(nowNs);
        }
    }

    private void runEvents(long untilNs) {
        while (!events.isEmpty() && events.peek().atNs <= untilNs) {
            events.poll().action.run();
        }
    }

    private void yieldTo(Actor other) {
        Actor self = current;
        if (other != self) {
            switches++;
            hand(other);
            waitForBaton(self);
            if (self.killed) {
                throw new Died();
            }
        }
    }

    private void hand(Actor other) {
        current = other;
        other.hasBaton = true;
        LockSupport.unpark(other == main ? mainThread : other.thread);
    }

    private static void waitForBaton(Actor self) {
        while (!self.hasBaton) {
            LockSupport.park(self);
        }
        self.hasBaton = false;
    }

    private void fail(Throwable error) {
        if (failure == null) {
            failure = error;
        }
    }
}
