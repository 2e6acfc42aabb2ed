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
import static io.mhsld.state.StateFileDescriptor.MAX_POISON_RECORDS;
import static io.mhsld.state.StateFileDescriptor.MAX_SOCKET_BYTES;
import static io.mhsld.state.StateFileDescriptor.MAX_UNLISTED_POISON;
import static io.mhsld.state.StateFileDescriptor.PID_OFFSET;
import static io.mhsld.state.StateFileDescriptor.POISON_ADDING_OFFSET;
import static io.mhsld.state.StateFileDescriptor.POISON_LISTS;
import static io.mhsld.state.StateFileDescriptor.POISON_LIST_LENGTH;
import static io.mhsld.state.StateFileDescriptor.POISON_RECORDS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.POISON_RECORD_LENGTH;
import static io.mhsld.state.StateFileDescriptor.POISON_SOURCE_OFFSET;
import static io.mhsld.state.StateFileDescriptor.POISON_TABLE_HEADER_LENGTH;
import static io.mhsld.state.StateFileDescriptor.POISON_UNLISTED_OFFSET;
import static io.mhsld.state.StateFileDescriptor.REGION_ROW_LENGTH;
import static io.mhsld.state.StateFileDescriptor.SOCKET_OFFSET;
import static io.mhsld.state.StateFileDescriptor.TAG_CHECKSUM_OFFSET;
import static io.mhsld.state.StateFileDescriptor.TAG_INCARNATIONS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.TAG_ROWS;
import static io.mhsld.state.StateFileDescriptor.TAG_ROW_LENGTH;
import static io.mhsld.state.StateFileDescriptor.TAG_TABLE_HEADER_LENGTH;

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
        forEachSharedStretch(stretch);
        Section[] sections = Section.values();
        for (int i = 0; i < sections.length; i++) {
            int end = start(sections[i]) + (int) sections[i].lengthBytes(geometry);
            long next = i + 1 < sections.length ? start(sections[i + 1]) : StateFileDescriptor.fileLength(geometry);
            String name = sections[i].name().toLowerCase(Locale.ROOT).replace('_', ' ');
            stretch.at("end of " + name, end, (int) next);
        }
    }

    private void forEachSharedStretch(Stretch stretch) {
        int tags = start(Section.TAG_TABLE);
        stretch.at("tag table", tags + Long.BYTES, tags + TAG_TABLE_HEADER_LENGTH);
        for (int row = 0; row < TAG_ROWS; row++) {
            int start = tags + TAG_TABLE_HEADER_LENGTH + row * TAG_ROW_LENGTH;
            stretch.at("tag table", start + TAG_CHECKSUM_OFFSET + Integer.BYTES, start + TAG_INCARNATIONS_OFFSET);
        }
        for (int region = 0; region < geometry.regions().size(); region++) {
            int row = start(Section.REGION_SETTINGS) + region * REGION_ROW_LENGTH;
            stretch.at("region settings", row + Long.BYTES, row + REGION_ROW_LENGTH);
        }
        int poison = start(Section.POISON_TABLE);
        stretch.at("poison table", poison + POISON_ADDING_OFFSET + Long.BYTES, poison + POISON_TABLE_HEADER_LENGTH);
        for (int list = 0; list < POISON_LISTS; list++) {
            int start = poison + POISON_TABLE_HEADER_LENGTH + list * POISON_LIST_LENGTH;
            stretch.at("poison table", start + POISON_UNLISTED_OFFSET + Integer.BYTES, start + POISON_RECORDS_OFFSET);
            for (int i = 0; i < MAX_POISON_RECORDS + MAX_UNLISTED_POISON; i++) {
                int record = start + POISON_RECORDS_OFFSET + i * POISON_RECORD_LENGTH;
                stretch.at(
                        "poison table", record + POISON_SOURCE_OFFSET + Integer.BYTES, record + POISON_RECORD_LENGTH);
            }
        }
    }

    private int start(Section section) {
        return (int) section.offset(geometry);
    }
}
