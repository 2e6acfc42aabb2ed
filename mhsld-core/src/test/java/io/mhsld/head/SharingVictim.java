package io.mhsld.head;

import io.mhsld.state.DeviceFiles;
import io.mhsld.type3.Extent;
import io.mhsld.type3.Refusal;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;

/** A process that shares at random until it is told to leave, or does one thing and waits: {@code main(state file, head, seed, what)}. */
final class SharingVictim {
    private static final int TAGS = 5;
    private static volatile boolean isOver;

    private final SharingHead head;
    private final SplittableRandom random;

    private SharingVictim(SharingHead head, long seed) {
        this.head = head;
        this.random = new SplittableRandom(seed);
    }

    public static void main(String[] arguments) throws IOException {
        DeviceFiles files = DeviceFiles.named(arguments[0]);
        SharingHead head = SharingHead.attach(files, Integer.parseInt(arguments[1]));
        head.serve();
        switch (arguments[3]) {
            case "lock" -> {
                if (head.leases.tryTables().isEmpty()) {
                    throw new IllegalStateException("no lock");
                }
                System.out.println("locked");
                waitForEnd();
            }
            case "hold" -> {
                UUID tag = new UUID(0, 1);
                allowed(head.create(tag, 0, 4, 4));
                head.accept();
                head.fill(tag, 7);
                System.out.println("held");
                waitForEnd();
            }
            default -> {
                Thread listener = new Thread(SharingVictim::waitForEnd, "orders");
                listener.setDaemon(true);
                listener.start();
                new SharingVictim(head, Long.parseLong(arguments[2])).share();
                head.close();
            }
        }
    }

    private static void waitForEnd() {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            if (reader.readLine() == null) {
                Runtime.getRuntime().halt(9);
            }
        } catch (IOException e) {
            Runtime.getRuntime().halt(9);
        }
        isOver = true;
    }

    private void share() {
        for (long round = 0; !isOver || round < 200; round++) {
            step();
            if (round == 200) {
                System.out.println("shared");
            }
            if (round % 50 == 0) {
                head.tick();
            }
        }
    }

    /** All that is written to a tag is the low byte of its number: nothing else may ever be read there, but zero. */
    private void step() {
        UUID tag = new UUID(0, 1 + random.nextInt(TAGS));
        switch (random.nextInt(8)) {
            case 0 -> taken(head.create(tag, 0, 1 + random.nextInt(6), 4), tag);
            case 1, 2, 3 -> taken(head.join(tag, 0), tag);
            case 4 -> allowed(head.registry().addReference(tag), Refusal.Cause.TAG_UNKNOWN, Refusal.Cause.BUSY);
            case 5 -> allowed(head.registry().removeReference(tag), Refusal.Cause.TAG_UNKNOWN, Refusal.Cause.BUSY);
            case 6 -> {
                if (taken(head.addFree(0, 1 + random.nextInt(4), random.nextBoolean(), 4), Extent.NO_TAG)) {
                    head.release(Extent.NO_TAG);
                }
            }
            default -> head.release(tag);
        }
    }

    private boolean taken(Optional<Refusal> refusal, UUID tag) {
        if (refusal.isPresent()) {
            allowed(
                    refusal,
                    Refusal.Cause.TAG_UNKNOWN,
                    Refusal.Cause.TAG_IN_USE,
                    Refusal.Cause.ALREADY_ACCEPTED,
                    Refusal.Cause.NO_FREE_CAPACITY,
                    Refusal.Cause.TOO_MANY_EXTENTS,
                    Refusal.Cause.BUSY);
            return false;
        }
        head.accept();
        int value = tag.equals(Extent.NO_TAG) ? 0 : (int) tag.getLeastSignificantBits();
        List<Extent> extents = head.accepted.stream()
                .filter(extent -> extent.tag().equals(tag))
                .toList();
        for (Extent extent : extents) {
            byte[] bytes = new byte[(int) extent.lengthBytes()];
            head.hooks().read(extent.startDpa(), bytes, 0, bytes.length);
            for (byte b : bytes) {
                if (b != 0 && b != value) {
                    throw new IllegalStateException("stale byte: tag=" + tag + " met=" + b + " " + extent);
                }
            }
        }
        if (value != 0) {
            head.fill(tag, value);
        } else {
            head.accepted.stream()
                    .filter(extent -> extent.tag().equals(tag))
                    .forEach(extent -> head.hooks().fill(extent.startDpa(), extent.lengthBytes(), (byte) 99));
        }
        return true;
    }

    private static void allowed(Optional<Refusal> refusal, Refusal.Cause... causes) {
        if (refusal.isPresent() && !Set.of(causes).contains(refusal.get().cause())) {
            throw new IllegalStateException(refusal.toString());
        }
    }
}
