package io.mhsld.qmp;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The version that a QMP server reports: the QEMU release whose commands it speaks, since clients choose their wording by that, and the
 * program's own name and version as the package.
 */
public record QmpVersion(int major, int minor, int micro, String packageName) {
    /** The QEMU release whose protocol and texts this package follows. */
    public static QmpVersion ofPackage(String packageName) {
        return new QmpVersion(11, 1, 3, packageName);
    }

    Map<String, Object> toJson() {
        Map<String, Object> qemu = new LinkedHashMap<>();
        qemu.put("micro", micro);
        qemu.put("minor", minor);
        qemu.put("major", major);
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("qemu", qemu);
        json.put("package", packageName);
        return json;
    }
}
