package io.mhsld.type3;

import java.util.Optional;

/**
 * The health of the whole module has changed (CXL r3.2 8.2.10.2.1.3, table 8-59).
 *
 * @param type what changed: 0 health, 1 media, 2 life used, 3 temperature, 4 data path error, 5 label storage error, …
 * @param subType details of the type, 0 when not told
 * @param health the device's health at that moment
 * @param component which part of the device; empty: marked as not valid
 */
public record MemoryModuleEvent(int type, int subType, Health health, Optional<ComponentId> component)
        implements EventBody {
    /**
     * The health information that Get Health Info tells too (CXL r3.2 8.2.10.9.3.1, table 8-148).
     *
     * @param healthStatus bits: maintenance needed, performance degraded, hardware replacement needed, capacity degraded
     * @param mediaStatus 0 normal, 1 not ready, …
     * @param additionalStatus levels of life used, temperature and corrected errors
     * @param lifeUsed percent
     * @param temperature degrees Celsius, signed
     * @param dirtyShutdowns 32 bits, unsigned
     * @param correctedVolatileErrors 32 bits, unsigned
     * @param correctedPersistentErrors 32 bits, unsigned
     */
    public record Health(
            int healthStatus,
            int mediaStatus,
            int additionalStatus,
            int lifeUsed,
            int temperature,
            long dirtyShutdowns,
            long correctedVolatileErrors,
            long correctedPersistentErrors) {}
}
