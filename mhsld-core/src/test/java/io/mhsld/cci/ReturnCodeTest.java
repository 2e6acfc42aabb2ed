package io.mhsld.cci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.mhsld.type3.Refusal.Cause;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ReturnCodeTest {
    @Test
    void shouldHaveTheNumbersOfTheSpecification() {
        assertEquals(0x00, ReturnCode.SUCCESS.value());
        assertEquals(0x02, ReturnCode.INVALID_INPUT.value());
        assertEquals(0x03, ReturnCode.UNSUPPORTED.value());
        assertEquals(0x04, ReturnCode.INTERNAL_ERROR.value());
        assertEquals(0x06, ReturnCode.BUSY.value());
        assertEquals(0x0e, ReturnCode.INVALID_HANDLE.value());
        assertEquals(0x0f, ReturnCode.INVALID_PHYSICAL_ADDRESS.value());
        assertEquals(0x16, ReturnCode.INVALID_PAYLOAD_LENGTH.value());
        assertEquals(0x17, ReturnCode.INVALID_LOG.value());
        assertEquals(0x1d, ReturnCode.RESOURCES_EXHAUSTED.value());
        assertEquals(0x1e, ReturnCode.INVALID_EXTENT_LIST.value());
        assertEquals(0x20, ReturnCode.REQUEST_ABORT_NOT_SUPPORTED.value());
    }

    @Test
    void shouldHaveOneCodeForEachNumberWithoutGaps() {
        for (int value = 0; value <= 0x20; value++) {
            assertEquals(value, ReturnCode.of(value).orElseThrow().value());
        }
        assertEquals(Optional.empty(), ReturnCode.of(0x21));
        assertEquals(Optional.empty(), ReturnCode.of(-1));
    }

    @Test
    void shouldGiveEachRefusalOfTheHostsCommandsItsCode() {
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, ReturnCode.of(Cause.OUTSIDE_REGION));
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, ReturnCode.of(Cause.NOT_OFFERED));
        assertEquals(ReturnCode.INVALID_PHYSICAL_ADDRESS, ReturnCode.of(Cause.NOT_ACCEPTED));
        assertEquals(ReturnCode.INVALID_EXTENT_LIST, ReturnCode.of(Cause.UNALIGNED));
        assertEquals(ReturnCode.INVALID_EXTENT_LIST, ReturnCode.of(Cause.OVERLAP_IN_REQUEST));
        assertEquals(ReturnCode.RESOURCES_EXHAUSTED, ReturnCode.of(Cause.TOO_MANY_EXTENTS));
        assertEquals(ReturnCode.INVALID_EXTENT_LIST, ReturnCode.of(Cause.INCOMPLETE_TAG));
        assertEquals(ReturnCode.INVALID_INPUT, ReturnCode.of(Cause.NOTHING_PENDING));
        assertEquals(ReturnCode.INVALID_HANDLE, ReturnCode.of(Cause.HANDLE_INVALID));
    }

    @Test
    void shouldGiveEachRefusalOfTheFabricManagersCommandsItsCode() {
        assertEquals(ReturnCode.INVALID_INPUT, ReturnCode.of(Cause.TAG_UNKNOWN));
        assertEquals(ReturnCode.INVALID_INPUT, ReturnCode.of(Cause.TAG_IN_USE));
        assertEquals(ReturnCode.INVALID_INPUT, ReturnCode.of(Cause.TAG_REQUIRED));
        assertEquals(ReturnCode.INVALID_INPUT, ReturnCode.of(Cause.NOT_SHAREABLE));
        assertEquals(ReturnCode.INVALID_INPUT, ReturnCode.of(Cause.BLOCK_SIZE_UNSUPPORTED));
        assertEquals(ReturnCode.RESOURCES_EXHAUSTED, ReturnCode.of(Cause.NO_FREE_CAPACITY));
        assertEquals(ReturnCode.RESOURCES_EXHAUSTED, ReturnCode.of(Cause.TAGS_EXHAUSTED));
        assertEquals(ReturnCode.BUSY, ReturnCode.of(Cause.BUSY));
        assertEquals(ReturnCode.UNSUPPORTED, ReturnCode.of(Cause.REGION_IN_USE));
        for (Cause cause : Cause.values()) {
            assertNotEquals(ReturnCode.SUCCESS, ReturnCode.of(cause), cause.name());
        }
    }
}
