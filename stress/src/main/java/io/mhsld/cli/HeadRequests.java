package io.mhsld.cli;

import io.mhsld.qmp.QmpException;
import io.mhsld.state.DeviceFiles;
import io.mhsld.type3.EventLog;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The verbs that ask a running head, as a command line would call them, for the fuzzer. They stand in this package because they are not public. */
public final class HeadRequests {
    private interface Request {
        ExitCode ask(HeadOperator operator);
    }

    private static final List<HeadOperator.Range> RANGES = List.of(new HeadOperator.Range(0, 4096));

    private static final List<Request> ALL = List.of(
            operator -> operator.add(0, RANGES, Optional.empty(), false),
            operator -> operator.add(0, RANGES, Optional.empty(), true),
            operator -> operator.release(0, RANGES, true, false),
            operator -> operator.memoryRead(0, 16, Optional.empty()),
            operator -> operator.memoryCrc(0, 16, false),
            operator -> operator.memoryFill(0, 16, 1, true),
            operator -> operator.cci(0x0100, "04", false),
            operator -> operator.cci(0x4000, "", false),
            operator -> operator.cci(0x4801, "0000000000000000", true),
            operator -> operator.onEvents().events(List.of(EventLog.Kind.DYNAMIC_CAPACITY), false, false),
            operator -> operator.onEvents().events(List.of(EventLog.Kind.DYNAMIC_CAPACITY), false, true),
            operator -> operator.qmp(new ByteArrayInputStream("query-name\n".getBytes(StandardCharsets.US_ASCII))),
            operator -> operator.onEvents().events(List.of(EventLog.Kind.WARNING, EventLog.Kind.FATAL), false, false),
            operator -> operator.onEvents()
                    .injectErrors(
                            "cxl-inject-correctable-error",
                            Map.of("type", "physical"),
                            "correctable",
                            0x40,
                            true,
                            false));

    /** How many there are. */
    public static final int COUNT = ALL.size();

    /** What memory is read as goes out as it is. */
    private static final int MEMORY_READ = 3;

    private HeadRequests() {}

    /** Asks head 0, and tells what a person sees of it. An exception that is no message for a person is passed on. */
    public static String ask(int request, DeviceFiles files) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8);
        Console console = new Console(stream, stream, false, 80);
        try {
            ALL.get(request).ask(new HeadOperator(files, 0, console));
        } catch (CommandException | QmpException e) {
            Main.report(console, e);
        }
        return request == MEMORY_READ ? "" : out.toString(StandardCharsets.UTF_8);
    }
}
