package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.EventBody;
import io.mhsld.type3.EventHeader;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.Extent;
import io.mhsld.type3.ReleaseRequest;
import io.mhsld.type3.Seeds;
import io.mhsld.type3.TestDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Random bytes for every opcode. {@link Host} turns every fault of ours into a failure. */
class MailboxFuzzTest {
    private static final int BATCH = 97;

    /** Which may not support what they are asked for: a feature, a result, an operation. */
    private static final Set<Integer> UNSUPPORTED_IN_PART = Set.of(0x0501, 0x0502, 0x4305, 0x4402);

    static LongStream seeds() {
        return Seeds.of(3);
    }

    private final Host host = new Host(2, Optional.of(new SomeHeads(8, 3)));

    private static byte[] bytes(SplittableRandom random, int length) {
        byte[] bytes = new byte[length];
        // Small numbers pass more checks than random ones do.
        int bound = 1 << (1 + random.nextInt(8));
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) random.nextInt(bound);
        }
        return bytes;
    }

    private void execute(int opcode, byte[] input) {
        execute(host.mailbox, opcode, input);
        execute(host.ldCci, opcode, input);
        if (input.length % 3 == 0) {
            host.steps.one();
        }
    }

    private static void execute(Mailbox mailbox, int opcode, byte[] input) {
        Response response = mailbox.execute(opcode, input);
        assertTrue(response.payload().length <= Mailbox.MAX_PAYLOAD_BYTES);
        assertTrue(response.isSuccess() || response.payload().length == 0);
        boolean known = mailbox.commands().stream().anyMatch(command -> command.code() == opcode);
        boolean isUnsupported = response.code() == ReturnCode.UNSUPPORTED;
        assertEquals(!known, isUnsupported && !(known && UNSUPPORTED_IN_PART.contains(opcode)));
        if (response.isSuccess()) {
            OpcodeTable.of(opcode).orElseThrow().response().lines(response.payload());
        }
    }

    /** Keeps groups pending and extents accepted while the host talks nonsense. */
    private void stir(SplittableRandom random) {
        EventLog.Kind[] logs = EventLog.Kind.values();
        List<EventBody> bodies = List.of(
                EventRecordsTest.fullGeneralMedia(), EventRecordsTest.fullDram(), EventRecordsTest.fullMemoryModule());
        for (int i = random.nextInt(40); i >= 0; i--) {
            host.device.report(
                    logs[random.nextInt(4)],
                    EventHeader.ofFlags(random.nextInt(1 << 24)),
                    bodies.get(random.nextInt(bodies.size())));
        }
        DynamicCapacity capacity = host.device.capacity();
        List<Range> ranges = new ArrayList<>();
        for (int i = random.nextInt(4); i >= 0; i--) {
            ranges.add(TestDevice.blocks(random.nextInt(100), 1 + random.nextInt(5)));
        }
        int region = random.nextInt(2);
        if (random.nextInt(3) == 0) {
            capacity.release(ReleaseRequest.prescriptive(region, ranges).byForce(true));
        } else {
            capacity.add(region, ranges, Extent.NO_TAG);
        }
        if (!capacity.pending().isEmpty() && random.nextBoolean()) {
            List<Extent> offered = capacity.pending().get(0).extents();
            host.respond(offered.stream()
                    .limit(20)
                    .map(e -> new long[] {e.startDpa(), e.lengthBytes()})
                    .toArray(long[][]::new));
        }
    }

    private interface Body {
        void run(int step);
    }

    private static void steps(long seed, int count, Body body) {
        for (int step = 0; step < count; step++) {
            try {
                body.run(step);
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError(String.format("seed=%d step=0x%04x", seed, step), e);
            }
        }
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void shouldAnswerEveryOpcode(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        steps(seed, 1 << 16, opcode -> {
            if (opcode % BATCH == 0) {
                stir(random);
            }
            execute(opcode, bytes(random, random.nextInt(64)));
            execute(opcode, bytes(random, random.nextInt(2100)));
        });
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void shouldAnswerKnownOpcodesOfEveryLength(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (Opcode opcode : OpcodeTable.ALL) {
            steps(seed, Mailbox.MAX_PAYLOAD_BYTES + 2, length -> {
                if (length % BATCH == 0) {
                    stir(random);
                }
                execute(opcode.code(), bytes(random, length));
                execute(opcode.code(), new byte[length]);
            });
        }
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void shouldAnswerExtentListsThatAreNearlyRight(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        steps(seed, 20_000, step -> {
            if (step % 5 == 0) {
                stir(random);
            }
            long[][] extents = new long[random.nextInt(5)][];
            for (int i = 0; i < extents.length; i++) {
                extents[i] = Host.blocks(random.nextInt(110), random.nextInt(6));
                if (random.nextInt(10) == 0) {
                    extents[i][random.nextInt(2)] = random.nextLong();
                }
            }
            byte[] list = Host.extentList(random.nextInt(8) == 0, extents);
            if (random.nextInt(20) == 0) {
                list[random.nextInt(4)] = (byte) random.nextInt(256);
            }
            execute(random.nextBoolean() ? 0x4802 : 0x4803, list);
            execute(0x4801, bytes(random, 8));
            execute(0x0100, new byte[] {4});
            if (random.nextInt(4) == 0) {
                execute(0x0101, new byte[] {4, 1, 0, 0, 0, 0});
            }
        });
        assertTrue(host.device.capacity().generation() > 100, "few lists were right");
    }
}
