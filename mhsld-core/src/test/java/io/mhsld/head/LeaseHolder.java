package io.mhsld.head;

import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;

/** A JVM that takes leases and tells which it got: {@code main(lock file, heads…)}. It holds them until its input ends, or it is killed. */
final class LeaseHolder {
    private LeaseHolder() {}

    public static void main(String[] arguments) throws IOException {
        LeaseFile leases = LeaseFile.open(Path.of(arguments[0]), PosixFilePermissions.fromString("rw-------"));
        StringBuilder got = new StringBuilder("holds");
        for (int i = 1; i < arguments.length; i++) {
            Optional<Leases.Lease> lease = leases.tryHead(Integer.parseInt(arguments[i]));
            got.append(lease.isPresent() ? " " + arguments[i] : " -");
        }
        System.out.println(got);
        while (System.in.read() >= 0) {
            // Until the parent closes.
        }
        Runtime.getRuntime().halt(leases.isInPlace() ? 0 : 1);
    }
}
