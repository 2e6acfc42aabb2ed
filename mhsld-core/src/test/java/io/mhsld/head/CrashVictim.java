package io.mhsld.head;

import io.mhsld.Device;
import io.mhsld.state.DeviceFiles;

/** A process that is armed with a {@link io.mhsld.state.CrashPoint} and does one thing: {@code main(what, state file)}. */
final class CrashVictim {
    private CrashVictim() {}

    public static void main(String[] arguments) {
        DeviceFiles files = DeviceFiles.named(arguments[1]);
        switch (arguments[0]) {
            case "live" -> CrashSweep.live(files, EventLoop.open(), new Head[1]);
            case "take" -> CrashSweep.takeOnce(files);
            case "reap" -> System.out.println(CrashSweep.reap(files));
            case "share" -> SharedCrashSweep.live(files, new SharingHead[1]);
            case "recover" -> Device.recover(files, 1_000);
            case "init" -> CrashSweep.initialise(files);
            case "destroy" -> Device.destroy(files, 1_000);
            default -> throw new IllegalArgumentException("what=" + arguments[0]);
        }
    }
}
