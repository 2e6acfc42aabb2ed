/**
 * The front door: make, open, inspect, repair and remove a device, and become one of its heads.
 *
 * <pre>
 * DeviceFiles files = DeviceFiles.named("pool0");
 * Device.initialise(files, Device.Specification.ofSize(4L &lt;&lt; 30), 10_000);
 * try (EventLoop loop = EventLoop.open();
 *         Head head = Device.attach(files, 0, loop, 10_000, System.out::println)) {
 *     head.device().capacity().add(0, List.of(new Range(0, 256L &lt;&lt; 20)), Extent.NO_TAG);
 *     ...
 * }
 * </pre>
 */
package io.mhsld;
