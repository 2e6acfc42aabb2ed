package io.mhsld.cli;

import io.mhsld.cli.CapacityOperator.Removal;
import io.mhsld.cli.CapacityOperator.Selection;
import io.mhsld.cli.CciVerb.Interface;
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
import java.util.UUID;

/** The verbs that ask a running head, as a command line would call them, for the fuzzer. They stand in this package because they are not public. */
public final class HeadRequests {
    private interface Request {
        ExitCode ask(HeadOperator operator, Console console);
    }

    private static final CapacityOperator.Request RANGES =
            new CapacityOperator.Request(0, List.of(new HeadOperator.Range(0, 4096)), Optional.empty());
    private static final CapacityOperator.Request TAGGED =
            new CapacityOperator.Request(0, List.of(), Optional.of(new UUID(1, 2)));

    private static final List<Request> ALL = List.of(
            (operator, console) -> new CapacityOperator(operator, console, false).add(Selection.PRESCRIPTIVE, RANGES),
            (operator, console) -> new CapacityOperator(operator, console, true).add(Selection.FREE, RANGES),
            (operator, console) ->
                    new CapacityOperator(operator, console, false).release(Removal.TAG_BASED, TAGGED, true, true),
            (operator, console) -> operator.memoryRead(0, 16, Optional.empty()),
            (operator, console) -> operator.memoryCrc(0, 16, false),
            (operator, console) -> operator.memoryFill(0, 16, 1, true),
            (operator, console) ->
                    new CciOperator(operator, console, false).send(Interface.MAILBOX, 0x0100, new byte[] {4}),
            (operator, console) -> new CciOperator(operator, console, false).send(Interface.FM, 0x4000, new byte[0]),
            (operator, console) -> new CciOperator(operator, console, true).send(Interface.LD, 0x4801, new byte[8]),
            (operator, console) -> operator.onEvents().events(List.of(EventLog.Kind.DYNAMIC_CAPACITY), false, false),
            (operator, console) -> operator.onEvents().events(List.of(EventLog.Kind.DYNAMIC_CAPACITY), false, true),
            (operator, console) ->
                    operator.onEvents().events(List.of(EventLog.Kind.WARNING, EventLog.Kind.FATAL), false, false),
            (operator, console) -> operator.onEvents()
                    .injectErrors(
                            "cxl-inject-correctable-error",
                            Map.of("type", "physical"),
                            "correctable",
                            0x40,
                            true,
                            false),
            (operator, console) ->
                    operator.qmp(new ByteArrayInputStream("query-name\n".getBytes(StandardCharsets.US_ASCII))));

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
            ALL.get(request).ask(new HeadOperator(files, 0, console), console);
        } catch (CommandException | QmpException e) {
            Main.report(console, e);
        }
        return request == MEMORY_READ ? "" : out.toString(StandardCharsets.UTF_8);
    }
}
