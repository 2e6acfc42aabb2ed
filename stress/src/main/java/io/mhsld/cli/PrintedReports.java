package io.mhsld.cli;

import io.mhsld.state.DeviceFiles;
import io.mhsld.state.StateFile;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All that people and programs are told of a state file, for the fuzzer. It stands in this package because the reports are not public. */
public final class PrintedReports {
    private PrintedReports() {}

    /** Each report by its verb. */
    public static Map<String, String> of(DeviceFiles files, StateFile state, int columns, boolean withTraces) {
        Map<String, String> reports = new LinkedHashMap<>();
        DeviceFacts facts = DeviceFacts.of(files, state);
        reports.put("status", StatusReport.text(facts, state, true, columns));
        reports.put("status --json", json(out -> StatusReport.json(out, facts, state)));
        MapReport map = MapReport.of(facts, state);
        reports.put("map", map.text(MapPicture.View.ofAll(columns, false)));
        reports.put("map --json", json(map::json));
        reports.put("extents", ExtentReport.text(facts, facts.heads()));
        reports.put("extents --json", json(out -> ExtentReport.json(out, facts, facts.heads())));
        List<ErrorReport.Observation> errors = new ArrayList<>();
        facts.heads().forEach(head -> errors.addAll(ErrorReport.read(state, head.head())));
        reports.put("errors", ErrorReport.text(errors, withTraces));
        reports.put("errors --json", json(out -> ErrorReport.json(out, facts.name(), errors)));
        VerifyReport verdict = VerifyReport.of(files, state);
        reports.put("verify", verdict.text());
        reports.put("verify --json", json(verdict::json));
        return reports;
    }

    private static String json(Json.Body body) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Json.print(new PrintStream(bytes, true, StandardCharsets.UTF_8), body);
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
