package io.mhsld.stress.bench;

import io.mhsld.Device;
import io.mhsld.cci.Mailbox;
import io.mhsld.cci.ReturnCode;
import io.mhsld.head.EventLoop;
import io.mhsld.head.Head;
import io.mhsld.head.HostDriver;
import io.mhsld.type3.AddRequest;
import io.mhsld.type3.DcMemory;
import io.mhsld.type3.DcRegion;
import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.Extent;
import io.mhsld.type3.ExtentJournal;
import io.mhsld.type3.MultiHeadHooks;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.ReleaseRequest;
import io.mhsld.type3.Type3Device;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Add and release of one block, again and again, through the whole device model in one process: request, claim, scrub, tables, event log, the host
 * driver's answer through the mailbox; release request, event log, the host driver's release, and all the way back. Without a socket, and without
 * shared state, with it, and with memory that is reserved and given back each time, so that what each costs can be told apart.
 *
 * <p>Printed for each tenth of the pairs, for a device must not grow slower with what it has gone through.
 */
final class PairRate {
    private static final int TENTHS = 10;
    private static final double GOAL_PER_SECOND = 200_000;

    /** Of the first tenth: less would be growing slower. */
    private static final double GOAL_FLATNESS = 0.8;

    private static final long BLOCK = ScratchDevice.BLOCK_SIZE_BYTES;
    private static final long BLOCKS = 2048;

    /** The block that comes and goes; those that are held meanwhile stand below, with gaps between them. */
    private static final long BLOCK_IN_MOTION = 1500;

    private static final int HEAD = 3;
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    /** What the device stands on. */
    private enum Ground {
        ALONE("no shared state, one head", 1),
        SPARSE("shared state, sparse media", 1),
        /** The kernel clears and frees 512 pages for each pair: a tenth of the pairs is enough to see it. */
        RESERVED("shared state, reserved media", 10);

        private final String words;
        private final int divisor;

        Ground(String words, int divisor) {
            this.words = words;
            this.divisor = divisor;
        }
    }

    private final DynamicCapacity capacity;
    private final boolean chosenByDevice;

    private PairRate(Type3Device device, Mailbox mailbox, boolean chosenByDevice) {
        this.capacity = device.capacity();
        this.chosenByDevice = chosenByDevice;
        HostDriver driver = new HostDriver(mailbox, HostDriver.Mode.AUTO, (act, extents, code) -> {
            if (code != ReturnCode.SUCCESS) {
                throw new IllegalStateException("host driver refused: act=" + act + " code=" + code);
            }
        });
        device.onEvent(EventLog.Kind.DYNAMIC_CAPACITY, driver::eventPending);
    }

    /** Runs so many pairs on each ground, with 1, 100 and 500 other extents held meanwhile, and prints the rates. */
    static void measure(int pairs, PrintStream out) {
        out.printf(
                "%nPairs of add and release of one 2 MiB block per second of the one thread's processor time, for each tenth of the pairs%n%-30s %-13s %5s %8s",
                "", "", "held", "pairs");
        for (int tenth = 1; tenth <= TENTHS; tenth++) {
            out.printf(" %7s", tenth == 1 ? "first" : tenth == TENTHS ? "last" : "");
        }
        out.printf(" %10s %8s%n", "last/first", "by clock");
        Goals goals = new Goals();
        for (Ground ground : Ground.values()) {
            for (boolean chosen : new boolean[] {false, true}) {
                for (int held : new int[] {1, 100, 500}) {
                    int count = pairs / ground.divisor;
                    out.printf("%-30s %-13s %5d %8d", ground.words, chosen ? "free" : "prescriptive", held, count);
                    Rates rates = on(ground, chosen, held, count, out);
                    if (ground != Ground.RESERVED) {
                        String what = ground.words + ", " + (chosen ? "free" : "prescriptive") + ", held " + held;
                        goals.atLeast(what, GOAL_PER_SECOND / 1e3, rates.median / 1e3, "k pairs/s");
                        goals.atLeast(what + ": last/first tenth", GOAL_FLATNESS, rates.last / rates.first, "");
                    }
                }
            }
        }
        goals.print(out);
    }

    /** Of the tenths of one row. */
    private record Rates(double first, double last, double median) {}

    private static Rates on(Ground ground, boolean chosenByDevice, int held, int pairs, PrintStream out) {
        if (ground == Ground.ALONE) {
            Type3Device device = new Type3Device(
                    new Type3Device.Identity(
                            1, HEAD, List.of(new DcRegion(0, 0, BLOCKS * BLOCK, BLOCKS * BLOCK, BLOCK))),
                    Clock.systemUTC(),
                    MultiHeadHooks.NONE,
                    ExtentJournal.NONE,
                    new NoMemory());
            Mailbox mailbox = new Mailbox(device, Optional.empty(), PairRate::fail);
            return new PairRate(device, mailbox, chosenByDevice).run(held, pairs, out);
        }
        boolean sparse = ground == Ground.SPARSE;
        try (ScratchDevice files = sparse ? ScratchDevice.createSparse(BLOCKS) : ScratchDevice.create(BLOCKS);
                EventLoop loop = EventLoop.open();
                Head head = Device.attach(files.files(), HEAD, loop, 0, text -> {})) {
            return new PairRate(head.device(), head.mailbox(), chosenByDevice).run(held, pairs, out);
        }
    }

    private static void fail(RuntimeException error) {
        throw error;
    }

    private Rates run(int held, int pairs, PrintStream out) {
        List<Range> others = new ArrayList<>();
        for (long i = 0; i < held; i++) {
            others.add(new Range(2 * i * BLOCK, BLOCK));
        }
        require(capacity.add(0, others, Extent.NO_TAG));
        AddRequest add = chosenByDevice
                ? AddRequest.free(0, BLOCK, Extent.NO_TAG)
                : AddRequest.prescriptive(0, List.of(new Range(BLOCK_IN_MOTION * BLOCK, BLOCK)), Extent.NO_TAG);
        // What the compiler needs is not the device's.
        run(add, held, pairs / 4);
        int perTenth = pairs / TENTHS;
        double[] rates = new double[TENTHS];
        long startNs = System.nanoTime();
        for (int tenth = 0; tenth < TENTHS; tenth++) {
            // Not by the clock: what else the machine does is not the device's.
            long cpuNs = THREADS.getCurrentThreadCpuTime();
            run(add, held, perTenth);
            rates[tenth] = perTenth * 1e9 / (THREADS.getCurrentThreadCpuTime() - cpuNs);
            out.printf(" %6.1fk", rates[tenth] / 1e3);
            out.flush();
        }
        double byClock = (double) perTenth * TENTHS * 1e9 / (System.nanoTime() - startNs);
        double first = rates[0];
        double last = rates[TENTHS - 1];
        out.printf(" %10.2f %7.1fk%n", last / first, byClock / 1e3);
        Arrays.sort(rates);
        return new Rates(first, last, (rates[TENTHS / 2 - 1] + rates[TENTHS / 2]) / 2);
    }

    private void run(AddRequest add, int held, int pairs) {
        for (int pair = 0; pair < pairs; pair++) {
            require(capacity.add(add));
            if (capacity.acceptedCount() != held + 1) {
                throw new IllegalStateException("host has not accepted: extents=" + capacity.acceptedCount());
            }
            Extent last = capacity.accepted(held, 1).get(0);
            Range range = new Range(last.startDpa(), last.lengthBytes());
            require(capacity.release(ReleaseRequest.atDpa(List.of(range))));
            if (capacity.acceptedCount() != held) {
                throw new IllegalStateException("host has not released: extents=" + capacity.acceptedCount());
            }
        }
    }

    private static void require(Optional<Refusal> refusal) {
        if (refusal.isPresent()) {
            throw new IllegalStateException(refusal.get().toString());
        }
    }

    /** Nobody reads or writes. */
    private static final class NoMemory implements DcMemory {
        @Override
        public void read(long dpa, byte[] destination, int destinationOffset, int lengthBytes) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean write(long dpa, byte[] source, int sourceOffset, int lengthBytes) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean fill(long dpa, long lengthBytes, byte value) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int crc32c(long dpa, long lengthBytes) {
            throw new UnsupportedOperationException();
        }
    }
}
