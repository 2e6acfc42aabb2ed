package io.mhsld.stress.simulation;

import io.mhsld.state.Geometry;
import io.mhsld.stress.simulation.Kernel.SimulatedProcess;
import io.mhsld.stress.simulation.TagLives.Bytes;
import io.mhsld.stress.simulation.TagLives.Life;
import io.mhsld.stress.simulation.TagLives.Look;
import io.mhsld.stress.simulation.TagLives.Write;
import io.mhsld.type3.Extent;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Type3Device;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.UUID;

/** The memory behind one head as its host uses it: of own blocks it remembers what it wrote, of shared ones the oracle does for all hosts. */
final class HostBytes {
    private static final int WORD = Long.BYTES;

    private final Type3Device device;
    private final Geometry geometry;
    private final SimulatedProcess process;
    private final TagLives lives;
    private final SplittableRandom random;
    private final int blockBytes;

    /** What may be in each accepted block. */
    private final TreeMap<Long, Bytes> contents = new TreeMap<>();

    /** Under which life of its tag a shared block was accepted. */
    private final Map<Long, Life> lifeOf = new HashMap<>();

    private long markers;

    HostBytes(
            Type3Device device, Geometry geometry, SimulatedProcess process, TagLives lives, SplittableRandom random) {
        this.device = device;
        this.geometry = geometry;
        this.process = process;
        this.lives = lives;
        this.random = random;
        this.blockBytes = (int) geometry.blockSizeBytes();
    }

    boolean isEmpty() {
        return contents.isEmpty();
    }

    /** Reads a block and writes it. */
    void useOne() {
        long block = contents.keySet().stream()
                .skip(random.nextInt(contents.size()))
                .findFirst()
                .orElseThrow();
        read(block);
        long marker = process.pid() << Integer.SIZE | ++markers;
        byte[] bytes = new byte[WORD];
        for (int i = 0; i < WORD; i++) {
            bytes[i] = (byte) (marker >>> (i * Byte.SIZE));
        }
        long dpa = geometry.dpaOfBlock(block);
        Bytes known = contents.get(block);
        Write write = known.begin(marker);
        try {
            mustSucceed(device.write(dpa, bytes, 0, WORD), block);
            mustSucceed(device.write(dpa + blockBytes - WORD, bytes, 0, WORD), block);
            known.finish(write);
        } finally {
            known.end(write);
        }
    }

    /** I4: what was written under this very ownership, or nothing. */
    private void read(long block) {
        byte[] bytes = new byte[blockBytes];
        Bytes known = contents.get(block);
        Look look = known.look();
        mustSucceed(device.read(geometry.dpaOfBlock(block), bytes, 0, bytes.length), block);
        checkWord(block, bytes, 0, known, look);
        checkWord(block, bytes, bytes.length - WORD, known, look);
        for (int i = WORD; i < bytes.length - WORD; i++) {
            if (bytes[i] != 0) {
                throw new Violation("I4", "foreign byte: block=%d at=%d met=0x%x %s", block, i, bytes[i], process);
            }
        }
    }

    private void checkWord(long block, byte[] bytes, int at, Bytes known, Look look) {
        long word = 0;
        for (int i = 0; i < WORD; i++) {
            word |= (bytes[at + i] & 0xFFL) << (i * Byte.SIZE);
        }
        if (!known.allows(look, word)) {
            throw new Violation(
                    "I4",
                    "foreign bytes: block=%d at=%d met=0x%x allowed=%s of=%s %s",
                    block,
                    at,
                    word,
                    look.possible(),
                    lifeOf.containsKey(block) ? lifeOf.get(block) : "own",
                    process);
        }
    }

    private void mustSucceed(Optional<Refusal> refusal, long block) {
        if (refusal.isPresent()) {
            throw new Violation("I2", "access to an own block refused: block=%d %s %s", block, refusal.get(), process);
        }
    }

    /** What the host has newly accepted reads as zero, or as others who share it have left it. */
    void takeNote(List<Extent> accepted, Map<UUID, Life> heldLives) {
        TreeMap<Long, Bytes> now = new TreeMap<>();
        List<Long> fresh = new ArrayList<>();
        for (Extent extent : accepted) {
            long first = geometry.blockOfDpa(extent.startDpa());
            Life life = extent.sharedSequence() > 0 ? heldLives.get(extent.tag()) : null;
            for (long block = first; block < first + extent.lengthBytes() / blockBytes; block++) {
                boolean isKnown = contents.containsKey(block)
                        && (life == null ? !lifeOf.containsKey(block) : life.equals(lifeOf.get(block)));
                if (isKnown) {
                    now.put(block, contents.get(block));
                } else {
                    now.put(block, life == null ? new Bytes() : lives.bytes(life, block));
                    fresh.add(block);
                }
                if (life == null) {
                    lifeOf.remove(block);
                } else {
                    lifeOf.put(block, life);
                }
            }
        }
        contents.clear();
        contents.putAll(now);
        lifeOf.keySet().retainAll(now.keySet());
        fresh.forEach(this::read);
    }
}
