package io.mhsld.stress.storm;

import io.mhsld.qmp.QmpClient;
import io.mhsld.qmp.QmpException;
import io.mhsld.qmp.QmpReply;
import io.mhsld.stress.storm.Requests.Run;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Reads blocks of any head at any time, on connections of its own. It does not know what the head has just been told; what it can read must be
 * zero or what this very process has written there.
 */
final class Bystander {
    private static final int READS_PER_CONNECTION = 200;
    private static final int MAX_BLOCKS = 3;

    private final Storm storm;
    private final SplittableRandom random;

    Bystander(Storm storm, SplittableRandom random) {
        this.storm = storm;
        this.random = random;
    }

    /** Watches one head for a while. */
    long step() {
        HeadSlot slot = storm.slots().get(random.nextInt(storm.slots().size()));
        slot.serving().ifPresent(life -> watch(slot, life));
        return random.nextLong(10_000_000);
    }

    private void watch(HeadSlot slot, Life life) {
        try (QmpClient client = slot.connect()) {
            Requests requests = new Requests(storm.geometry(), life.head());
            int reads = 1 + random.nextInt(READS_PER_CONNECTION);
            for (int i = 0; i < reads && !life.isDoomed(); i++) {
                List<Long> owned = storm.ownership().certain(life);
                long first = owned.isEmpty() || random.nextInt(4) == 0
                        ? random.nextLong(storm.geometry().blockCount())
                        : owned.get(random.nextInt(owned.size()));
                long rest = storm.geometry().regionOfBlock(first).firstBlock()
                        + storm.geometry().regionOfBlock(first).lengthBytes()
                                / storm.geometry().blockSizeBytes()
                        - first;
                Run run = new Run(first, Math.min(rest, 1L + random.nextInt(MAX_BLOCKS)));
                check(life, run, client.execute("x-mem-read", requests.range(run)));
            }
        } catch (QmpException e) {
            // Another process may serve there by now: whoever talks to the head all the time knows whose fault it is.
            storm.tally().operation("bystander cut off");
        }
    }

    private void check(Life life, Run run, QmpReply reply) {
        if (reply.error().isPresent()) {
            storm.tally().operation("read by a bystander, refused");
            return;
        }
        storm.tally().operation("read by a bystander");
        byte[] found = Base64.getDecoder().decode(String.valueOf(((Map<?, ?>) reply.value()).get("data")));
        int blockBytes = (int) storm.geometry().blockSizeBytes();
        Marker.strangeness(found, run.first(), blockBytes, life.head(), life.number())
                .ifPresent(strange -> {
                    // A connection may have been taken by the next process, if this one was ended meanwhile.
                    if (!life.isDoomed()) {
                        storm.tally()
                                .violation(
                                        "I4 a head reads what is not its own: %s run=%s found=%s", life, run, strange);
                    }
                });
        storm.tally().read("by a bystander: own or zero", true);
    }
}
