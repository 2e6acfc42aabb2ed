package io.mhsld.head;

import io.mhsld.state.HeadTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A process, told apart from a later one with the same number by the time of its start.
 *
 * @param pid process id
 * @param startTicks clock ticks from boot to its start (proc(5), stat field 22); unlike a time of day it does not move when the clock is set
 */
public record ProcessIdentity(long pid, long startTicks) {
    private static final int START_FIELD = 22;

    /** This process. */
    public static ProcessIdentity current() {
        long pid = ProcessHandle.current().pid();
        return new ProcessIdentity(pid, startTicksOf(pid));
    }

    /** The process that a row of the head table names; anybody may have written that who may write the state file. */
    public static ProcessIdentity named(HeadTable.Row row) {
        return new ProcessIdentity(row.pid(), row.processStartTicks());
    }

    /** True when that very process exists; a zombie does not, for it holds nothing any more. */
    public boolean isAlive() {
        return pid > 0 && startTicks >= 0 && startTicksOf(pid) == startTicks;
    }

    /** -1 when there is no such process, or when it has ended and only waits for its parent to notice. */
    private static long startTicksOf(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
            // The name, in parentheses, may hold spaces and parentheses; the state is the third field.
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            boolean ended = fields[0].equals("Z") || fields[0].equals("X");
            return ended ? -1 : Long.parseLong(fields[START_FIELD - 3]);
        } catch (IOException | IndexOutOfBoundsException | NumberFormatException e) {
            return -1;
        }
    }
}
