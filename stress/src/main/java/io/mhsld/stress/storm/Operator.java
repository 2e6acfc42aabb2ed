package io.mhsld.stress.storm;

import io.mhsld.Device;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A process that recovers, makes and destroys the device when it is told to, line by line, so that it can be killed while it does so. The one
 * argument names the device.
 */
final class Operator {
    static final long WAIT_MS = 5_000;

    private Operator() {}

    /** The line that asks for an init. */
    static String initLine(Device.Specification specification) {
        Geometry geometry = specification.geometry();
        return String.join(
                " ",
                "init",
                Integer.toString(geometry.headCount()),
                Long.toString(geometry.capacityBytes()),
                Integer.toString(geometry.regions().size()),
                Long.toString(geometry.blockSizeBytes()),
                Boolean.toString(specification.sparseMedia()),
                specification.mediaFile().map(Path::toString).orElse("-"));
    }

    /** Obeys until its standard input ends. */
    public static void main(String[] arguments) throws IOException {
        DeviceFiles files = DeviceFiles.named(arguments[0]);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        System.out.println("ready");
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            try {
                obey(files, line.split(" ", -1));
                System.out.println("done " + line);
            } catch (StateFileException e) {
                boolean isBusy = e.problem() == Problem.IN_USE || e.problem() == Problem.MISSING;
                System.out.println((isBusy ? "refused " : "failed ") + line + ": " + e.getMessage());
            } catch (RuntimeException e) {
                System.out.println("failed " + line + ": " + e);
            }
        }
    }

    private static void obey(DeviceFiles files, String[] words) {
        switch (words[0]) {
            case "recover" -> Device.recover(files, WAIT_MS);
            case "destroy" -> Device.destroy(files, WAIT_MS);
            case "init" ->
                Device.initialise(
                        files,
                        new Device.Specification(
                                Geometry.of(
                                        Integer.parseInt(words[1]),
                                        Long.parseLong(words[2]),
                                        Integer.parseInt(words[3]),
                                        Long.parseLong(words[4])),
                                1,
                                Boolean.parseBoolean(words[5]),
                                words[6].equals("-") ? Optional.empty() : Optional.of(Path.of(words[6])),
                                false),
                        WAIT_MS);
            default -> throw new IllegalArgumentException("not a line of ours: line=" + String.join(" ", words));
        }
    }
}
