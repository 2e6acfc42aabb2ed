package io.mhsld.vfiouser;

import static io.mhsld.vfiouser.VfioUserClient.access;
import static io.mhsld.vfiouser.VfioUserClient.buffer;
import static io.mhsld.vfiouser.VfioUserClient.errorOf;
import static io.mhsld.vfiouser.VfioUserClient.irqs;
import static io.mhsld.vfiouser.VfioUserDescriptor.*;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each command, and each reason to refuse it. */
@Timeout(60)
class VfioUserServerTest {
    private static final int CONFIGURATION = 7;

    @TempDir
    Path folder;

    private RunningVfioUserServer running;
    private VfioUserClient client;

    @BeforeEach
    void start() {
        running = new RunningVfioUserServer(folder);
        client = VfioUserClient.negotiated(running.socket);
    }

    @AfterEach
    void stop() {
        client.close();
        running.close();
        assertFalse(Files.exists(running.socket), "the socket file stays");
    }

    private VfioUserClient fresh() {
        client.close();
        running.awaitNoClient();
        client = VfioUserClient.connect(running.socket);
        return client;
    }

    // ---- version

    @Test
    void shouldNegotiateAsQemuDoes() {
        assertEquals(
                "{\"capabilities\": {\"max_msg_fds\": 16, \"max_data_xfer_size\": 1048576, \"max_dma_maps\": 8192, "
                        + "\"pgsizes\": 4096, \"write_multiple\": true}}\0",
                fresh().version());
    }

    @Test
    void shouldAnswerWithItsOnlyMinorVersion() {
        byte[] text = "{}\0".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        ByteBuffer answer =
                fresh().ask(1, buffer(7).putShort((short) 0).putShort((short) 7).put(text));
        assertEquals(0, answer.getInt(0));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{}\0",
                "{\"capabilities\":{}}\0",
                "{\"capabilities\":{\"max_data_xfer_size\":1,\"twin_socket\":{\"supported\":true}},\"more\":[1]}\0"
            })
    void shouldTakeWhateverCapabilitiesAreWellFormed(String json) {
        assertTrue(fresh().version(0, 0, json).endsWith("\0"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "\0",
                "{\0",
                "[]\0",
                "{\"capabilities\":1}\0",
                "{\"capabilities\":{\"max_data_xfer_size\":0}}\0",
                "{\"capabilities\":{\"max_data_xfer_size\":-4096}}\0",
                "{\"capabilities\":{\"max_data_xfer_size\":\"much\"}}\0",
                "{\"capabilities\":{\"max_data_xfer_size\":1e9}}\0",
                "{} {}\0"
            })
    void shouldRefuseMalformedCapabilitiesAndLetTheClientTryAgain(String json) {
        fresh();
        assertEquals(EINVAL, errorOf(() -> client.version(0, 0, json)));
        assertEquals(EINVAL, errorOf(() -> client.deviceInfo()));
        client.version();
        assertEquals(9, client.deviceInfo()[1]);
    }

    @Test
    void shouldRefuseOtherMajorVersionAndLongGreetingAndSecondGreeting() {
        assertEquals(EINVAL, errorOf(() -> client.version()));
        fresh();
        assertEquals(EINVAL, errorOf(() -> client.version(1, 0, "{}\0")));
        assertEquals(EINVAL, errorOf(() -> client.version(0, 0, " ".repeat(Capabilities.LENGTH_LIMIT) + "{}\0")));
        assertEquals(EINVAL, errorOf(() -> client.ask(1, buffer(3))));
        client.version();
    }

    @Test
    void shouldRefuseEverythingBeforeVersion() {
        fresh();
        for (VfioUserCommand command : VfioUserCommand.ALL) {
            if (command.number() != 1) {
                assertEquals(EINVAL, errorOf(() -> client.ask(command.number(), buffer(64))), command.name());
            }
        }
        assertEquals(List.of(), running.function.acts());
    }

    // ---- what there is

    @Test
    void shouldDescribeDeviceRegionsAndInterrupts() {
        assertArrayEquals(new int[] {3, 9, 5}, client.deviceInfo());
        long[] lengths = {64 << 10, 0, 16 << 10, 0, 0, 0, 0, 4096, 0};
        for (int region = 0; region < lengths.length; region++) {
            // Read and write and nothing else: a region that could be mapped has the flag 4.
            assertArrayEquals(
                    new long[] {lengths[region], lengths[region] == 0 ? 0 : 3},
                    client.regionInfo(region),
                    "region " + region);
        }
        int[] counts = {0, 0, 8, 1, 1};
        for (int index = 0; index < counts.length; index++) {
            assertArrayEquals(new int[] {counts[index], 9}, client.interruptInfo(index), "index " + index);
        }
        ByteBuffer answer = client.ask(6, buffer(16).putInt(16).putInt(8, 2));
        assertEquals(buffer(16).putInt(16).putInt(0).putInt(2).putInt(0).flip(), answer);
    }

    @Test
    void shouldRefuseQuestionsForWhatThereIsNot() {
        for (int index : new int[] {9, -1, Integer.MIN_VALUE}) {
            assertEquals(EINVAL, errorOf(() -> client.regionInfo(index)));
            assertEquals(EINVAL, errorOf(() -> client.interruptInfo(index)));
            assertEquals(
                    EINVAL, errorOf(() -> client.ask(6, buffer(16).putInt(16).putInt(8, index))));
        }
        assertEquals(EINVAL, errorOf(() -> client.interruptInfo(5)));
        // No room for the answer, or not even a whole question.
        assertEquals(EINVAL, errorOf(() -> client.ask(4, buffer(16).putInt(15))));
        assertEquals(EINVAL, errorOf(() -> client.ask(5, buffer(32).putInt(16))));
        for (int command = 4; command <= 8; command++) {
            int number = command;
            assertEquals(EINVAL, errorOf(() -> client.ask(number, buffer(15))));
        }
    }

    @ParameterizedTest
    @CsvSource({"0,22", "14,22", "19,22", "255,22", "65535,22", "11,95", "12,95", "16,95", "17,95", "18,95"})
    void shouldRefuseCommandThatIsUnknownOrNotSupported(int command, int error) {
        assertEquals(error, errorOf(() -> client.ask(command, buffer(8))));
        assertEquals(3, client.deviceInfo()[0]);
    }

    // ---- regions

    @Test
    void shouldReadAndWriteAnyLengthAnywhere() {
        assertEquals(0x0d93_8086, client.regionRead32(CONFIGURATION, 0));
        client.regionWrite64(0, 0x123, 0x1122334455667788L);
        assertEquals(0x1122334455667788L, client.regionRead64(0, 0x123));
        assertArrayEquals(new byte[] {0x77}, client.regionRead(0, 0x124, 1));
        byte[] all = client.regionRead(0, 0, 64 << 10);
        assertEquals(64 << 10, all.length);
        assertEquals(0x77, all[0x124]);
        byte[] much = new byte[16 << 10];
        new java.util.Random(5).nextBytes(much);
        client.regionWrite(2, 0, much);
        assertArrayEquals(much, client.regionRead(2, 0, much.length));
        assertArrayEquals(new byte[0], client.regionRead(2, 0, 0));
    }

    @ParameterizedTest
    @CsvSource({
        "0,65536,1",
        "0,65533,4",
        "0,-1,1",
        "0,9223372036854775807,4",
        "1,0,1",
        "6,0,4",
        "8,0,4",
        "9,0,4",
        "-1,0,4",
        "7,4096,1",
        "7,0,4097",
        "0,0,1048577",
        "0,0,-1",
        "0,0,2147483647",
        "0,-4,8"
    })
    void shouldRefuseAccessOutsideOfRegions(int region, long offset, int count) {
        assertEquals(EINVAL, errorOf(() -> client.ask(9, access(region, offset, count))));
        assertEquals(EINVAL, errorOf(() -> client.ask(10, access(region, offset, count))));
        assertEquals(List.of(), running.function.acts());
    }

    @Test
    void shouldRefuseMoreThanTheClientTakes() {
        fresh().version(0, 0, "{\"capabilities\":{\"max_data_xfer_size\":64}}\0");
        assertEquals(64, client.regionRead(0, 0, 64).length);
        assertEquals(EINVAL, errorOf(() -> client.regionRead(0, 0, 65)));
        client.regionWrite(0, 0, new byte[65]);
    }

    @Test
    void shouldRefuseWriteWhoseDataIsShortOrLong() {
        for (int length : new int[] {0, 3, 5}) {
            assertEquals(
                    EINVAL,
                    errorOf(() -> client.ask(
                            10, buffer(16 + length).putLong(0).putInt(0).putInt(4))));
        }
        assertEquals(List.of(), running.function.acts());
    }

    @Test
    void shouldDoPostedWritesInOrderAndWithoutAnswer() {
        for (int i = 0; i < 3_000; i++) {
            client.regionWritePosted(0, i & ~7, (byte) i, (byte) (i >> 8));
        }
        // One of them is wrong: nobody hears of it.
        client.regionWritePosted(5, 0, (byte) 1);
        assertEquals(0x0d93_8086, client.regionRead32(CONFIGURATION, 0));
        List<String> acts = running.function.acts();
        assertEquals(3_000, acts.size());
        for (int i = 0; i < acts.size(); i++) {
            assertEquals(String.format("0 %d %02x%02x", i & ~7, i & 0xFF, i >> 8), acts.get(i));
        }
    }

    @Test
    void shouldDoManyWritesOfOneMessage() {
        ByteBuffer rows = buffer(8 + 2 * 24).putLong(2);
        rows.putLong(16).putInt(0).putInt(4).putLong(0x04030201);
        rows.putLong(3).putInt(2).putInt(1).putLong(0xFF);
        ByteBuffer answer = client.ask(15, rows);
        assertEquals(buffer(8).putLong(2).flip(), answer);
        assertEquals(2, running.function.acts().size());
        assertEquals(0x04030201, client.regionRead32(0, 16));

        // All or nothing.
        rows.putInt(8 + 24 + 8, 1);
        assertEquals(EINVAL, errorOf(() -> client.ask(15, rows)));
        rows.putInt(8 + 24 + 8, 2).putInt(8 + 24 + 12, 9);
        assertEquals(EINVAL, errorOf(() -> client.ask(15, rows)));
        rows.putInt(8 + 24 + 12, 1).putLong(0, 3);
        assertEquals(EINVAL, errorOf(() -> client.ask(15, rows)));
        assertEquals(EINVAL, errorOf(() -> client.ask(15, rows.putLong(0, -1))));
        assertEquals(EINVAL, errorOf(() -> client.ask(15, buffer(8 + 201 * 24).putLong(201))));
        assertEquals(EINVAL, errorOf(() -> client.ask(15, buffer(7))));
        assertEquals(2, running.function.acts().size());
    }

    @Test
    void shouldReset() {
        client.regionWrite(0, 0, (byte) 1);
        client.reset();
        assertEquals("reset", running.function.acts().get(1));
        assertEquals(0, client.regionRead32(0, 0));
    }

    @Test
    void shouldAnswerWithAnErrorWhenTheFunctionFails() {
        running.function.beforeAccess = () -> {
            throw new IllegalStateException("broken on purpose");
        };
        assertEquals(5, errorOf(() -> client.regionRead32(0, 0)));
        assertEquals("broken on purpose", running.errors.get(0).getMessage());
        running.function.beforeAccess = () -> {};
        assertEquals(0, client.regionRead32(0, 0));
    }

    @Test
    void shouldServeMessagesInWhateverPiecesTheyCome() {
        byte[] write = client.message(10, 0, access(0, 8, new byte[] {1, 2, 3, 4}));
        byte[] read = client.message(9, 0, access(0, 8, 4));
        byte[] both = buffer(write.length + read.length).put(write).put(read).array();
        for (byte single : both) {
            client.send(new byte[] {single});
        }
        client.send(both);
        int id = ByteBuffer.wrap(read).order(java.nio.ByteOrder.nativeOrder()).getShort();
        for (int i = 0; i < 2; i++) {
            client.answer(id - 1, 10);
            assertEquals(0x04030201, client.answer(id, 9).getInt(16));
        }
    }

    // ---- DMA

    @Test
    void shouldKeepTheBooksOfDma() {
        client.dmaMap(0, 0xa0000);
        client.dmaMap(0, 0xa0000);
        assertEquals(EEXIST, errorOf(() -> client.dmaMap(0x9f000, 0x1000)));
        assertEquals(EEXIST, errorOf(() -> client.dmaMap(0x9f000, 0x2000)));
        assertEquals(EEXIST, errorOf(() -> client.dmaMap(0, 0x1000)));
        client.dmaMap(0x100000, 0x1000);
        assertEquals(EEXIST, errorOf(() -> client.dmaMap(0xff000, 0x100000)));
        client.dmaMap(-0x1000, 0x1000);
        assertEquals(ENOENT, errorOf(() -> client.dmaUnmap(0, 0x1000)));
        assertEquals(ENOENT, errorOf(() -> client.dmaUnmap(0x1000, 0x1000)));
        client.dmaUnmap(0, 0xa0000);
        assertEquals(ENOENT, errorOf(() -> client.dmaUnmap(0, 0xa0000)));
        client.dmaMap(0, 0x1000);
        ByteBuffer all = buffer(24).putInt(24).putInt(2);
        assertEquals(buffer(24).putInt(24).putInt(2).clear(), client.ask(3, all).clear());
        client.dmaMap(0, 0x200000);
    }

    @Test
    void shouldRefuseDmaThatCannotBe() {
        assertEquals(EINVAL, errorOf(() -> client.dmaMap(0, 0)));
        assertEquals(EINVAL, errorOf(() -> client.dmaMap(0x800, 0x1000)));
        assertEquals(EINVAL, errorOf(() -> client.dmaMap(0, 0x1001)));
        assertEquals(EINVAL, errorOf(() -> client.dmaMap(-0x1000, 0x2000)));
        assertEquals(
                EINVAL,
                errorOf(() -> client.ask(2, buffer(32).putInt(32).putInt(8).putLong(24, 0x1000))));
        assertEquals(EINVAL, errorOf(() -> client.ask(2, buffer(32).putInt(31).putLong(24, 0x1000))));
        assertEquals(ENOTSUP, errorOf(() -> client.ask(3, buffer(24).putInt(24).putInt(1))));
        assertEquals(
                EINVAL,
                errorOf(() -> client.ask(3, buffer(24).putInt(24).putInt(2).putLong(16, 1))));
        assertEquals(EINVAL, errorOf(() -> client.ask(3, buffer(24).putInt(20))));
    }

    @Test
    void shouldLimitRangesOfDma() {
        for (int i = 0; i < DmaTable.LIMIT; i++) {
            client.dmaMap((long) i << 20, 0x1000);
        }
        assertEquals(ENOSPC, errorOf(() -> client.dmaMap((long) DmaTable.LIMIT << 20, 0x1000)));
        client.dmaMap(0, 0x1000);
    }

    // ---- interrupts

    @Test
    void shouldSignalTheCounterOfTheVector() {
        int[] counters = VfioUserClient.eventCounters(8);
        client.setIrqs(IRQ_MSIX, 0, 8, counters);
        running.raise(2);
        running.raise(2);
        running.raise(7);
        running.raise(8);
        running.raise(-1);
        for (int i = 0; i < counters.length; i++) {
            NativeSocket.awaitEvents(counters[i], i == 2 ? 2 : i == 7 ? 1 : 0, "vector " + i);
        }
        // De-assigned, one and all.
        client.setIrqs(IRQ_MSIX, 2, 1);
        running.raise(2);
        running.raise(7);
        NativeSocket.awaitEvents(counters[7], 1, "vector 7");
        assertEquals(0, NativeSocket.takeEvents(counters[2]));
        client.disableIrqs(IRQ_MSIX);
        running.raise(7);
        assertEquals(0, NativeSocket.takeEvents(counters[7]));
        closeAll(counters);
    }

    @Test
    void shouldTriggerAndMaskAtTheClientsWord() {
        int[] counters = VfioUserClient.eventCounters(3);
        client.setIrqs(IRQ_MSIX, 0, 3, counters);
        client.setIrqs(DATA_NONE | ACTION_TRIGGER, IRQ_MSIX, 0, 2, new byte[0]);
        client.setIrqs(DATA_BOOL | ACTION_TRIGGER, IRQ_MSIX, 1, 2, new byte[] {1, 0});
        NativeSocket.awaitEvents(counters[0], 1, "counter 0");
        NativeSocket.awaitEvents(counters[1], 2, "counter 1");
        assertEquals(0, NativeSocket.takeEvents(counters[2]));

        client.setIrqs(DATA_BOOL | ACTION_MASK, IRQ_MSIX, 0, 3, new byte[] {0, 1, 1});
        running.raise(0);
        running.raise(1);
        running.raise(1);
        NativeSocket.awaitEvents(counters[0], 1, "counter 0");
        assertEquals(0, NativeSocket.takeEvents(counters[1]));
        client.setIrqs(DATA_NONE | ACTION_UNMASK, IRQ_MSIX, 0, 3, new byte[0]);
        NativeSocket.awaitEvents(counters[1], 1, "counter 1");
        assertEquals(0, NativeSocket.takeEvents(counters[2]));

        client.setIrqs(IRQ_ERROR, 0, 1, counters[2]);
        client.setIrqs(DATA_NONE | ACTION_TRIGGER, IRQ_ERROR, 0, 1, new byte[0]);
        NativeSocket.awaitEvents(counters[2], 1, "counter 2");
        closeAll(counters);
    }

    @Test
    void shouldRefuseInterruptsThatAreNotThere() {
        int counter = NativeSocket.eventCounter();
        int eventfd = DATA_EVENTFD | ACTION_TRIGGER;
        ByteBuffer[] wrong = {
            irqs(eventfd, IRQ_MSIX, 0, 9),
            irqs(eventfd, IRQ_MSIX, 8, 1),
            irqs(eventfd, IRQ_MSIX, -1, 2),
            irqs(eventfd, IRQ_MSIX, 1, -1),
            irqs(eventfd, IRQ_MSIX, 0, 0),
            irqs(eventfd, IRQ_INTX, 0, 1),
            irqs(eventfd, IRQ_MSI, 0, 1),
            irqs(eventfd, 5, 0, 1),
            irqs(eventfd, -1, 0, 1),
            irqs(0, IRQ_MSIX, 0, 1),
            irqs(DATA_NONE, IRQ_MSIX, 0, 1),
            irqs(ACTION_TRIGGER, IRQ_MSIX, 0, 1),
            irqs(DATA_NONE | DATA_BOOL | ACTION_TRIGGER, IRQ_MSIX, 0, 1),
            irqs(DATA_NONE | ACTION_MASK | ACTION_TRIGGER, IRQ_MSIX, 0, 1),
            irqs(DATA_NONE | ACTION_TRIGGER | 0x40, IRQ_MSIX, 0, 1),
            irqs(DATA_NONE | ACTION_TRIGGER, IRQ_MSIX, 1, 0),
            irqs(DATA_NONE | ACTION_MASK, IRQ_MSIX, 0, 0),
            irqs(DATA_BOOL | ACTION_TRIGGER, IRQ_MSIX, 0, 2, (byte) 1),
            irqs(eventfd, IRQ_MSIX, 0, 1).putInt(0, 19),
        };
        for (int i = 0; i < wrong.length; i++) {
            ByteBuffer message = wrong[i];
            assertEquals(EINVAL, errorOf(() -> client.ask(8, message)), "message " + i);
        }
        assertEquals(ENOTSUP, errorOf(() -> client.setIrqs(DATA_EVENTFD | ACTION_MASK, 2, 0, 1, new byte[0], counter)));
        // Too few, too many, where there should be none.
        assertEquals(EINVAL, errorOf(() -> client.setIrqs(IRQ_MSIX, 0, 2, counter)));
        assertEquals(EINVAL, errorOf(() -> client.setIrqs(IRQ_MSIX, 0, 1, counter, counter)));
        assertEquals(EINVAL, errorOf(() -> client.setIrqs(DATA_NONE | ACTION_TRIGGER, 2, 0, 0, new byte[0], counter)));
        running.raise(0);
        assertEquals(0, NativeSocket.takeEvents(counter));
        NativeSocket.close(counter);
    }

    private static void closeAll(int[] descriptors) {
        for (int descriptor : descriptors) {
            NativeSocket.close(descriptor);
        }
    }

    // ---- the socket

    @Test
    void shouldMakeTheSocketForItsUserAlone() throws Exception {
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(running.socket)));
    }
}
