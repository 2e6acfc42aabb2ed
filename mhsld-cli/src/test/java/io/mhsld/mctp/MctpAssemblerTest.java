package io.mhsld.mctp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MctpAssemblerTest {
    private static final int START = 0x80;
    private static final int END = 0x40;
    private static final int LIMIT = MctpAssembler.MESSAGE_LENGTH_LIMIT;

    private final MctpAssembler assembler = new MctpAssembler();

    /** A packet whose body is full of one value. */
    private static ByteBuffer packet(int flags, int sequence, int tag, int value) {
        ByteBuffer packet = ByteBuffer.allocate(68);
        packet.put((byte) 1).put((byte) 9).put((byte) 8).put((byte) (flags | (sequence << 4) | tag));
        while (packet.hasRemaining()) {
            packet.put((byte) value);
        }
        return packet;
    }

    private Optional<MctpMessage> take(int flags, int sequence, int tag, int value) {
        return assembler.take(packet(flags, sequence, tag, value), 0);
    }

    @Test
    void shouldTakeAMessageOfOnePacket() {
        MctpMessage message = take(START | END, 3, 0x0A, 7).orElseThrow();
        assertEquals(8, message.source());
        assertEquals(9, message.destination());
        assertEquals(0x0A, message.tag());
        assertEquals(7, message.type());
        assertEquals(64, message.bytes().length);
        assertFalse(message.isCut());
    }

    @Test
    void shouldPutAMessageTogetherWhateverItsFirstSequenceNumber() {
        assertEquals(Optional.empty(), take(START, 2, 8, 1));
        assertEquals(Optional.empty(), take(0, 3, 8, 2));
        assertEquals(Optional.empty(), take(0, 0, 8, 3));
        MctpMessage message = take(END, 1, 8, 4).orElseThrow();
        assertEquals(4 * 64, message.bytes().length);
        assertArrayEquals(
                new byte[] {1, 2, 3, 4},
                new byte[] {message.bytes()[0], message.bytes()[64], message.bytes()[128], message.bytes()[255]});
        assertEquals(0, assembler.keptBytes());
    }

    @Test
    void shouldGiveUpAMessageThatMissesAPacket() {
        take(START, 0, 8, 1);
        assertEquals(Optional.empty(), take(END, 2, 8, 2));
        assertEquals(Optional.empty(), take(END, 1, 8, 3), "its beginning is forgotten");
        assertEquals(0, assembler.keptBytes());
    }

    @Test
    void shouldPassOverWhatHasNoBeginning() {
        assertEquals(Optional.empty(), take(0, 0, 8, 1));
        assertEquals(Optional.empty(), take(END, 1, 8, 2));
        assertTrue(take(START | END, 2, 8, 3).isPresent());
    }

    @Test
    void shouldForgetWhatWasUnderWayWhenTheTagBeginsAnew() {
        take(START, 0, 8, 1);
        take(START, 1, 8, 5);
        assertEquals(5, take(END, 2, 8, 6).orElseThrow().type());
        take(START, 0, 8, 1);
        assertEquals(7, take(START | END, 1, 8, 7).orElseThrow().type());
        assertEquals(Optional.empty(), take(END, 1, 8, 2));
    }

    @Test
    void shouldNotMixMessagesOfDifferentTagsOwnersAndSources() {
        take(START, 0, 1, 1);
        take(START, 0, 9, 2);
        assertEquals(2, take(END, 1, 9, 3).orElseThrow().type());
        assertEquals(1, take(END, 1, 1, 3).orElseThrow().type());
        take(START, 0, 1, 1);
        ByteBuffer other = packet(END, 1, 1, 2).put(2, (byte) 0x33);
        assertEquals(Optional.empty(), assembler.take(other, 0));
    }

    @Test
    void shouldCutAMessageThatNeverEndsAndStillSeeItsEnd() {
        take(START, 0, 8, 1);
        for (int packet = 1; packet < 100_000; packet++) {
            assertEquals(Optional.empty(), take(0, packet & 3, 8, 2));
            assertTrue(assembler.keptBytes() <= LIMIT);
        }
        MctpMessage message = take(END, 0, 8, 3).orElseThrow();
        assertTrue(message.isCut());
        assertEquals(LIMIT, message.bytes().length);
    }

    @Test
    void shouldTakeTheLongestMessageWhole() {
        int packets = LIMIT / 64;
        Optional<MctpMessage> message = Optional.empty();
        for (int packet = 0; packet < packets; packet++) {
            int flags = packet == 0 ? START : packet == packets - 1 ? END : 0;
            message = take(flags, packet & 3, 8, packet);
        }
        assertFalse(message.orElseThrow().isCut());
        assertEquals(LIMIT, message.get().bytes().length);
    }

    /** Messages of all tags, their packets mixed, some of them lost, doubled or broken: what comes out is what went in, or nothing. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldNeverMakeAMessageThatNobodySent(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int delivered = 0;
        for (int round = 0; round < 3000; round++) {
            List<ByteBuffer> stream = new ArrayList<>();
            for (int tag = 0; tag < 16; tag++) {
                int count = 1 + random.nextInt(6);
                int sequence = random.nextInt(4);
                for (int i = 0; i < count; i++) {
                    int flags = (i == 0 ? START : 0) | (i == count - 1 ? END : 0);
                    // The body tells where it belongs: tag, and place in the message.
                    stream.add(packet(flags, (sequence + i) & 3, tag, (tag << 3) | i));
                }
            }
            boolean isSpoilt = random.nextBoolean();
            if (isSpoilt) {
                for (int i = random.nextInt(6); i > 0; i--) {
                    int at = random.nextInt(stream.size());
                    switch (random.nextInt(3)) {
                        case 0 -> stream.remove(at);
                        case 1 -> stream.add(at, stream.get(random.nextInt(stream.size())));
                        default -> Collections.swap(stream, at, random.nextInt(stream.size()));
                    }
                }
            } else {
                interleave(stream, new Random(random.nextLong()));
            }
            MctpAssembler fresh = new MctpAssembler();
            int whole = 0;
            for (ByteBuffer packet : stream) {
                Optional<MctpMessage> message = fresh.take(packet, 0);
                if (message.isPresent()) {
                    whole++;
                    byte[] bytes = message.get().bytes();
                    for (int i = 0; i < bytes.length; i++) {
                        assertEquals(message.get().tag(), bytes[i] >> 3, "seed=" + seed + " round=" + round);
                    }
                }
            }
            delivered += whole;
            if (!isSpoilt) {
                assertEquals(16, whole, "seed=" + seed + " round=" + round);
            }
        }
        assertTrue(delivered > 16 * 1500);
    }

    /** Mixes the packets of different tags, and leaves those of each tag in their order. */
    private static void interleave(List<ByteBuffer> stream, Random random) {
        List<List<ByteBuffer>> tags = new ArrayList<>();
        for (int tag = 0; tag < 16; tag++) {
            int wanted = tag;
            tags.add(new ArrayList<>(stream.stream()
                    .filter(packet -> (packet.get(3) & 15) == wanted)
                    .toList()));
        }
        stream.clear();
        while (!tags.isEmpty()) {
            List<ByteBuffer> tag = tags.get(random.nextInt(tags.size()));
            stream.add(tag.remove(0));
            tags.removeIf(List::isEmpty);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldTakeAnyBytes(long seed) {
        Random random = new Random(seed);
        byte[] bytes = new byte[68];
        for (int i = 0; i < 200_000; i++) {
            random.nextBytes(bytes);
            assembler.take(ByteBuffer.wrap(bytes), 0);
            assertTrue(assembler.keptBytes() <= 16 * LIMIT, () -> "seed=" + seed + " packet=" + Arrays.toString(bytes));
        }
    }
}
