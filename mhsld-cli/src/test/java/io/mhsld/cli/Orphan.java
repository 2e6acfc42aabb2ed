package io.mhsld.cli;

import io.mhsld.state.StateFile;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A process that has a state file mapped as a head has, and holds no lease: {@code main(state file)}. It ends with its input. */
final class Orphan {
    private Orphan() {}

    /** Starts one, and waits until it has mapped the file. */
    static Process start(Path stateFile) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> argument.startsWith("--"))
                .forEach(command::add);
        command.addAll(
                List.of("-cp", System.getProperty("java.class.path"), Orphan.class.getName(), stateFile.toString()));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String line = process.inputReader().readLine();
        if (!"mapped".equals(line)) {
            throw new IOException("not mapped: " + line);
        }
        return process;
    }

    public static void main(String[] arguments) throws IOException {
        try (StateFile state = StateFile.open(Path.of(arguments[0]), StateFile.Access.READ_WRITE, 0)) {
            System.out.println("mapped");
            while (System.in.read() >= 0) {
                // Until the parent closes.
            }
            System.out.println(state.file());
        }
    }
}
