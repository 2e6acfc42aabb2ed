package io.mhsld;

import io.mhsld.state.CrashPoint;
import io.mhsld.state.SharedMemory;
import java.io.IOException;

/** Stops its process, as by SIGSTOP, when that comes to the step which a property names. */
public final class StopStep implements SharedMemory.Step {
    static final String PROPERTY = "mhsld.stop";

    /** What a JVM is started with to stop there. */
    static String[] at(CrashPoint point) {
        return new String[] {
            "-D" + SharedMemory.STEP_PROPERTY + "=" + StopStep.class.getName(), "-D" + PROPERTY + "=" + point
        };
    }

    @Override
    public void beforeStore(String section, long offset) {
        // Only steps that have a name.
    }

    @Override
    public void reached(CrashPoint point) {
        if (point.name().equals(System.getProperty(PROPERTY))) {
            System.out.println("stops at " + point);
            try {
                new ProcessBuilder("sh", "-c", "kill -STOP $PPID").start().waitFor();
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
