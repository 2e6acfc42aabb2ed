package io.mhsld.cci;

import static io.mhsld.cci.CommandEffect.BACKGROUND_OPERATION;
import static io.mhsld.cci.CommandEffect.IMMEDIATE_DATA_CHANGE;
import static io.mhsld.cci.CommandEffect.REQUEST_ABORT_SUPPORTED;
import static io.mhsld.cci.Opcode.exactly;
import static io.mhsld.cci.Opcode.row;

import io.mhsld.type3.BackgroundOperations.State;
import io.mhsld.type3.BackgroundOperations.Status;
import io.mhsld.type3.MediaPoison;
import io.mhsld.type3.MediaPoison.Line;
import io.mhsld.type3.MediaScan;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Refusal.Cause;
import io.mhsld.type3.Type3Device;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Command set 43h: poison, and the search for it (CXL r3.1 8.2.9.9.4). */
final class PoisonCommands {
    private static final int SCAN_MEDIA = 0x4304;

    /** The rows of the opcode table that this class runs. */
    static final List<Opcode> ROWS = List.of(
            row(0x4300, "Get Poison List")
                    .input(exactly(0x10), MediaLayouts.MEDIA_RANGE)
                    .output(MediaLayouts.POISON_LIST)
                    .onMedia()
                    .runsOnLd(PoisonCommands::getList),
            row(0x4301, "Inject Poison", IMMEDIATE_DATA_CHANGE)
                    .input(exactly(8), MediaLayouts.INJECT_POISON)
                    .onMedia()
                    .runsOnLd(PoisonCommands::inject),
            row(0x4302, "Clear Poison", IMMEDIATE_DATA_CHANGE)
                    .input(exactly(0x48), MediaLayouts.CLEAR_POISON)
                    .onMedia()
                    .runsOnLd(PoisonCommands::clear),
            row(0x4303, "Get Scan Media Capabilities")
                    .input(exactly(0x10), MediaLayouts.MEDIA_RANGE)
                    .output(MediaLayouts.SCAN_CAPABILITIES)
                    .runsOnLd(PoisonCommands::getScanCapabilities),
            row(SCAN_MEDIA, "Scan Media", BACKGROUND_OPERATION, REQUEST_ABORT_SUPPORTED)
                    .input(exactly(0x11), MediaLayouts.SCAN_MEDIA)
                    .inBackground()
                    .onMedia()
                    .runsOnLd(PoisonCommands::scan),
            row(0x4305, "Get Scan Media Results")
                    .output(MediaLayouts.SCAN_RESULTS)
                    .runsOnLd(PoisonCommands::getScanResults));

    private static final int NO_EVENTS = 1;

    private PoisonCommands() {}

    /** Addresses that may be asked for, whole lines. */
    private record Range(long dpa, long lengthBytes) {}

    /** What asks for one must be aligned and not empty, and not reach beyond the regions; gaps between them are nobody's, but no error. */
    private static Optional<Range> range(Type3Device device, long dpa, long lines) {
        long endDpa = device.endDpa();
        boolean isInside = Long.compareUnsigned(dpa, endDpa) < 0
                && Long.compareUnsigned(lines, (endDpa - dpa) / MediaPoison.LINE_BYTES) <= 0;
        return isInside ? Optional.of(new Range(dpa, lines * MediaPoison.LINE_BYTES)) : Optional.empty();
    }

    private static boolean isMalformed(long dpa, long lines) {
        return (dpa & (MediaPoison.LINE_BYTES - 1)) != 0 || lines == 0;
    }

    private interface RangeCommand {
        Response run(Type3Device device, Range range);
    }

    private static Response onRange(LdComponent component, Payload request, RangeCommand command) {
        long dpa = request.number("startDpa");
        long lines = request.number("lengthLines");
        if (isMalformed(dpa, lines)) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        return range(component.device(), dpa, lines)
                .map(range -> command.run(component.device(), range))
                .orElse(Response.of(ReturnCode.INVALID_PHYSICAL_ADDRESS));
    }

    /** When not all records fit, the same command again gives the next ones. */
    static Response getList(LdComponent component, byte[] input) {
        return onRange(component, MediaLayouts.MEDIA_RANGE.over(input), (device, range) -> {
            List<Line> lines = device.poison().lines(range.dpa, range.lengthBytes);
            int fitting = MediaLayouts.POISON_LIST.entriesWithin(
                    component.messageLimit().bytes());
            int begin = Math.min(component.cursors().begin(range.dpa, range.lengthBytes), lines.size());
            int end = Math.min(lines.size(), begin + fitting);
            component.cursors().end(end, end < lines.size());
            Status status = device.background().status();
            boolean isScanning = status.state() == State.RUNNING && status.command() == SCAN_MEDIA;
            Payload answer = MediaLayouts.POISON_LIST
                    .empty(end - begin)
                    .setFlag("flags", "more", end < lines.size())
                    .setFlag("flags", "overflow", device.poison().hasOverflowed())
                    .setFlag("flags", "scan in progress", isScanning)
                    .set("overflowNs", device.poison().overflowTimestampNs());
            write(lines.subList(begin, end), answer);
            return Response.of(answer);
        });
    }

    private static void write(List<Line> lines, Payload answer) {
        for (int i = 0; i < lines.size(); i++) {
            Line line = lines.get(i);
            answer.entry(i)
                    .set("dpaAndSource", line.dpa() | line.source().value())
                    .set("lengthLines", line.lengthBytes() / MediaPoison.LINE_BYTES);
        }
    }

    /** What is poisoned already stays so. */
    static Response inject(LdComponent component, byte[] input) {
        long dpa = MediaLayouts.INJECT_POISON.over(input).number("dpa");
        Optional<Refusal> refusal =
                component.device().injectPoison(dpa, MediaPoison.LINE_BYTES, MediaPoison.Source.INJECTED);
        boolean wasPoisoned =
                refusal.map(r -> r.cause() == Cause.ALREADY_POISONED).orElse(false);
        return wasPoisoned ? Response.of(ReturnCode.SUCCESS) : answer(refusal);
    }

    static Response clear(LdComponent component, byte[] input) {
        long dpa = MediaLayouts.CLEAR_POISON.over(input).number("dpa");
        byte[] data = Arrays.copyOfRange(input, input.length - MediaPoison.LINE_BYTES, input.length);
        return answer(component.device().clearPoison(dpa, data));
    }

    /** An address is not an extent, and capacity of another head is not there. */
    private static Response answer(Optional<Refusal> refusal) {
        return refusal.map(r -> switch (r.cause()) {
                    case UNALIGNED -> Response.of(ReturnCode.INVALID_INPUT);
                    case OWNED_BY_OTHER_HEAD -> Response.of(ReturnCode.INVALID_PHYSICAL_ADDRESS);
                    default -> Response.of(refusal);
                })
                .orElse(Response.of(ReturnCode.SUCCESS));
    }

    static Response getScanCapabilities(LdComponent component, byte[] input) {
        return onRange(component, MediaLayouts.MEDIA_RANGE.over(input), (device, range) -> {
            long estimateMs = Math.min(MediaScan.estimateMs(range.lengthBytes), 0xFFFF_FFFFL);
            return Response.of(MediaLayouts.SCAN_CAPABILITIES.empty(0).set("estimateMs", estimateMs));
        });
    }

    static Response scan(LdComponent component, byte[] input) {
        Payload request = MediaLayouts.SCAN_MEDIA.over(input);
        boolean isSilent = (request.number("flags") & NO_EVENTS) != 0;
        return onRange(component, request, (device, range) -> {
            boolean isWhole = device.capacity().regions().stream()
                    .allMatch(region ->
                            range.dpa <= region.baseDpa() && region.endDpa() <= range.dpa + range.lengthBytes);
            return Response.started(
                    component.background(),
                    SCAN_MEDIA,
                    device.scan().scanning(range.dpa, range.lengthBytes, isSilent, isWhole));
        });
    }

    /** Busy while the scan is under way, Unsupported before there was one; when not all records fit, once more gives the next ones. */
    static Response getScanResults(LdComponent component, byte[] input) {
        Status status = component.background().status();
        if (status.state() == State.RUNNING && status.command() == SCAN_MEDIA) {
            return Response.of(ReturnCode.BUSY);
        }
        int fitting =
                MediaLayouts.SCAN_RESULTS.entriesWithin(component.messageLimit().bytes());
        return component
                .device()
                .scan()
                .results(fitting)
                .map(results -> {
                    Payload answer = MediaLayouts.SCAN_RESULTS
                            .empty(results.lines().size())
                            .set("restartDpa", results.restartDpa())
                            .set("restartLines", results.restartLengthBytes() / MediaPoison.LINE_BYTES)
                            .setFlag("flags", "more", results.isMore())
                            .setFlag("flags", "stopped early", results.restartLengthBytes() > 0);
                    write(results.lines(), answer);
                    return Response.of(answer);
                })
                .orElse(Response.of(ReturnCode.UNSUPPORTED));
    }
}
