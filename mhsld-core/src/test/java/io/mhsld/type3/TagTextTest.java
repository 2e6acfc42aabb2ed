package io.mhsld.type3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TagTextTest {
    @Test
    void shouldTakeUuidsAsTheyAre() {
        UUID tag = new UUID(0x00ab_cdef_0000_4000L, 0x8000_0000_0000_0001L);
        assertEquals(tag, TagText.tagOf("00abcdef-0000-4000-8000-000000000001"));
        assertEquals(tag, TagText.tagOf("00ABCDEF-0000-4000-8000-000000000001"));
        assertEquals(Extent.NO_TAG, TagText.tagOf("00000000-0000-0000-0000-000000000000"));
    }

    @Test
    void shouldTakeNothingForNoTag() {
        assertEquals(Extent.NO_TAG, TagText.tagOf(""));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1-2-3-4-5",
                "pool",
                " ",
                "00abcdef-0000-4000-8000-00000000001",
                "00abcdef00004000800000000000000001",
                "00abcdef-00000-400-8000-000000000001",
                "{00abcdef-0000-4000-8000-000000000001}",
                "größe"
            })
    void shouldMakeTheUuidOfVersionThreeOfAnyOtherWord(String word) {
        UUID tag = TagText.tagOf(word);
        assertEquals(3, tag.version());
        assertEquals(tag, TagText.tagOf(word));
        assertNotEquals(tag, TagText.tagOf(word + "x"));
        assertEquals(Optional.empty(), TagText.uuidOf(word));
    }

    /** MD5 of the word's UTF-8, without a name space: what other programs can make too. */
    @Test
    void shouldBeWhatOthersMakeOfTheWord() {
        assertEquals(UUID.fromString("098f6bcd-4621-3373-8ade-4e832627b4f6"), TagText.tagOf("test"));
    }
}
