package io.mhsld.head;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a process is seen to do: whether it was stopped, and how much it has computed so far. Tells one that is at work on something long from one that
 * hangs.
 *
 * @param isStopped by a signal or a debugger
 * @param cpuTicks clock ticks of all of its threads, a hundred to the second (proc(5), stat fields 14 and 15)
 */
public record ProcessActivity(boolean isStopped, long cpuTicks) {
    private static final int FIRST_FIELD = 3;
    private static final int USER_TICKS_FIELD = 14;
    private static final int SYSTEM_TICKS_FIELD = 15;

    /** Empty when there is no such process, or this one may not see it. */
    public static Optional<ProcessActivity> of(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
            // The name, in parentheses, may hold spaces and parentheses; the state is the third field.
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            boolean isStopped = fields[0].equals("T") || fields[0].equals("t");
            return Optional.of(new ProcessActivity(
                    isStopped,
                    Long.parseLong(fields[USER_TICKS_FIELD - FIRST_FIELD])
                            + Long.parseLong(fields[SYSTEM_TICKS_FIELD - FIRST_FIELD])));
        } catch (IOException | IndexOutOfBoundsException | NumberFormatException e) {
            return Optional.empty();
        }
    }
}
