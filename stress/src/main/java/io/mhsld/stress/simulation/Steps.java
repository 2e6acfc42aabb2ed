package io.mhsld.stress.simulation;

import io.mhsld.state.CrashPoint;
import io.mhsld.state.SharedMemory;
import java.util.function.Supplier;

/** Stands before each load and store of shared memory, and tells the simulation that is under way of it. Made by the state layer itself. */
public final class Steps implements SharedMemory.Step {
    private static boolean inPlace;
    private static World world;

    /** For {@link SharedMemory#STEP_PROPERTY}. */
    public Steps() {
        markInPlace();
    }

    private static synchronized void markInPlace() {
        inPlace = true;
    }

    /** Makes the state layer, which must not have been used yet, call this class. */
    static synchronized void install() {
        System.setProperty(SharedMemory.STEP_PROPERTY, Steps.class.getName());
        CrashPoint.areWatched();
        if (!inPlace) {
            throw new IllegalStateException("state layer is in use without steps: set " + SharedMemory.STEP_PROPERTY);
        }
    }

    /** Whom steps are told from now on, null for nobody. */
    static void tell(World listener) {
        world = listener;
    }

    /** Looks at shared memory without taking part. */
    static <T> T aside(Supplier<T> look) {
        World before = world;
        world = null;
        try {
            return look.get();
        } finally {
            world = before;
        }
    }

    @Override
    public void beforeStore(String section, long offset) {
        if (world != null) {
            world.beforeStore(section, offset);
        }
    }

    @Override
    public void beforeLoad(String section, long offset) {
        if (world != null) {
            world.beforeLoad(section, offset);
        }
    }

    @Override
    public void reached(CrashPoint point) {
        if (world != null) {
            world.reached(point);
        }
    }
}
