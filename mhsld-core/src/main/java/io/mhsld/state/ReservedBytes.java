package io.mhsld.state;

import static io.mhsld.state.StateFileDescriptor.CHECKSUMMED_END;
import static io.mhsld.state.StateFileDescriptor.COUNTER_ROW_LENGTH;
import static io.mhsld.state.StateFileDescriptor.EXTENTS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.EXTENT_ENTRY_LENGTH;
import static io.mhsld.state.StateFileDescriptor.EXTENT_SEQUENCE_OFFSET;
import static io.mhsld.state.StateFileDescriptor.EXTENT_TABLE_LENGTH;
import static io.mhsld.state.StateFileDescriptor.GENERATION_OFFSET;
import static io.mhsld.state.StateFileDescriptor.HEADER_LENGTH;
import static io.mhsld.state.StateFileDescriptor.HEAD_ROW_LENGTH;
import static io.mhsld.state.StateFileDescriptor.HEAD_STATE_OFFSET;
import static io.mhsld.state.StateFileDescriptor.MAX_EXTENTS;
import static io.mhsld.state.StateFileDescriptor.MAX_SOCKET_BYTES;
import static io.mhsld.state.StateFileDescriptor.PID_OFFSET;
import static io.mhsld.state.StateFileDescriptor.SOCKET_OFFSET;

import io.mhsld.state.StateFileDescriptor.Section;
import java.util.Locale;

/**
 * The bytes of a state file that mean nothing yet. Every process leaves them alone, so they are zero in a sound file, and may be made zero
 * again under live heads: no store of theirs comes near.
 */
final class ReservedBytes {
    /** Is given each stretch; offsets are those in the file. */
    private interface Stretch {
        void at(String section, int offset, int endOffset);
    }

    /** Is given each stretch that is not zero. */
    interface Dirt {
        /**
         * So many bytes are not zero.
         *
         * @param offset the first of them, in the file
         */
        void at(String section, int offset, int byteCount);
    }

    private final SharedMemory file;
    private final Geometry geometry;

    /**
     * @param file the whole file
     */
    ReservedBytes(SharedMemory file, Geometry geometry) {
        this.file = file;
        this.geometry = geometry;
    }

    /** Tells every stretch that is not zero. */
    void forEachDirt(Dirt dirt) {
        forEachStretch((section, offset, endOffset) -> {
            int first = -1;
            int count = 0;
            for (int at = offset; at < endOffset; at += Integer.BYTES) {
                int word = file.getIntPlain(at);
                for (int i = 0; word != 0 && i < Integer.BYTES; i++) {
                    if ((word >>> (i * Byte.SIZE) & 0xFF) != 0) {
                        first = first < 0 ? at + i : first;
                        count++;
                    }
                }
            }
            if (count > 0) {
                dirt.at(section, first, count);
            }
        });
    }

    /** Repair: makes them zero. */
    void clear() {
        forEachStretch((section, offset, endOffset) -> {
            for (int at = offset; at < endOffset; at += Integer.BYTES) {
                // By the word that is wrong: the fields beside a stretch are not touched.
                if (file.getIntPlain(at) != 0) {
                    file.putIntPlain(at, 0);
                }
            }
        });
    }

    private void forEachStretch(Stretch stretch) {
        stretch.at("header", CHECKSUMMED_END, HEADER_LENGTH);
        for (int head = 0; head < geometry.headCount(); head++) {
            int row = start(Section.HEAD_TABLE) + head * HEAD_ROW_LENGTH;
            stretch.at("head table", row + HEAD_STATE_OFFSET + Integer.BYTES, row + PID_OFFSET);
            stretch.at("head table", row + SOCKET_OFFSET + MAX_SOCKET_BYTES, row + HEAD_ROW_LENGTH);
            int table = start(Section.EXTENT_TABLES) + head * EXTENT_TABLE_LENGTH;
            stretch.at("extent tables", table + GENERATION_OFFSET + Integer.BYTES, table + EXTENTS_OFFSET);
            for (int entry = 0; entry < MAX_EXTENTS; entry++) {
                int start = table + EXTENTS_OFFSET + entry * EXTENT_ENTRY_LENGTH;
                stretch.at(
                        "extent tables", start + EXTENT_SEQUENCE_OFFSET + Integer.BYTES, start + EXTENT_ENTRY_LENGTH);
            }
            stretch.at(
                    "extent tables",
                    table + EXTENTS_OFFSET + MAX_EXTENTS * EXTENT_ENTRY_LENGTH,
                    table + EXTENT_TABLE_LENGTH);
            int counters = start(Section.COUNTERS) + head * COUNTER_ROW_LENGTH;
            stretch.at("counters", counters + Counter.values().length * Long.BYTES, counters + COUNTER_ROW_LENGTH);
        }
        Section[] sections = Section.values();
        for (int i = 0; i < sections.length; i++) {
            int end = start(sections[i]) + (int) sections[i].lengthBytes(geometry);
            long next = i + 1 < sections.length ? start(sections[i + 1]) : StateFileDescriptor.fileLength(geometry);
            String name = sections[i].name().toLowerCase(Locale.ROOT).replace('_', ' ');
            stretch.at("end of " + name, end, (int) next);
        }
    }

    private int start(Section section) {
        return (int) section.offset(geometry);
    }
}
