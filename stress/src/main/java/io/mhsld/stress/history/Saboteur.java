package io.mhsld.stress.history;

import io.mhsld.state.DeviceFiles;
import io.mhsld.state.RawOwnerMap;
import io.mhsld.state.SharedMemory;
import io.mhsld.state.StateFile;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.agrona.concurrent.AtomicBuffer;

/** Spoils the owner map now and then, just before a head stores to it: what a defect would do. The history must show it. */
public final class Saboteur implements SharedMemory.Step {
    static final String DEFECT_PROPERTY = "mhsld.stress.defect";
    static final String SEED_PROPERTY = "mhsld.stress.seed";
    static final String DEVICE_PROPERTY = "mhsld.stress.device";

    private static final int ONE_IN = 1_000;

    /** What is done to a word. */
    enum Defect {
        /** Its owners are forgotten, so that the store wins what others have: a claim that does not look. */
        STEAL,
        /** What it was some time ago is stored: a load and a store in place of a compare-and-swap. */
        STALE;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final Defect defect = Defect.valueOf(System.getProperty(DEFECT_PROPERTY));
    private final Random random = new Random(Long.getLong(SEED_PROPERTY));
    private final Map<Long, Long> earlier = new HashMap<>();
    private AtomicBuffer words;
    private boolean opening;

    /** Made by the state layer itself. */
    public Saboteur() {}

    @Override
    public void beforeStore(String section, long offset) {
        if (opening || !section.equals("OWNER_MAP")) {
            return;
        }
        if (words == null) {
            opening = true;
            DeviceFiles files = DeviceFiles.named(System.getProperty(DEVICE_PROPERTY));
            try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_ONLY, 0)) {
                words = RawOwnerMap.map(files.stateFile(), state.geometry());
            }
            opening = false;
        }
        long word = words.getLongVolatile((int) offset);
        if (random.nextInt(ONE_IN) == 0) {
            words.putLongVolatile((int) offset, defect == Defect.STEAL ? 0 : earlier.getOrDefault(offset, word));
        } else {
            earlier.put(offset, word);
        }
    }
}
