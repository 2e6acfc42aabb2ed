package io.mhsld.type3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.BackgroundOperations.State;
import io.mhsld.type3.BackgroundOperations.Status;
import io.mhsld.type3.BackgroundOperations.Step;
import io.mhsld.type3.BackgroundOperations.Work;
import io.mhsld.type3.Refusal.Cause;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class BackgroundOperationsTest {
    private final HandSteps steps = new HandSteps();
    private final BackgroundOperations background = new BackgroundOperations(steps);
    private int ended;

    BackgroundOperationsTest() {
        background.onEnd(() -> ended++);
    }

    /** Takes so many steps; stops are counted. */
    private static final class Counting implements Work {
        private final int count;
        private final boolean isAbortable;
        private int done;
        private int stopped;

        Counting(int count, boolean isAbortable) {
            this.count = count;
            this.isAbortable = isAbortable;
        }

        @Override
        public Step step() {
            done++;
            return done < count ? Step.at(done, count) : Step.last();
        }

        @Override
        public boolean isAbortable() {
            return isAbortable;
        }

        @Override
        public void stopped() {
            stopped++;
        }
    }

    private static Status status(State state, int command, int percent) {
        return new Status(state, command, percent, Optional.empty());
    }

    @Test
    void shouldGoOnStepByStep() {
        assertEquals(status(State.NONE, 0, 0), background.status());
        assertEquals(Optional.empty(), background.start(7, new Counting(4, true)));
        assertEquals(status(State.RUNNING, 7, 0), background.status());
        steps.one();
        assertEquals(status(State.RUNNING, 7, 25), background.status());
        assertEquals(3, steps.all());
        assertEquals(status(State.SUCCEEDED, 7, 100), background.status());
        assertEquals(1, ended);
    }

    @Test
    void shouldDoOneThingAtATime() {
        background.start(7, new Counting(2, true));
        Refusal refusal = background.start(8, new Counting(1, true)).orElseThrow();
        assertEquals("busy: running=0007h progress=0%", refusal.toString());
        steps.all();
        assertEquals(Optional.empty(), background.start(8, new Counting(1, true)));
    }

    @Test
    void shouldNeverSayThatAllIsDoneBeforeItIs() {
        background.start(7, new Counting(1000, true));
        for (int i = 0; i < 999; i++) {
            steps.one();
        }
        assertEquals(99, background.status().percent());
    }

    @Test
    void shouldRunAtOnceOnAnExecutorThatDoesAndNotDeeper() {
        background.runLater(Runnable::run);
        Counting work = new Counting(1_000_000, true);
        background.start(7, work);
        assertEquals(1_000_000, work.done);
        assertFalse(background.isRunning());
    }

    @Test
    void shouldAbortBetweenTwoSteps() {
        Counting work = new Counting(4, true);
        background.start(7, work);
        steps.one();
        assertEquals(Optional.empty(), background.abort());
        assertEquals(status(State.ABORTED, 7, 25), background.status());
        steps.all();
        assertEquals(1, work.done);
        assertEquals(1, work.stopped);
        assertEquals(1, ended);
        assertEquals(Optional.empty(), background.abort(), "nothing runs");
        assertEquals(1, ended);
    }

    @Test
    void shouldNotStepForAnOperationThatCameAfterTheAbortedOne() {
        background.start(7, new Counting(4, true));
        background.abort();
        Counting next = new Counting(4, true);
        background.start(8, next);
        steps.one();
        assertEquals(0, next.done, "the step of the aborted one");
        steps.one();
        assertEquals(1, next.done);
    }

    /** Cannot do its first step until somebody lets it. */
    private static final class Blocked implements Work {
        private boolean isFree;
        private int tries;

        @Override
        public Step step() {
            tries++;
            return isFree ? Step.last() : Step.waiting(1, 4, new Refusal(Cause.BUSY, "table=poison"));
        }

        @Override
        public boolean isAbortable() {
            return true;
        }
    }

    @Test
    void shouldTryAgainAfterAWhileWhatHasToWait() {
        HandSteps delayed = new HandSteps();
        List<Long> delays = new ArrayList<>();
        background.runLater(steps, (delayMs, step) -> {
            delays.add(delayMs);
            delayed.execute(step);
        });
        Blocked work = new Blocked();
        background.start(7, work);
        assertEquals(1, steps.all(), "it holds nobody up");
        assertEquals(status(State.RUNNING, 7, 25), background.status());
        delayed.one();
        delayed.one();
        assertEquals(3, work.tries);
        assertEquals(List.of(20L, 20L, 20L), delays);
        work.isFree = true;
        delayed.one();
        assertEquals(status(State.SUCCEEDED, 7, 100), background.status());
        assertEquals(0, steps.all() + delayed.all());
        assertEquals(1, ended);
    }

    @Test
    void shouldAbortWhatWaits() {
        HandSteps delayed = new HandSteps();
        background.runLater(steps, (delayMs, step) -> delayed.execute(step));
        Blocked work = new Blocked();
        background.start(7, work);
        steps.all();
        assertEquals(Optional.empty(), background.abort());
        assertEquals(State.ABORTED, background.status().state());
        delayed.all();
        assertEquals(1, work.tries);
    }

    @Test
    void shouldFailWhereNothingCanBeTriedAgain() {
        background.start(7, new Blocked());
        steps.all();
        assertEquals(new Status(State.FAILED, 7, 0, Optional.of(Cause.BUSY)), background.status());
        assertEquals(1, ended);
    }

    @Test
    void shouldNotAbortWhatMustEnd() {
        Counting work = new Counting(2, false);
        background.start(7, work);
        assertEquals(Cause.ABORT_NOT_SUPPORTED, background.abort().orElseThrow().cause());
        steps.all();
        assertEquals(2, work.done);
    }

    @Test
    void shouldForgetAtReset() {
        Counting work = new Counting(2, false);
        background.start(7, work);
        background.reset();
        assertEquals(status(State.NONE, 0, 0), background.status());
        assertEquals(1, work.stopped);
        steps.all();
        assertEquals(0, work.done);
        assertEquals(0, ended);
    }

    @Test
    void shouldSayWhyItFailed() {
        background.start(7, new Work() {
            @Override
            public Step step() {
                return Step.failed(new Refusal(Cause.NO_SPACE, ""));
            }

            @Override
            public boolean isAbortable() {
                return true;
            }
        });
        steps.all();
        assertEquals(new Status(State.FAILED, 7, 0, Optional.of(Cause.NO_SPACE)), background.status());
        assertTrue(ended == 1 && !background.isRunning());
    }

    @Test
    void shouldEndWithADefectAndTellIt() {
        background.start(7, new Work() {
            @Override
            public Step step() {
                throw new IllegalStateException("defect");
            }

            @Override
            public boolean isAbortable() {
                return true;
            }
        });
        assertThrows(IllegalStateException.class, steps::one);
        assertEquals(status(State.FAILED, 7, 0), background.status());
        assertEquals(Optional.empty(), background.start(8, new Counting(1, true)));
        assertEquals(1, steps.all());
    }
}
