package io.mhsld.head;

import io.mhsld.cci.EventLayouts;
import io.mhsld.cci.Layouts;
import io.mhsld.cci.Mailbox;
import io.mhsld.cci.Payload;
import io.mhsld.cci.Response;
import io.mhsld.cci.ReturnCode;
import io.mhsld.type3.DcEvent;
import io.mhsld.type3.DynamicCapacity;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.Extent;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * The built-in host behind a head: it learns of capacity from the dynamic-capacity event log and answers, all through the mailbox, as the
 * driver of a guest would. There is no other way from here to the device.
 *
 * <p>One thread at a time, the device's.
 */
public final class HostDriver {
    /** What the host does with capacity that it is offered. */
    public enum Mode {
        /** Accepts all of it. */
        AUTO,
        /** Rejects all of it. */
        REJECT,
        /** Leaves it, and the event log, to whoever else uses the mailbox. */
        MANUAL;

        /** The mode of a word of the command line, empty when there is none. */
        public static Optional<Mode> of(String word) {
            for (Mode mode : values()) {
                if (mode.toString().equals(word)) {
                    return Optional.of(mode);
                }
            }
            return Optional.empty();
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** What the host did, for a log that people read. */
    public enum Act {
        /** Accepted offered capacity. */
        ACCEPTED,
        /** Rejected an offer, all of it. */
        REJECTED,
        /** Gave capacity back that it was asked for. */
        RELEASED,
        /** Noted that capacity was taken by force. */
        REVOKED,
        /** Noted that the event log had lost records. */
        RECORDS_LOST,
        /** Gave up reading or clearing the event log. */
        LOG_UNUSABLE
    }

    /** Told of each act. */
    public interface Listener {
        /**
         * The host did something, or tried to.
         *
         * @param extents what it was about, empty when it was about no capacity
         * @param code what the mailbox said to it
         */
        void hostDid(Act act, List<Extent> extents, ReturnCode code);
    }

    private static final int GET_EVENT_RECORDS = 0x0100;
    private static final int CLEAR_EVENT_RECORDS = 0x0101;
    private static final int GET_EXTENT_LIST = 0x4801;
    private static final int ADD_RESPONSE = 0x4802;
    private static final int RELEASE = 0x4803;

    private static final int DYNAMIC_CAPACITY_LOG = EventLog.Kind.DYNAMIC_CAPACITY.number();
    private static final int EXTENTS_PER_PAYLOAD = Layouts.HOST_EXTENT_LIST.entriesWithin(Mailbox.MAX_PAYLOAD_BYTES);
    private static final long ALL = 0xFFFF_FFFFL;

    /** Records that one call reads before it answers, and how often it looks for more: what arrives beyond waits for the next event. */
    private static final int MAX_NOTICES = 1 << 16;

    private static final int MAX_ROUNDS = 16;

    private record Notice(int type, boolean more, Extent extent) {
        boolean is(DcEvent.Type wanted) {
            return type == wanted.value();
        }
    }

    private final Mailbox mailbox;
    private final Mode mode;
    private final Listener listener;
    private boolean atWork;

    /** The log was told of, or has records, that the round at work does not read. */
    private boolean hasMore;

    private boolean recordsLost;

    /** A host behind this mailbox. */
    public HostDriver(Mailbox mailbox, Mode mode, Listener listener) {
        this.mailbox = mailbox;
        this.mode = mode;
        this.listener = listener;
    }

    /** What the host does with capacity that it is offered. */
    public Mode mode() {
        return mode;
    }

    /** The dynamic-capacity log has new records: reads and clears them, then answers each request. Calls from within do nothing. */
    public void eventPending() {
        hasMore = true;
        if (mode == Mode.MANUAL || atWork) {
            return;
        }
        atWork = true;
        try {
            for (int round = 0; round < MAX_ROUNDS && hasMore; round++) {
                hasMore = false;
                answer(drainLog());
            }
        } finally {
            atWork = false;
        }
    }

    // ---- reading

    /**
     * Reads the whole log before anything is answered, so that an offer which the fabric manager has withdrawn meanwhile is known to be. Only
     * the front of the log can be read, so records are cleared as they come.
     */
    private List<Notice> drainLog() {
        List<Notice> notices = new ArrayList<>();
        recordsLost = false;
        while (true) {
            if (notices.size() >= MAX_NOTICES) {
                hasMore = true;
                break;
            }
            Response response = mailbox.execute(GET_EVENT_RECORDS, new byte[] {(byte) DYNAMIC_CAPACITY_LOG});
            Payload page = response.isSuccess()
                    ? EventLayouts.EVENT_RECORDS.over(response.payload())
                    : EventLayouts.EVENT_RECORDS.empty(0);
            if (page.flag("flags", "overflow")) {
                recordsLost = true;
                listener.hostDid(Act.RECORDS_LOST, List.of(), response.code());
            }
            ReturnCode code = page.entryCount() == 0 ? response.code() : clear(page);
            if (code != ReturnCode.SUCCESS) {
                listener.hostDid(Act.LOG_UNUSABLE, List.of(), code);
            }
            if (code != ReturnCode.SUCCESS || page.entryCount() == 0) {
                break;
            }
            for (int i = 0; i < page.entryCount(); i++) {
                Payload record = page.entry(i);
                if (record.uuid("recordId").equals(EventLayouts.DC_RECORD_ID)) {
                    notices.add(new Notice((int) record.number("type"), record.flag("flags", "more"), extent(record)));
                }
            }
            if (!page.flag("flags", "more")) {
                break;
            }
        }
        return notices;
    }

    private ReturnCode clear(Payload page) {
        Payload request =
                EventLayouts.CLEAR_EVENT_RECORDS.empty(page.entryCount()).set("log", DYNAMIC_CAPACITY_LOG);
        for (int i = 0; i < page.entryCount(); i++) {
            request.entry(i).set("handle", page.entry(i).number("handle"));
        }
        return mailbox.execute(CLEAR_EVENT_RECORDS, request.toBytes()).code();
    }

    private List<Extent> acceptedExtents() {
        List<Extent> extents = new ArrayList<>();
        while (true) {
            Payload request =
                    Layouts.GET_DC_EXTENT_LIST.empty(0).set("extentCount", ALL).set("startIndex", extents.size());
            Response response = mailbox.execute(GET_EXTENT_LIST, request.toBytes());
            if (!response.isSuccess()) {
                return extents;
            }
            Payload page = Layouts.DC_EXTENT_LIST.over(response.payload());
            for (int i = 0; i < page.entryCount(); i++) {
                extents.add(extent(page.entry(i)));
            }
            if (page.entryCount() == 0 || extents.size() >= page.number("totalExtents")) {
                return extents;
            }
        }
    }

    private static Extent extent(Payload entry) {
        return new Extent(entry.number("startDpa"), entry.number("lengthBytes"), entry.uuid("tag"), (int)
                entry.number("sharedSequence"));
    }

    // ---- answering

    private void answer(List<Notice> notices) {
        List<Extent> request = new ArrayList<>();
        for (int i = 0; i < notices.size(); i++) {
            Notice notice = notices.get(i);
            request.add(notice.extent);
            List<Notice> later = notices.subList(i + 1, notices.size());
            boolean goesOn = notice.more && !later.isEmpty() && later.get(0).type == notice.type;
            if (!goesOn) {
                answer(notice, List.copyOf(request), later);
                request.clear();
            }
        }
    }

    private void answer(Notice last, List<Extent> request, List<Notice> later) {
        if (last.is(DcEvent.Type.ADD)) {
            answerOffer(request, later);
        } else if (last.is(DcEvent.Type.RELEASE)) {
            giveBack(request);
        } else if (last.is(DcEvent.Type.FORCED_RELEASE)) {
            listener.hostDid(Act.REVOKED, request, ReturnCode.SUCCESS);
        }
    }

    private void answerOffer(List<Extent> offer, List<Notice> later) {
        List<Extent> standing = offer;
        for (Notice notice : later) {
            if (notice.is(DcEvent.Type.FORCED_RELEASE)) {
                standing = without(standing, notice.extent);
            }
        }
        if (mode == Mode.AUTO && !standing.isEmpty()) {
            ReturnCode code = send(ADD_RESPONSE, standing);
            listener.hostDid(Act.ACCEPTED, standing, code);
            // A refusal after lost records: some of the offer was withdrawn, and the rest would stay pending without an
            // answer.
            // Any other means that somebody else has answered, and to reject would be to reject the next offer.
            if (code == ReturnCode.SUCCESS || !recordsLost) {
                return;
            }
        }
        listener.hostDid(Act.REJECTED, offer, send(ADD_RESPONSE, List.of()));
    }

    /**
     * Releases what it is asked for; when it has not got all of that, for it may have released some already, what of it there is. Of shared
     * capacity all that it has.
     */
    private void giveBack(List<Extent> request) {
        if (!Extent.isAnyShared(request) && request.size() <= DynamicCapacity.MAX_EXTENTS) {
            ReturnCode code = send(RELEASE, request);
            if (code == ReturnCode.SUCCESS) {
                listener.hostDid(Act.RELEASED, request, code);
                return;
            }
        }
        List<Extent> parts = heldOf(request);
        for (int from = 0; from < parts.size(); from += DynamicCapacity.MAX_EXTENTS) {
            List<Extent> some = parts.subList(from, Math.min(parts.size(), from + DynamicCapacity.MAX_EXTENTS));
            listener.hostDid(Act.RELEASED, List.copyOf(some), send(RELEASE, some));
        }
    }

    /** Of shared capacity all that has the tag: a part of it would leave the tag held, and records of the others may have been lost. */
    private List<Extent> heldOf(List<Extent> request) {
        List<Extent> held = acceptedExtents();
        List<Extent> parts = new ArrayList<>();
        Set<UUID> tags = new HashSet<>();
        for (Extent wanted : request) {
            for (Extent extent : held) {
                if (extent.overlaps(wanted) && extent.isShared()) {
                    tags.add(extent.tag());
                } else if (extent.overlaps(wanted)) {
                    parts.add(extent.within(wanted));
                }
            }
            held = without(held, wanted);
        }
        if (!tags.isEmpty()) {
            acceptedExtents().stream()
                    .filter(extent -> extent.isShared() && tags.contains(extent.tag()))
                    .forEach(parts::add);
        }
        return parts;
    }

    private static List<Extent> without(List<Extent> extents, Extent hole) {
        List<Extent> left = new ArrayList<>(extents.size());
        extents.forEach(extent -> left.addAll(extent.without(hole)));
        return left;
    }

    /** One list in as many payloads as it takes, with More on all but the last; stops at the first refusal. */
    private ReturnCode send(int opcode, List<Extent> extents) {
        int from = 0;
        while (true) {
            int to = Math.min(extents.size(), from + EXTENTS_PER_PAYLOAD);
            boolean last = to == extents.size();
            Payload list = Layouts.HOST_EXTENT_LIST.empty(to - from).setFlag("flags", "more", !last);
            for (int i = from; i < to; i++) {
                list.entry(i - from)
                        .set("startDpa", extents.get(i).startDpa())
                        .set("lengthBytes", extents.get(i).lengthBytes());
            }
            ReturnCode code = mailbox.execute(opcode, list.toBytes()).code();
            if (last || code != ReturnCode.SUCCESS) {
                return code;
            }
            from = to;
        }
    }
}
