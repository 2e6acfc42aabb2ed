package io.mhsld.cci;

import static io.mhsld.cci.CommandEffect.BACKGROUND_OPERATION;
import static io.mhsld.cci.CommandEffect.IMMEDIATE_DATA_CHANGE;
import static io.mhsld.cci.CommandEffect.REQUEST_ABORT_SUPPORTED;
import static io.mhsld.cci.CommandEffect.SECURITY_STATE_CHANGE;
import static io.mhsld.cci.Opcode.atLeast;
import static io.mhsld.cci.Opcode.row;

import io.mhsld.type3.DynamicCapacity.HostRange;
import io.mhsld.type3.MediaPoison;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Sanitizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Command set 44h: sanitize, and operations on parts of the media (CXL r3.1 8.2.9.9.5). */
final class SanitizeCommands {
    private static final int SANITIZE = 0x4400;
    private static final int MEDIA_OPERATION = 0x4402;

    /** The rows of the opcode table that this class runs. */
    static final List<Opcode> ROWS = List.of(
            row(
                            SANITIZE,
                            "Sanitize",
                            IMMEDIATE_DATA_CHANGE,
                            SECURITY_STATE_CHANGE,
                            BACKGROUND_OPERATION,
                            REQUEST_ABORT_SUPPORTED)
                    .inBackground()
                    .runsOnLd(SanitizeCommands::sanitize),
            row(MEDIA_OPERATION, "Media Operation", IMMEDIATE_DATA_CHANGE, BACKGROUND_OPERATION)
                    .input(atLeast(8), MediaLayouts.MEDIA_OPERATION)
                    .output(MediaLayouts.SUPPORTED_OPERATIONS)
                    .runsOnLd(SanitizeCommands::mediaOperation));

    private static final int GENERAL = 0;
    private static final int DISCOVERY = 0;
    private static final int OVERWRITE = 1;
    private static final int SANITIZE_RANGES = 0;
    private static final int WRITE_ZEROS = 1;

    /** Class and subclass of what Media Operation can do. */
    private static final int[][] OPERATIONS = {
        {GENERAL, DISCOVERY}, {OVERWRITE, SANITIZE_RANGES}, {OVERWRITE, WRITE_ZEROS}
    };

    private SanitizeCommands() {}

    /** May be started while an earlier one that was aborted has left the media disabled: that is the way out. */
    static Response sanitize(LdComponent component, byte[] input) {
        return Response.started(
                component.background(), SANITIZE, component.device().sanitizer().sanitizing());
    }

    static Response mediaOperation(LdComponent component, byte[] input) {
        Payload request = MediaLayouts.MEDIA_OPERATION.over(input);
        int operation = (int) request.number("class");
        int subclass = (int) request.number("subclass");
        if (operation == GENERAL && subclass == DISCOVERY) {
            return discover(request, input);
        }
        if (operation != OVERWRITE || (subclass != SANITIZE_RANGES && subclass != WRITE_ZEROS)) {
            return Response.of(ReturnCode.UNSUPPORTED);
        }
        if (component.background().isRunning()) {
            return Response.of(ReturnCode.BUSY);
        }
        if (!component.isMediaEnabled()) {
            return Response.of(ReturnCode.MEDIA_DISABLED);
        }
        List<HostRange> ranges = new ArrayList<>();
        for (int i = 0; i < request.entryCount(); i++) {
            ranges.add(new HostRange(
                    request.entry(i).number("startDpa"), request.entry(i).number("lengthBytes")));
        }
        if (isMalformed(ranges)) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        for (HostRange range : ranges) {
            Optional<Refusal> refusal = component.device().checkAccess(range.startDpa(), range.lengthBytes());
            if (refusal.isPresent()) {
                return Response.of(refusal);
            }
        }
        Sanitizer sanitizer = component.device().sanitizer();
        return Response.started(
                component.background(),
                MEDIA_OPERATION,
                subclass == SANITIZE_RANGES ? sanitizer.sanitizing(ranges) : sanitizer.writingZeros(ranges));
    }

    /** None, empty, not made of whole lines, or over each other. */
    private static boolean isMalformed(List<HostRange> ranges) {
        List<HostRange> byAddress = ranges.stream()
                .sorted(Comparator.comparing(HostRange::startDpa, Long::compareUnsigned))
                .toList();
        for (int i = 0; i < byAddress.size(); i++) {
            HostRange range = byAddress.get(i);
            boolean isCrooked = ((range.startDpa() | range.lengthBytes()) & (MediaPoison.LINE_BYTES - 1)) != 0;
            boolean meetsNext = i + 1 < byAddress.size()
                    && Long.compareUnsigned(byAddress.get(i + 1).startDpa() - range.startDpa(), range.lengthBytes())
                            < 0;
            if (isCrooked || range.lengthBytes() == 0 || meetsNext) {
                return true;
            }
        }
        return ranges.isEmpty();
    }

    /**
     * A discovery has two numbers behind its ranges, of which there are none. Who sends ranges and no numbers asks for nothing, and gets it:
     * libcxlmi does that.
     */
    private static Response discover(Payload request, byte[] input) {
        int end = (int) MediaLayouts.MEDIA_OPERATION.lengthBytes(request.entryCount());
        byte[] rest = Arrays.copyOfRange(input, end, input.length);
        if (request.entryCount() > 0) {
            return Response.of(rest.length == 0 ? ReturnCode.SUCCESS : ReturnCode.INVALID_INPUT);
        }
        if (!MediaLayouts.DISCOVERY.isHeldBy(rest)) {
            return Response.of(ReturnCode.INVALID_PAYLOAD_LENGTH);
        }
        Payload arguments = MediaLayouts.DISCOVERY.over(rest);
        int start = (int) arguments.number("startIndex");
        int limit = (int) arguments.number("operationLimit");
        if (start >= OPERATIONS.length) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        int count = Math.min(limit, OPERATIONS.length - start);
        Payload answer = MediaLayouts.SUPPORTED_OPERATIONS
                .empty(count)
                .set("granularityBytes", MediaPoison.LINE_BYTES)
                .set("totalCount", OPERATIONS.length);
        for (int i = 0; i < count; i++) {
            answer.entry(i).set("class", OPERATIONS[start + i][0]).set("subclass", OPERATIONS[start + i][1]);
        }
        return Response.of(answer);
    }
}
