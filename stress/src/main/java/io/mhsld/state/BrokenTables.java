package io.mhsld.state;

import static io.mhsld.state.StateFileDescriptor.EXTENTS_OFFSET;
import static io.mhsld.state.StateFileDescriptor.EXTENT_COUNT_OFFSET;
import static io.mhsld.state.StateFileDescriptor.EXTENT_DPA_OFFSET;
import static io.mhsld.state.StateFileDescriptor.EXTENT_ENTRY_LENGTH;
import static io.mhsld.state.StateFileDescriptor.EXTENT_LENGTH_OFFSET;
import static io.mhsld.state.StateFileDescriptor.GENERATION_OFFSET;
import static io.mhsld.state.StateFileDescriptor.SEQUENCE_OFFSET;
import static io.mhsld.state.StateFileDescriptor.VERSION;
import static io.mhsld.state.StateFileDescriptor.VERSION_OFFSET;

import io.mhsld.state.ExtentTable.Entry;
import io.mhsld.state.SharedSlots.Slot;
import java.util.List;

/** The tables of the state file as they must not be written and read: each method has one defect. The broken twins run it. */
public final class BrokenTables {
    private BrokenTables() {}

    /** A header's version is told before the header. */
    public static void fillHeaderVersionFirst(Slot slot, int mapping, SharedSlots.Header header, byte[] mediaPath) {
        slot.section(mapping, 0, SharedSlots.MAX_SLOT_LENGTH).putIntRelease(VERSION_OFFSET, VERSION);
        slot.fillHeader(mapping, header, mediaPath);
    }

    /** A table is replaced without saying that it is being written: its sequence grows at the end only, and is never odd. */
    public static void writeExtentsNeverOdd(Slot slot, int mapping, List<Entry> entries, int generation) {
        SharedMemory table = slot.section(mapping, 0, SharedSlots.extentTableLength(entries.size()));
        for (int i = 0; i < entries.size(); i++) {
            int offset = EXTENTS_OFFSET + i * EXTENT_ENTRY_LENGTH;
            table.putLongPlain(offset + EXTENT_DPA_OFFSET, entries.get(i).startDpa());
            table.putLongPlain(offset + EXTENT_LENGTH_OFFSET, entries.get(i).lengthBytes());
        }
        table.putIntPlain(GENERATION_OFFSET, generation);
        table.putIntPlain(EXTENT_COUNT_OFFSET, entries.size());
        table.putLongRelease(SEQUENCE_OFFSET, table.getLongPlain(SEQUENCE_OFFSET) + 2);
    }
}
