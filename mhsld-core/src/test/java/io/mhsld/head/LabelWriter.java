package io.mhsld.head;

import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.UUID;

/** A process that writes labels until it is killed: {@code main(file)}; says how far it had come when it began. */
final class LabelWriter {
    static final UUID DEVICE = new UUID(3, 4);
    static final int LENGTH = 2040;

    private LabelWriter() {}

    public static void main(String[] arguments) {
        LabelFile labels =
                new LabelFile(Path.of(arguments[0]), DEVICE, PosixFilePermissions.fromString("rw-------"), () -> true);
        byte[] data = labels.read(0, LENGTH);
        System.out.println("ready");
        for (int i = data[0] + 1; ; i++) {
            Arrays.fill(data, (byte) i);
            // Across pages, at both ends.
            labels.write(0, data);
            labels.write(LabelFile.LENGTH_BYTES - LENGTH, data);
        }
    }
}
