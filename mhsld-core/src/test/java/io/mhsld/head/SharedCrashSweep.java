package io.mhsld.head;

import static io.mhsld.type3.MediaPoison.Source.INJECTED;

import io.mhsld.Device;
import io.mhsld.media.Media;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.state.Inspector;
import io.mhsld.state.StateFile;
import io.mhsld.type3.Extent;
import io.mhsld.type3.MediaPoison;
import io.mhsld.type3.Refusal;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * {@link CrashSweep} for shared capacity: a head that creates, joins, keeps and leaves tags dies at every store that it makes to shared memory, and so
 * do those that repair. What another head holds with it, and what the fabric manager keeps, must stay as it is.
 */
final class SharedCrashSweep implements AutoCloseable {
    static final UUID PEERS = new UUID(1, 1);
    static final UUID KEPT = new UUID(2, 2);
    private static final UUID A = new UUID(3, 3);
    private static final UUID B = new UUID(4, 4);
    private static final UUID C = new UUID(5, 5);

    private static final long BLOCK = 4096;
    private static final int BLOCKS = 96;
    private static final int PEERS_BLOCKS = 6;
    private static final int KEPT_BLOCKS = 3;
    private static final int PEERS_BYTE = 0x77;
    private static final int KEPT_BYTE = 0x66;

    private final DeviceFiles files;
    private final SharingHead peer;
    private final List<Extent> peers;
    private final List<Extent> kept;
    private int points;
    private int reaperPoints;

    /** A new device with a peer that holds a tag of two extents, and a tag that the fabric manager keeps. */
    SharedCrashSweep(DeviceFiles files) {
        this.files = files;
        Geometry geometry = Geometry.of(3, BLOCKS * BLOCK, 2, BLOCK).withShareable(Set.of(1));
        Device.initialise(files, new Device.Specification(geometry, 1, false, Optional.empty(), false), 1_000);
        peer = SharingHead.attach(files, 1);
        // Scattered, so that a tag has several extents.
        mustBeEmpty(peer.reserve(List.of(shared(PEERS, 50, 4, 1), shared(PEERS, 60, 2, 2))));
        peer.accept();
        peer.fill(PEERS, PEERS_BYTE);
        peers = List.copyOf(peer.accepted);
        mustBeEmpty(peer.reserve(List.of(shared(KEPT, 55, KEPT_BLOCKS, 1))));
        peer.accept();
        peer.fill(KEPT, KEPT_BYTE);
        kept = peer.accepted.stream()
                .filter(extent -> extent.tag().equals(KEPT))
                .toList();
        mustBeEmpty(peer.registry().addReference(KEPT));
        peer.release(KEPT);
    }

    private static Extent shared(UUID tag, long block, long count, int sequence) {
        long dpa = Geometry.DECODE_GRANULE_BYTES + (block - BLOCKS / 2) * BLOCK;
        return new Extent(dpa, count * BLOCK, tag, sequence);
    }

    public static void main(String[] arguments) throws Exception {
        SharedCrashSweep sweep = new SharedCrashSweep(DeviceFiles.named(arguments[0]));
        sweep.run();
        System.out.println("swept points=" + sweep.points + " reaperPoints=" + sweep.reaperPoints);
    }

    @Override
    public void close() {
        peer.close();
    }

    private void run() throws Exception {
        live(files, new SharingHead[1]);
        check("after a whole life", true);
        for (long point = 0; dieAt(point); point++) {
            String which = "point=" + point + " store=" + CrashStep.diedAt();
            try {
                check(which + " as it was left", false);
                repair((int) (point % 5), which);
                check(which + " after repair " + point % 5, true);
            } catch (RuntimeException e) {
                throw new IllegalStateException(which + " repair=" + point % 5, e);
            }
            points++;
        }
        check("after the last life", true);
    }

    private boolean dieAt(long point) {
        SharingHead[] head = new SharingHead[1];
        CrashStep.arm(point);
        try {
            live(files, head);
            return false;
        } catch (CrashStep.Died e) {
            return true;
        } finally {
            CrashStep.disarm();
            if (head[0] != null && CrashStep.diedAt() != null) {
                head[0].bury();
            }
        }
    }

    /** Everything that can happen to a head that shares. */
    static void live(DeviceFiles files, SharingHead[] self) {
        SharingHead head = SharingHead.attach(files, 0, self);
        head.serve();
        TagRegistry registry = head.registry();
        // The first, and the last one out: with one extent, and with several.
        mustBeEmpty(head.create(A, 1, 7, 8));
        head.accept();
        head.fill(A, 0x11);
        head.release(A);
        mustBeEmpty(head.reserve(List.of(shared(A, 58, 2, 1), shared(A, 62, 1, 2))));
        head.reject();
        // With others; what they wrote is there.
        mustBeEmpty(head.join(PEERS, 1));
        head.accept();
        must(head.bytes(PEERS) == PEERS_BYTE, "the others' bytes are not there");
        // Kept while it is held, and not any more.
        mustBeEmpty(head.create(B, 1, 4, 8));
        head.accept();
        head.fill(B, 0x22);
        mustBeEmpty(registry.addReference(B));
        mustBeEmpty(registry.removeReference(B));
        mustBeEmpty(registry.addReference(B));
        head.release(B);
        // Nobody has it now.
        Extent some = shared(KEPT, 55, 1, 0);
        mustBe(Refusal.Cause.OWNED_BY_OTHER_HEAD, head.reserve(List.of(new Extent(some.startDpa(), BLOCK, A, 0))));
        mustBeEmpty(head.join(B, 1));
        head.accept();
        must(head.bytes(B) == 0x22, "what was kept has changed");
        head.release(B);
        mustBeEmpty(registry.removeReference(B));
        mustBe(Refusal.Cause.TAG_UNKNOWN, head.join(B, 1));
        mustBeEmpty(head.join(KEPT, 1));
        head.accept();
        must(head.bytes(KEPT) == KEPT_BYTE, "what was kept has changed");
        head.release(KEPT);
        // In parts: the last one gives the rest back.
        mustBeEmpty(head.create(B, 1, 3, 1));
        head.accept();
        head.releaseParts(B);
        mustBe(Refusal.Cause.TAG_IN_USE, head.create(PEERS, 1, 1, 1));
        head.release(PEERS);
        mustBeEmpty(head.join(PEERS, 1));
        head.reject();
        RegionSettings settings = new RegionSettings(head.state, head.leases);
        mustBeEmpty(settings.set(0, 2 * BLOCK, true));
        mustBeEmpty(head.addFree(0, 6, false, 4));
        head.accept();
        head.releaseAll();
        mustBeEmpty(settings.set(0, BLOCK, false));
        poisonAll(head);
        // It leaves with all kinds of things in its hands.
        mustBeEmpty(head.join(PEERS, 1));
        head.accept();
        mustBeEmpty(head.join(KEPT, 1));
        mustBeEmpty(head.create(C, 1, 2, 8));
        head.accept();
        mustBeEmpty(head.addFree(0, 3, true, 1));
        head.close();
    }

    /** Free blocks, its own, what it shares, and what is not its to poison. */
    private static void poisonAll(SharingHead head) {
        MediaPoison poison = head.poison();
        long line = MediaPoison.LINE_BYTES;
        long free = 3 * BLOCK;
        mustBeEmpty(poison.inject(free, 2 * line, MediaPoison.Source.INTERNAL));
        mustBeEmpty(poison.inject(free + BLOCK, line, MediaPoison.Source.INJECTED));
        mustBeEmpty(poison.clear(free, new byte[(int) line]));
        mustBe(
                Refusal.Cause.OWNED_BY_OTHER_HEAD,
                poison.inject(shared(KEPT, 55, 1, 0).startDpa(), line, INJECTED));
        // The claim takes it out.
        mustBeEmpty(head.reserve(List.of(Extent.untagged(free, BLOCK))));
        head.accept();
        must(!poison.isPoisoned(free, BLOCK), "what was claimed is poisoned");
        mustBeEmpty(poison.inject(free, line, INJECTED));
        must(poison.isPoisoned(free, BLOCK), "not poisoned");
        head.fill(Extent.NO_TAG, 0x44);
        byte[] data = new byte[(int) line];
        Arrays.fill(data, (byte) 0x33);
        mustBeEmpty(poison.clear(free, data));
        mustBeEmpty(poison.inject(free + line, line, INJECTED));
        head.releaseAll();
        // With others: it stays when one leaves.
        mustBeEmpty(head.join(PEERS, 1));
        head.accept();
        long peers = shared(PEERS, 50, 1, 0).startDpa();
        mustBeEmpty(poison.inject(peers, line, INJECTED));
        head.release(PEERS);
        mustBe(Refusal.Cause.OWNED_BY_OTHER_HEAD, poison.clear(peers, data));
        mustBeEmpty(head.join(PEERS, 1));
        head.accept();
        mustBeEmpty(poison.clear(peers, onlyOf(PEERS_BYTE)));
        head.release(PEERS);
        // The last one out takes it along, also when that gives the rest back.
        mustBeEmpty(head.create(A, 1, 3, 8));
        head.accept();
        mustBeEmpty(poison.inject(head.accepted.get(0).startDpa(), line, INJECTED));
        head.releaseParts(A);
    }

    private static byte[] onlyOf(int value) {
        byte[] bytes = new byte[MediaPoison.LINE_BYTES];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    // ---- repair

    void repair(int way, String which) {
        switch (way) {
            case 0 -> // A peer's tick.
                peer.tick();
            case 1 -> // The same head id starts anew.
                SharingHead.attach(files, 0).close();
            case 2 -> { // recover; a second one finds nothing.
                Device.recover(files, 1_000);
                Repairer.Recovery again = Device.recover(files, 1_000);
                must(again.freedBlocks()[0] == 0 && again.before().notes().isEmpty(), which + ": " + again.before());
            }
            case 3 -> CrashSweep.reap(files);
            default -> reaperPoints += reapWithDeaths();
        }
    }

    private int reapWithDeaths() {
        LeaseFile leases = LeaseFile.openExisting(files.lockFile()).orElseThrow();
        int deaths = 0;
        try (StateFile state = StateFile.open(files.stateFile(), StateFile.Access.READ_WRITE, 0);
                Media media = SharingHead.openMedia(state)) {
            boolean died = true;
            while (died) {
                CrashStep.arm(deaths);
                try {
                    new Reaper(state, leases, media, Machine.REAL).reap(0);
                    new TagRegistry(state, leases, media, Machine.REAL).trySweep();
                    died = false;
                } catch (CrashStep.Died e) {
                    deaths++;
                    CrashStep.disarm();
                    check("reaper died at its store " + deaths + " (" + CrashStep.diedAt() + ")", false);
                }
            }
        } finally {
            CrashStep.disarm();
            leases.close();
        }
        return deaths;
    }

    // ---- what must hold

    /** Fails unless all that must hold does; of a repaired device also that nothing of the dead head is left. */
    void check(String which, boolean repaired) {
        Inspector.Report report = Device.inspect(files);
        must(report.isSound(), which + ": " + report.findings());
        for (Extent extent : peers) {
            must(holds(1, extent), which + ": the peer lost " + extent);
        }
        must(peer.bytes(PEERS) == PEERS_BYTE, which + ": the peer's bytes were changed");
        byte[] bytes = new byte[(int) BLOCK];
        for (Extent extent : kept) {
            peer.media.read(peer.state.geometry().mediaOffsetOfDpa(extent.startDpa()), bytes, 0, bytes.length);
            must(bytes[0] == KEPT_BYTE && bytes[bytes.length - 1] == KEPT_BYTE, which + ": what is kept was changed");
        }
        if (!repaired) {
            return;
        }
        // References outlive whoever set them.
        for (UUID tag : List.of(A, B, C)) {
            peer.registry().removeReference(tag);
        }
        RegionSettings settings = new RegionSettings(peer.state, peer.leases);
        mustBeEmpty(settings.set(0, BLOCK, false));
        report = Device.inspect(files);
        must(report.isSound() && report.notes().isEmpty(), which + ": " + report);
        must(report.ownedBlocks()[0] == 0, which + ": the dead head owns " + report.ownedBlocks()[0]);
        must(report.keptBlocks() == KEPT_BLOCKS, which + ": kept " + report.keptBlocks());
        must(report.freeBlocks() == BLOCKS - PEERS_BLOCKS - KEPT_BLOCKS, which + ": free " + report.freeBlocks());
        List<TagRegistry.Tag> tags = peer.registry().list();
        must(tags.size() == 2, which + ": tags " + tags);
        for (TagRegistry.Tag tag : tags) {
            boolean isKept = tag.tag().equals(KEPT);
            must(tag.holders() == (isKept ? 0 : 2) && tag.isReferenced() == isKept, which + ": " + tag);
        }
        // What is the peer's is poisoned as the dead head left it.
        for (Extent extent : peers) {
            peer.poison().scan(extent.startDpa(), extent.lengthBytes()).forEach(line -> {
                must(line.dpa() == peers.get(0).startDpa(), which + ": " + line);
                mustBeEmpty(peer.poison().clear(line.dpa(), onlyOf(PEERS_BYTE)));
            });
        }
        // Whoever gets the blocks next sees nothing of what was in them.
        for (int region = 0; region < 2; region++) {
            int blocks = BLOCKS / 2 - (region == 0 ? 0 : PEERS_BLOCKS + KEPT_BLOCKS);
            mustBeEmpty(peer.addFree(region, blocks, false, 64));
            peer.accept();
            must(peer.bytes(Extent.NO_TAG) == 0, which + ": stale bytes");
            must(
                    peer.accepted.stream()
                            .noneMatch(extent -> peer.poison().isPoisoned(extent.startDpa(), extent.lengthBytes())),
                    which + ": stale poison " + peer.state.poison().read());
            peer.release(Extent.NO_TAG);
        }
        must(peer.state.poison().read().records().isEmpty(), which + ": poison of nobody");
    }

    private boolean holds(int head, Extent extent) {
        long first = peer.state.geometry().blockOfDpa(extent.startDpa());
        return peer.state.ownerMap().ownsAllVolatile(head, first, extent.lengthBytes() / BLOCK);
    }

    private static void mustBeEmpty(Optional<Refusal> refusal) {
        must(refusal.isEmpty(), "refused: " + refusal);
    }

    private static void mustBe(Refusal.Cause cause, Optional<Refusal> refusal) {
        must(refusal.isPresent() && refusal.get().cause() == cause, "not refused with " + cause + ": " + refusal);
    }

    private static void must(boolean condition, String failure) {
        if (!condition) {
            throw new IllegalStateException(failure);
        }
    }
}
