package io.mhsld.type3;

import io.mhsld.type3.Refusal.Cause;
import java.time.Clock;
import java.time.Instant;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A CXL Type-3 memory device whose capacity is all dynamic: identity, clock, event logs, {@link DynamicCapacity} and the data path.
 *
 * <p>One thread at a time. The multi-head hooks decide with it; without a multi-headed device behind it, pass {@link MultiHeadHooks#NONE}.
 */
public final class Type3Device {
    /** Records that the dynamic-capacity log holds: an add of the largest size fits twice. */
    public static final int DYNAMIC_CAPACITY_LOG_DEPTH = 2 * DynamicCapacity.MAX_EXTENTS;

    /** Records that each of the other logs holds. */
    public static final int EVENT_LOG_DEPTH = 256;

    /**
     * What is fixed for the life of the device.
     *
     * @param serial the serial number that the host sees
     * @param hostId the host that owns this head
     * @param regions the dynamic-capacity regions, ids ascending from 0
     */
    public record Identity(long serial, int hostId, List<DcRegion> regions) {}

    private final Identity identity;
    private final Clock clock;
    private final MultiHeadHooks hooks;
    private final DcMemory memory;
    private final Map<EventLog.Kind, EventLog> logs = new EnumMap<>(EventLog.Kind.class);
    private final DynamicCapacity capacity;
    private boolean timestampSet;
    private long timestampOffsetNs;
    private final Map<EventLog.Kind, Runnable> eventListeners = new EnumMap<>(EventLog.Kind.class);
    private final RasCapability ras = new RasCapability();
    private final BackgroundOperations background = new BackgroundOperations(Runnable::run);
    private final Firmware firmware;
    private final Features features;
    private final MediaPoison poison;
    private final MediaScan scan;
    private final Sanitizer sanitizer;
    private final HealthAndAlerts health;
    private final DebugLog debugLog = new DebugLog();
    private LabelStorage labels = LabelStorage.inMemory();
    private MediaEvents mediaEvents = new MediaEventRecords(this);

    /**
     * A device whose poison this process alone knows of.
     *
     * @param clock the time that passes between setting the device's timestamp and reading it
     * @param memory the bytes behind the regions
     */
    public Type3Device(Identity identity, Clock clock, MultiHeadHooks hooks, ExtentJournal journal, DcMemory memory) {
        this(identity, clock, hooks, journal, memory, MediaPoison.Factory.IN_MEMORY);
    }

    /** The same with poison that others may know of, too. */
    public Type3Device(
            Identity identity,
            Clock clock,
            MultiHeadHooks hooks,
            ExtentJournal journal,
            DcMemory memory,
            MediaPoison.Factory poisonFactory) {
        this.identity = identity;
        this.clock = clock;
        this.hooks = hooks;
        this.memory = memory;
        for (EventLog.Kind kind : EventLog.Kind.values()) {
            int depth = kind == EventLog.Kind.DYNAMIC_CAPACITY ? DYNAMIC_CAPACITY_LOG_DEPTH : EVENT_LOG_DEPTH;
            logs.put(kind, new EventLog(depth, this::timestampNs));
        }
        this.capacity = new DynamicCapacity(identity.regions, hooks, journal, new LogAnnouncer());
        MediaEvents told = new ToldEvents();
        this.poison = poisonFactory.make(this::timestampNs, this::writeIfOwned);
        this.firmware = new Firmware(clock);
        this.features = new Features(clock);
        this.scan = new MediaScan(poison, told);
        this.sanitizer = new Sanitizer(capacity, this::isOwned, memory, poison);
        this.health = new HealthAndAlerts(told);
    }

    /** Serial number, host id and regions. */
    public Identity identity() {
        return identity;
    }

    /** The extent state machine. */
    public DynamicCapacity capacity() {
        return capacity;
    }

    /** What it does besides answering. Steps run at once unless {@link BackgroundOperations#runLater} says otherwise. */
    public BackgroundOperations background() {
        return background;
    }

    /** Health, media and counts as Get Health Info and memory module events tell them (CXL r3.1 8.2.9.9.3.1). */
    public MemoryModuleEvent.Health healthInfo() {
        return health.info(poison.hasOverflowed(), sanitizer.isMediaDisabled());
    }

    /** Its firmware slots. */
    public Firmware firmware() {
        return firmware;
    }

    /** Its features. */
    public Features features() {
        return features;
    }

    /** Which lines are poisoned; {@link #injectPoison} and {@link #clearPoison} check addresses, too. */
    public MediaPoison poison() {
        return poison;
    }

    /** Looks for poison. */
    public MediaScan scan() {
        return scan;
    }

    /** Overwrites memory. */
    public Sanitizer sanitizer() {
        return sanitizer;
    }

    /** How it is. */
    public HealthAndAlerts health() {
        return health;
    }

    /** The host's labels. */
    public LabelStorage labels() {
        return labels;
    }

    /** Keeps the host's labels there from now on. */
    public void keepLabelsIn(LabelStorage storage) {
        labels = storage;
    }

    /** The Vendor Debug Log. */
    public DebugLog debugLog() {
        return debugLog;
    }

    /** Told of what happens to media and health. One listener. */
    public void onMediaEvent(MediaEvents listener) {
        mediaEvents = listener;
    }

    /** One of the five event logs. */
    public EventLog log(EventLog.Kind kind) {
        return logs.get(kind);
    }

    /**
     * Puts a record into a log, and tells the listener of that log, also when the log was full and has lost the record: then the overflow is
     * news.
     *
     * @return false when the log was full
     */
    public boolean report(EventLog.Kind kind, EventHeader header, EventBody body) {
        boolean done = log(kind).append(header, body);
        tell(kind);
        return done;
    }

    /**
     * Called after each request that put records into the log: for those who look at everything that happens. The dynamic-capacity log's is
     * called once for all records of one request. One listener for each log.
     */
    public void onEvent(EventLog.Kind kind, Runnable listener) {
        eventListeners.put(kind, listener);
    }

    /** Called when a log was empty and no longer is: where hardware interrupts, if its host wants that. One listener. */
    public void onFirstEvent(Consumer<EventLog.Kind> listener) {
        logs.forEach((kind, log) -> log.onFirstRecord(() -> listener.accept(kind)));
    }

    /** Which logs have records: bit n is log n, as in the event status register (CXL r3.1 8.2.8.3.1). */
    public int eventStatus() {
        int status = 0;
        for (EventLog.Kind kind : EventLog.Kind.values()) {
            status |= log(kind).size() > 0 ? kind.statusBit() : 0;
        }
        return status;
    }

    private void tell(EventLog.Kind kind) {
        Runnable listener = eventListeners.get(kind);
        if (listener != null) {
            listener.run();
        }
    }

    /** Errors of the link and of the memory protocol, as the component registers show them. */
    public RasCapability ras() {
        return ras;
    }

    /** Nanoseconds since 1970 by the time that the host has set, 0 when none has (CXL r3.1 8.2.9.4.1). */
    public long timestampNs() {
        return timestampSet ? clockNs() + timestampOffsetNs : 0;
    }

    /** Sets the device's time (CXL r3.1 8.2.9.4.2). */
    public void setTimestampNs(long newTimestampNs) {
        timestampSet = true;
        timestampOffsetNs = newTimestampNs - clockNs();
    }

    /**
     * The host behind the device has restarted: it forgot what it had accepted, so all capacity is let go of, in the lists and, through the
     * hooks, in the owner map alike; logs and timestamp start afresh. The errors of the link stay: their registers are sticky, so that a host which
     * restarts because of them finds them.
     */
    public void reset() {
        background.reset();
        sanitizer.reset();
        scan.reset();
        firmware.reset();
        features.reset();
        health.reset();
        capacity.releaseAll();
        logs.values().forEach(EventLog::clearAll);
        timestampSet = false;
    }

    /**
     * May the host touch every byte of [dpa, dpa + length)? Any size, any straddling; both numbers are unsigned.
     *
     * @return empty when it may, else {@code LENGTH_ZERO}, {@code OUTSIDE_REGION}, {@code ACCESS_INVALID} or {@code MEDIA_DISABLED}
     */
    public Optional<Refusal> checkAccess(long dpa, long lengthBytes) {
        if (lengthBytes == 0) {
            return Refusal.of(Cause.LENGTH_ZERO, "dpa=0x%x", dpa);
        }
        if (capacity.regionOf(dpa, lengthBytes).isEmpty()) {
            return Refusal.of(Cause.OUTSIDE_REGION, "dpa=0x%x length=0x%x", dpa, lengthBytes);
        }
        if (!isOwned(dpa, lengthBytes)) {
            return Refusal.of(Cause.ACCESS_INVALID, "dpa=0x%x length=0x%x", dpa, lengthBytes);
        }
        return sanitizer.isMediaDisabled()
                ? Refusal.of(Cause.MEDIA_DISABLED, "dpa=0x%x length=0x%x", dpa, lengthBytes)
                : Optional.empty();
    }

    private boolean isOwned(long dpa, long lengthBytes) {
        return capacity.covers(dpa, lengthBytes) && hooks.accessValid(dpa, lengthBytes);
    }

    /** As {@link #checkAccess}, for a read, which poison refuses too: {@code POISONED}. */
    public Optional<Refusal> checkRead(long dpa, long lengthBytes) {
        Optional<Refusal> refusal = checkAccess(dpa, lengthBytes);
        if (refusal.isEmpty() && poison.isPoisoned(dpa, lengthBytes)) {
            mediaEvents.poisonRead(dpa, lengthBytes);
            return Refusal.of(Cause.POISONED, "dpa=0x%x length=0x%x", dpa, lengthBytes);
        }
        return refusal;
    }

    /** Reads through the access check and past no poison; nothing is copied when it is refused. */
    public Optional<Refusal> read(long dpa, byte[] destination, int destinationOffset, int lengthBytes) {
        Optional<Refusal> refusal = checkRead(dpa, lengthBytes);
        if (refusal.isEmpty()) {
            memory.read(dpa, destination, destinationOffset, lengthBytes);
        }
        return refusal;
    }

    /** Writes through the access check; nothing is copied when it is refused. What was poisoned stays so. */
    public Optional<Refusal> write(long dpa, byte[] source, int sourceOffset, int lengthBytes) {
        return checkAccess(dpa, lengthBytes)
                .or(() -> refuseUnless(memory.write(dpa, source, sourceOffset, lengthBytes), dpa, lengthBytes));
    }

    /** Sets every byte of the range, through the access check. */
    public Optional<Refusal> fill(long dpa, long lengthBytes, byte value) {
        return checkAccess(dpa, lengthBytes)
                .or(() -> refuseUnless(memory.fill(dpa, lengthBytes, value), dpa, lengthBytes));
    }

    /** CRC-32C of a range; ask {@link #checkRead} first, for a range that it refuses throws {@code IllegalStateException}. */
    public int crc32c(long dpa, long lengthBytes) {
        checkRead(dpa, lengthBytes).ifPresent(refusal -> {
            throw new IllegalStateException(refusal.toString());
        });
        return memory.crc32c(dpa, lengthBytes);
    }

    // ---- poison

    /** First address behind all that the regions may be decoded at. */
    public long endDpa() {
        return identity.regions.stream()
                .mapToLong(region -> region.baseDpa() + region.decodeLengthBytes())
                .max()
                .orElse(0);
    }

    /**
     * Poisons lines, wherever {@link MediaPoison} allows it. Also refused with {@code LENGTH_ZERO}, {@code UNALIGNED} and {@code OUTSIDE_REGION}.
     */
    public Optional<Refusal> injectPoison(long dpa, long lengthBytes, MediaPoison.Source source) {
        Optional<Refusal> refusal = checkLines(dpa, lengthBytes).or(() -> injectChecked(dpa, lengthBytes, source));
        if (refusal.isEmpty()) {
            mediaEvents.poisonInjected(new MediaPoison.Line(dpa, lengthBytes, source));
        }
        return refusal;
    }

    private Optional<Refusal> injectChecked(long dpa, long lengthBytes, MediaPoison.Source source) {
        boolean hadOverflowed = poison.hasOverflowed();
        Optional<Refusal> refusal = poison.inject(dpa, lengthBytes, source);
        if (!hadOverflowed && poison.hasOverflowed()) {
            mediaEvents.poisonListOverflowed();
        }
        return refusal;
    }

    /** Clears one line and gives it new bytes; refused like {@link #injectPoison}. */
    public Optional<Refusal> clearPoison(long dpa, byte[] data64) {
        Optional<Refusal> refusal = checkLines(dpa, MediaPoison.LINE_BYTES).or(() -> poison.clear(dpa, data64));
        if (refusal.isEmpty()) {
            mediaEvents.poisonCleared(dpa);
        }
        return refusal;
    }

    private Optional<Refusal> checkLines(long dpa, long lengthBytes) {
        if (lengthBytes == 0) {
            return Refusal.of(Cause.LENGTH_ZERO, "dpa=0x%x", dpa);
        }
        if (((dpa | lengthBytes) & (MediaPoison.LINE_BYTES - 1)) != 0) {
            return Refusal.of(Cause.UNALIGNED, "dpa=0x%x length=0x%x", dpa, lengthBytes);
        }
        return capacity.regionOf(dpa, lengthBytes).isPresent()
                ? Optional.empty()
                : Refusal.of(Cause.OUTSIDE_REGION, "dpa=0x%x length=0x%x", dpa, lengthBytes);
    }

    /** A line of free capacity is not written: another head may own it by now, and whoever gets it gets it scrubbed. */
    private Optional<Refusal> writeIfOwned(long dpa, byte[] line) {
        return isOwned(dpa, line.length)
                ? refuseUnless(memory.write(dpa, line, 0, line.length), dpa, line.length)
                : Optional.empty();
    }

    // ---- debug log

    /** Writes down how the device is, for the host to read with Get Log. */
    public void populateDebugLog() {
        BackgroundOperations.Status last = background.status();
        debugLog.write(List.of(
                "timestampNs=" + timestampNs(),
                "firmware=" + firmware.activeRevision(),
                "acceptedExtents=" + capacity.acceptedCount(),
                "pendingGroups=" + capacity.pending().size(),
                "generation=" + Integer.toUnsignedString(capacity.generation()),
                "poisonRecords=" + poison.lines(0, endDpa()).size(),
                "poisonOverflowed=" + poison.hasOverflowed(),
                "mediaDisabled=" + sanitizer.isMediaDisabled(),
                String.format("background=%04xh state=%s percent=%d", last.command(), last.state(), last.percent())));
    }

    private static Optional<Refusal> refuseUnless(boolean done, long dpa, long lengthBytes) {
        return done ? Optional.empty() : Refusal.of(Cause.NO_SPACE, "dpa=0x%x length=0x%x", dpa, lengthBytes);
    }

    private long clockNs() {
        Instant now = clock.instant();
        return now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }

    private final class LogAnnouncer implements DynamicCapacity.Announcer {
        @Override
        public int free() {
            return logs.get(EventLog.Kind.DYNAMIC_CAPACITY).free();
        }

        @Override
        public void reserved(List<Extent> extents) {
            extents.forEach(poison::reserved);
        }

        @Override
        public void announce(DcEvent.Type type, int region, Extent extent, boolean more) {
            logs.get(EventLog.Kind.DYNAMIC_CAPACITY)
                    .append(
                            EventHeader.INFORMATIONAL,
                            new DcEvent(
                                    type,
                                    identity.hostId,
                                    region,
                                    more,
                                    extent,
                                    capacity.extentsAvailable(),
                                    capacity.tagsSupported() > 0 ? capacity.tagsAvailable() : DcEvent.NO_TAGS));
            if (!more) {
                tell(EventLog.Kind.DYNAMIC_CAPACITY);
            }
        }
    }

    /** Listeners may come later than those who tell them. */
    private final class ToldEvents implements MediaEvents {
        @Override
        public void poisonFound(MediaPoison.Line line) {
            mediaEvents.poisonFound(line);
        }

        @Override
        public void alert(Alert alert, boolean isCritical, boolean isOn) {
            mediaEvents.alert(alert, isCritical, isOn);
        }
    }
}
