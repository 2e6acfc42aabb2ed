package io.mhsld.cci;

import static io.mhsld.cci.CommandEffect.IMMEDIATE_CONFIGURATION_CHANGE;
import static io.mhsld.cci.CommandEffect.IMMEDIATE_DATA_CHANGE;
import static io.mhsld.cci.CommandEffect.IMMEDIATE_LOG_CHANGE;
import static io.mhsld.cci.CommandEffect.IMMEDIATE_POLICY_CHANGE;
import static io.mhsld.cci.CommandEffect.RESET_BITS_VALID;
import static io.mhsld.cci.CommandEffect.SECURITY_STATE_CHANGE;
import static io.mhsld.cci.Opcode.atLeast;
import static io.mhsld.cci.Opcode.exactly;
import static io.mhsld.cci.Opcode.row;

import io.mhsld.type3.Feature;
import io.mhsld.type3.Features;
import io.mhsld.type3.Refusal;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Command set 05h: features (CXL r3.1 8.2.9.6). */
final class FeatureCommands {
    /** The rows of the opcode table that this class runs. Set Feature has the effects that any feature may have; each entry has its own. */
    static final List<Opcode> ROWS = List.of(
            row(0x0500, "Get Supported Features")
                    .input(exactly(8), FeatureLayouts.GET_SUPPORTED_FEATURES)
                    .output(FeatureLayouts.SUPPORTED_FEATURES)
                    .runsOnLd(FeatureCommands::getSupported),
            row(0x0501, "Get Feature")
                    .input(exactly(0x15), FeatureLayouts.GET_FEATURE)
                    .output(FeatureLayouts.FEATURE_DATA)
                    .runsOnLd(FeatureCommands::get),
            row(
                            0x0502,
                            "Set Feature",
                            IMMEDIATE_CONFIGURATION_CHANGE,
                            IMMEDIATE_DATA_CHANGE,
                            IMMEDIATE_POLICY_CHANGE,
                            IMMEDIATE_LOG_CHANGE,
                            SECURITY_STATE_CHANGE)
                    .input(atLeast(0x20), FeatureLayouts.SET_FEATURE)
                    .runsOnLd(FeatureCommands::set));

    /** No reset changes a configuration: what the last two bits would say, they say. */
    private static final Set<CommandEffect> EFFECTS_OF_SETTING = Set.of(IMMEDIATE_POLICY_CHANGE, RESET_BITS_VALID);

    private static final int ACTION_MASK = 7;
    private static final int SAVED = 1 << 3;
    private static final int FULL = 0;
    private static final int INITIATE = 1;
    private static final int CONTINUE = 2;
    private static final int FINISH = 3;
    private static final int ABORT = 4;

    private FeatureCommands() {}

    /** As many entries as fit into the wanted bytes, which must have room for the answer's head. */
    static Response getSupported(LdComponent component, byte[] input) {
        Payload request = FeatureLayouts.GET_SUPPORTED_FEATURES.over(input);
        List<Feature> features = component.device().features().all();
        long wanted = request.number("countBytes");
        int start = (int) request.number("startIndex");
        if (wanted < FeatureLayouts.SUPPORTED_FEATURES.lengthBytes(0) || start >= features.size()) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        int room = (int) Math.min(wanted, component.messageLimit().bytes());
        int count = Math.min(FeatureLayouts.SUPPORTED_FEATURES.entriesWithin(room), features.size() - start);
        Payload answer = FeatureLayouts.SUPPORTED_FEATURES.empty(count).set("featureCount", features.size());
        for (int i = 0; i < count; i++) {
            write(features.get(start + i), start + i, answer.entry(i));
        }
        return Response.of(answer);
    }

    private static void write(Feature feature, int index, Payload entry) {
        entry.set("featureId", feature.id())
                .set("index", index)
                .set("getSizeBytes", feature.getLengthBytes())
                .set("setSizeBytes", feature.setLengthBytes())
                .setFlag("attributes", "changeable", true)
                .setFlag("attributes", "persists across firmware update", true)
                .setFlag("attributes", "default selection", true)
                .setFlag("attributes", "saved selection", true)
                .set("getVersion", feature.version())
                .set("setVersion", feature.version())
                .setFlags("setEffects", CommandEffect.bits(EFFECTS_OF_SETTING));
    }

    /** The wanted bytes, as far as there are any from the offset on. */
    static Response get(LdComponent component, byte[] input) {
        Payload request = FeatureLayouts.GET_FEATURE.over(input);
        Optional<Feature> feature = component.device().features().of(request.uuid("featureId"));
        if (feature.isEmpty()) {
            return Response.of(ReturnCode.UNSUPPORTED);
        }
        Optional<Feature.Selection> selection = Feature.Selection.of((int) request.number("selection"));
        if (selection.isEmpty()) {
            return Response.of(ReturnCode.UNSUPPORTED_FEATURE_SELECTION);
        }
        byte[] value = feature.get().value(selection.get());
        int offset = (int) request.number("offset");
        if (offset >= value.length) {
            return Response.of(ReturnCode.INVALID_INPUT);
        }
        int end = Math.min(value.length, offset + (int) request.number("countBytes"));
        return Response.of(Arrays.copyOfRange(value, offset, end));
    }

    static Response set(LdComponent component, byte[] input) {
        Payload request = FeatureLayouts.SET_FEATURE.over(input);
        Features features = component.device().features();
        Optional<Feature> feature = features.of(request.uuid("featureId"));
        if (feature.isEmpty()) {
            return Response.of(ReturnCode.UNSUPPORTED);
        }
        int action = (int) request.number("flags") & ACTION_MASK;
        if (action == ABORT) {
            features.abortTransfer();
            return Response.of(ReturnCode.SUCCESS);
        }
        if (request.number("version") != feature.get().version()) {
            return Response.of(ReturnCode.UNSUPPORTED_FEATURE_VERSION);
        }
        boolean isSaved = (request.number("flags") & SAVED) != 0;
        int offset = (int) request.number("offset");
        byte[] data = Arrays.copyOfRange(input, (int) FeatureLayouts.SET_FEATURE.lengthBytes(0), input.length);
        Optional<Refusal> refusal;
        switch (action) {
            case FULL -> refusal = features.setWhole(feature.get(), data, isSaved);
            case INITIATE -> refusal = features.begin(feature.get(), offset, data);
            case CONTINUE -> refusal = features.append(feature.get(), offset, data);
            case FINISH -> refusal = features.end(feature.get(), offset, data, isSaved);
            default -> {
                return Response.of(ReturnCode.INVALID_INPUT);
            }
        }
        return Response.of(refusal);
    }
}
