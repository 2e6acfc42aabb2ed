package io.mhsld.type3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.type3.RasCapability.Correctable;
import io.mhsld.type3.RasCapability.Uncorrectable;
import io.mhsld.type3.RasCapability.UncorrectableError;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RasCapabilityTest {
    private static final int ALL_UNCORRECTABLE = 0x1CFFF;
    private static final int ALL_CORRECTABLE = 0x7F;
    private static final int MULTIPLE_HEADERS = 0x200;

    private final RasCapability ras = new RasCapability();
    private final List<String> messages = new ArrayList<>();

    private void listen() {
        ras.onError(new RasCapability.Listener() {
            @Override
            public void uncorrectableInternalError(boolean isFatal) {
                messages.add(isFatal ? "fatal" : "non-fatal");
            }

            @Override
            public void correctedInternalError() {
                messages.add("corrected");
            }
        });
    }

    private void unmaskAll() {
        ras.writeUncorrectableMask(0);
        ras.writeCorrectableMask(0);
    }

    private static UncorrectableError error(Uncorrectable type, Integer... header) {
        return new UncorrectableError(type, List.of(header));
    }

    private static int[] header(int... dwords) {
        return Arrays.copyOf(dwords, 16);
    }

    private void assertFirst(Uncorrectable type, int... header) {
        assertEquals(MULTIPLE_HEADERS | type.bit(), ras.capabilitiesAndControl());
        assertArrayEquals(header(header), ras.headerLog());
    }

    private void assertNoError() {
        assertEquals(0, ras.uncorrectableStatus());
        assertEquals(MULTIPLE_HEADERS, ras.capabilitiesAndControl());
        assertArrayEquals(new int[16], ras.headerLog());
    }

    @Test
    void shouldNumberErrorsAsTheRegistersDo() {
        String bits = Stream.of(Uncorrectable.values())
                .map(error -> error.bit() + " " + error)
                .reduce("", (a, b) -> a + b + "\n");
        assertEquals("""
                0 cache-data-parity
                1 cache-address-parity
                2 cache-be-parity
                3 cache-data-ecc
                4 mem-data-parity
                5 mem-address-parity
                6 mem-be-parity
                7 mem-data-ecc
                8 reinit-threshold
                9 rsvd-encoding
                10 poison-received
                11 receiver-overflow
                14 internal
                15 cxl-ide-tx
                16 cxl-ide-rx
                """, bits);
        assertEquals(
                "0 cache-data-ecc, 1 mem-data-ecc, 2 crc-threshold, 3 retry-threshold, 4 cache-poison-received,"
                        + " 5 mem-poison-received, 6 physical",
                String.join(
                        ", ",
                        Stream.of(Correctable.values())
                                .map(error -> error.bit() + " " + error)
                                .toList()));
        for (Correctable error : Correctable.values()) {
            assertEquals(Optional.of(error), Correctable.of(error.toString()));
        }
        assertEquals(Optional.of(Uncorrectable.CXL_IDE_RX), Uncorrectable.of("cxl-ide-rx"));
        assertEquals(Optional.empty(), Uncorrectable.of("CXL_IDE_RX"));
    }

    @Test
    void shouldComeUpWithEverythingMaskedAndFatal() {
        assertEquals(ALL_UNCORRECTABLE, ras.uncorrectableMask());
        assertEquals(ALL_UNCORRECTABLE, ras.uncorrectableSeverity());
        assertEquals(ALL_CORRECTABLE, ras.correctableMask());
        assertEquals(0, ras.correctableStatus());
        assertNoError();
    }

    @Test
    void shouldLeaveNoTraceOfMaskedErrors() {
        listen();
        assertEquals(0, ras.report(List.of(error(Uncorrectable.INTERNAL, 1))));
        assertFalse(ras.report(Correctable.PHYSICAL));
        ras.writeUncorrectableMask(~(1 << 7));
        assertEquals(1, ras.report(List.of(error(Uncorrectable.INTERNAL, 1), error(Uncorrectable.MEM_DATA_ECC, 2))));
        assertEquals(1 << 7, ras.uncorrectableStatus());
        assertFirst(Uncorrectable.MEM_DATA_ECC, 2);
        ras.writeCorrectableMask(~(1 << 1));
        assertFalse(ras.report(Correctable.CACHE_DATA_ECC));
        assertTrue(ras.report(Correctable.MEM_DATA_ECC));
        assertEquals(1 << 1, ras.correctableStatus());
        assertEquals(List.of("fatal", "corrected"), messages);
    }

    @Test
    void shouldShowTheFirstErrorAndItsHeaderUntilItIsCleared() {
        unmaskAll();
        ras.report(List.of(
                error(Uncorrectable.MEM_DATA_ECC, 0x11, 0x12),
                error(Uncorrectable.CACHE_DATA_PARITY, 0x21),
                error(Uncorrectable.MEM_DATA_ECC, 0x31)));
        ras.report(List.of(error(Uncorrectable.CXL_IDE_RX)));

        assertEquals(1 << 7 | 1 | 1 << 16, ras.uncorrectableStatus());
        assertFirst(Uncorrectable.MEM_DATA_ECC, 0x11, 0x12);
        ras.writeUncorrectableStatus(1 << 7);
        assertEquals(1 << 7 | 1 | 1 << 16, ras.uncorrectableStatus(), "a second one of that type waits");
        assertFirst(Uncorrectable.CACHE_DATA_PARITY, 0x21);
        ras.writeUncorrectableStatus(1);
        assertFirst(Uncorrectable.MEM_DATA_ECC, 0x31);
        ras.writeUncorrectableStatus(1 << 7);
        assertFirst(Uncorrectable.CXL_IDE_RX);
        ras.writeUncorrectableStatus(1 << 16);
        assertNoError();
        ras.writeUncorrectableStatus(-1);
        assertNoError();
    }

    @Test
    void shouldClearAllErrorsOfTheBitsThatAreWrittenTogether() {
        unmaskAll();
        ras.report(List.of(
                error(Uncorrectable.MEM_DATA_ECC, 1),
                error(Uncorrectable.INTERNAL, 2),
                error(Uncorrectable.MEM_DATA_ECC, 3),
                error(Uncorrectable.POISON_RECEIVED, 4)));

        ras.writeUncorrectableStatus(1 << 7 | 1 << 14);

        assertEquals(1 << 10, ras.uncorrectableStatus());
        assertFirst(Uncorrectable.POISON_RECEIVED, 4);
        ras.writeUncorrectableStatus(0);
        assertFirst(Uncorrectable.POISON_RECEIVED, 4);
    }

    @Test
    void shouldClearAnErrorThatIsNotTheFirst() {
        unmaskAll();
        ras.report(List.of(error(Uncorrectable.MEM_DATA_ECC, 1), error(Uncorrectable.INTERNAL, 2)));
        ras.writeUncorrectableStatus(1 << 14);
        assertEquals(1 << 7, ras.uncorrectableStatus());
        assertFirst(Uncorrectable.MEM_DATA_ECC, 1);
    }

    @Test
    void shouldSignalOnceForErrorsOfOneMomentWithTheSeverityThatTheHostGives() {
        listen();
        unmaskAll();
        ras.writeUncorrectableSeverity(1 << 14);
        ras.report(List.of(error(Uncorrectable.MEM_DATA_ECC)));
        ras.report(List.of(error(Uncorrectable.MEM_DATA_ECC), error(Uncorrectable.INTERNAL)));
        ras.report(List.of());
        ras.report(Correctable.CRC_THRESHOLD);
        assertEquals(List.of("non-fatal", "fatal", "corrected"), messages);
        assertEquals(2, ras.uncorrectableSignals());
        assertEquals(1, ras.correctedSignals());
    }

    @Test
    void shouldClearCorrectableErrorsByWritingOnes() {
        unmaskAll();
        for (Correctable error : Correctable.values()) {
            ras.report(error);
        }
        assertEquals(ALL_CORRECTABLE, ras.correctableStatus());
        ras.writeCorrectableStatus(0x05);
        assertEquals(0x7A, ras.correctableStatus());
        ras.writeCorrectableStatus(-1);
        assertEquals(0, ras.correctableStatus());
    }

    @Test
    void shouldHaveNoBitsWithoutErrors() {
        ras.writeUncorrectableMask(-1);
        ras.writeUncorrectableSeverity(-1);
        ras.writeCorrectableMask(-1);
        assertEquals(ALL_UNCORRECTABLE, ras.uncorrectableMask());
        assertEquals(ALL_UNCORRECTABLE, ras.uncorrectableSeverity());
        assertEquals(ALL_CORRECTABLE, ras.correctableMask());
    }

    @Test
    void shouldShowSixteenDwordsOfALongerHeader() {
        unmaskAll();
        List<Integer> dwords = new ArrayList<>();
        for (int i = 0; i < 32; i++) {
            dwords.add(i + 1);
        }
        ras.report(List.of(new UncorrectableError(Uncorrectable.INTERNAL, dwords)));
        assertEquals(16, ras.headerLog().length);
        assertEquals(16, ras.headerLog()[15]);
    }

    @Test
    void shouldStayAsItIsWhenItsDeviceIsReset() {
        Type3Device device = TestDevice.withRegions(1);
        RasCapability sticky = device.ras();
        sticky.writeUncorrectableMask(0);
        sticky.writeUncorrectableSeverity(0);
        sticky.writeCorrectableMask(0);
        sticky.report(List.of(error(Uncorrectable.INTERNAL, 5)));
        sticky.report(Correctable.PHYSICAL);
        device.reset();
        assertEquals(Uncorrectable.INTERNAL.mask(), sticky.uncorrectableStatus());
        assertEquals(5, sticky.headerLog()[0]);
        assertEquals(0, sticky.uncorrectableMask());
        assertEquals(0, sticky.uncorrectableSeverity());
        assertEquals(Correctable.PHYSICAL.mask(), sticky.correctableStatus());
        assertEquals(0, sticky.correctableMask());
    }

    static LongStream seeds() {
        return Seeds.of(3);
    }

    /** A host that clears only the first error's bit sees the headers in the order of the errors, and each of them once. */
    @ParameterizedTest
    @MethodSource("seeds")
    void shouldHandOutHeadersInOrder(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        unmaskAll();
        Uncorrectable[] types = Uncorrectable.values();
        int made = 0;
        int seen = 0;
        for (int step = 0; step < 2000; step++) {
            if (random.nextInt(2) == 0 && made - seen < RasCapability.MAX_QUEUED_ERRORS) {
                ras.report(List.of(error(types[random.nextInt(types.length)], ++made)));
            } else if (seen < made) {
                assertEquals(++seen, ras.headerLog()[0], "seed=" + seed);
                ras.writeUncorrectableStatus(1 << (ras.capabilitiesAndControl() & 0x3F));
            }
            assertEquals(made == seen, ras.uncorrectableStatus() == 0, "seed=" + seed);
        }
    }

    @Test
    void shouldBoundTheQueueAndStillTellEveryType() {
        unmaskAll();
        for (int i = 0; i < 10 * RasCapability.MAX_QUEUED_ERRORS; i++) {
            ras.report(List.of(error(Uncorrectable.INTERNAL, i)));
        }
        assertEquals(RasCapability.MAX_QUEUED_ERRORS, ras.errors().size());
        ras.report(List.of(error(Uncorrectable.MEM_DATA_ECC, 7)));
        assertEquals(1 << 14 | 1 << 7, ras.uncorrectableStatus());
    }
}
