package io.mhsld.stress.contest;

import io.mhsld.head.Incarnation;
import io.mhsld.head.LeaseFile;
import io.mhsld.head.Leases;
import io.mhsld.head.Machine;
import io.mhsld.media.Media;
import io.mhsld.state.OwnerMap;
import io.mhsld.state.StateFile;
import io.mhsld.type3.AddRequest;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.Extent;
import io.mhsld.type3.Refusal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/** A contender as a head whose fabric manager wants so many blocks, and does not say which. */
final class Chooser implements AutoCloseable {
    private final StateFile state;
    private final OwnerMap map;
    private final int head;
    private final boolean broken;
    private final Media media;
    private final Leases.Lease lease;
    private final Incarnation incarnation;

    Chooser(StateFile state, LeaseFile leases, int head, boolean broken) {
        this.state = state;
        this.map = state.ownerMap();
        this.head = head;
        this.broken = broken;
        this.media = Media.open(
                Path.of(state.identity().mediaFile()), state.geometry().capacityBytes(), Media.Space.SPARSE);
        this.lease = leases.tryHead(head).orElseThrow();
        this.incarnation = Incarnation.begin(state, head, media, leases, Machine.REAL, line -> {});
    }

    /**
     * What each contender wants in a round: in an even one all of the device together, so that all must get it; else more than there is.
     *
     * @return blocks, by contender
     */
    static int[] wants(long seed, long round, int contenders, int blocks) {
        SplittableRandom random = new SplittableRandom(seed ^ round * 0x9E37_79B9_7F4A_7C15L);
        int[] wants = new int[contenders];
        int left = blocks;
        for (int i = 0; i < contenders; i++) {
            int most = left - (contenders - 1 - i);
            wants[i] = i == contenders - 1 ? left : 1 + random.nextInt(Math.min(most, 2 * blocks / contenders));
            left -= wants[i];
        }
        if (!isFitting(round)) {
            for (int i = 0; i < contenders; i++) {
                wants[i] = Math.min(blocks, wants[i] + 1 + random.nextInt(blocks / 2));
            }
        }
        return wants;
    }

    /** All get what they want in such a round. */
    static boolean isFitting(long round) {
        return round % 2 == 0;
    }

    /** Why it did not get them; empty when it has. */
    Optional<Refusal> choose(int blocks) {
        if (broken) {
            return chooseOnce(blocks);
        }
        long lengthBytes = blocks * state.geometry().blockSizeBytes();
        Optional<Refusal> refusal = incarnation.device().capacity().add(AddRequest.free(0, lengthBytes, Extent.NO_TAG));
        incarnation.device().log(EventLog.Kind.DYNAMIC_CAPACITY).clearAll();
        return refusal;
    }

    /** The mistake: whoever meets another gives up. */
    private Optional<Refusal> chooseOnce(int blocks) {
        List<Long> claimed = new ArrayList<>();
        for (long block = 0; block < map.blockCount() && claimed.size() < blocks; block++) {
            if (map.ownersVolatile(block) == 0) {
                if (map.claim(head, block, 1) != OwnerMap.CLAIMED) {
                    break;
                }
                claimed.add(block);
            }
        }
        if (claimed.size() == blocks) {
            return Optional.empty();
        }
        claimed.forEach(block -> map.clear(head, block, 1));
        return Refusal.of(Refusal.Cause.NO_FREE_CAPACITY, "blocks=%d", blocks);
    }

    /** How many blocks it has. */
    long owned() {
        return map.countVolatile(head);
    }

    void letGo() {
        incarnation.device().capacity().releaseAll();
        if (broken) {
            map.clear(head, 0, map.blockCount());
        }
    }

    @Override
    public void close() {
        incarnation.leave();
        media.close();
        lease.release();
    }
}
