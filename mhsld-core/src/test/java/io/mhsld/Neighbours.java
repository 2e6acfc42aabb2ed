package io.mhsld;

import io.mhsld.head.EventLoop;
import io.mhsld.head.Head;
import io.mhsld.state.DeviceFiles;
import io.mhsld.type3.Extent;
import java.util.Arrays;

/** Several heads in one JVM: {@code main(state file, heads…)}. */
final class Neighbours {
    private Neighbours() {}

    public static void main(String[] arguments) {
        DeviceFiles files = DeviceFiles.named(arguments[0]);
        EventLoop loop = EventLoop.open();
        for (String head : Arrays.asList(arguments).subList(1, arguments.length)) {
            Head attached = Device.attach(files, Integer.parseInt(head), loop, 5_000, line -> {});
            attached.device().capacity().add(0, DeviceFixture.ranges(Long.parseLong(head), 1), Extent.NO_TAG);
            attached.serve();
        }
        System.out.println("ready");
        loop.run();
    }
}
