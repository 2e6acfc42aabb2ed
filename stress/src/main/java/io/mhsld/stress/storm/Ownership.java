package io.mhsld.stress.storm;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The oracle: which process certainly owns which block. Certain is what a reply has said, until the request that may end it is sent, or the
 * process is about to be killed. What is under way when a process dies was never certain.
 */
final class Ownership {
    /**
     * What a new owner finds behind it.
     *
     * @param ending how the block came to be free
     * @param marked somebody had written to it, so that stale bytes would show
     */
    record Before(Ending ending, boolean marked) {}

    private static final class Block {
        private Life owner;
        private Life lastOwner;
        private boolean accepted;
        private boolean written;
        private Ending lastEnding = Ending.NEVER_OWNED;
        private boolean marked;

        private void end(Ending ending) {
            // What was never accepted was never written: older bytes would still be older bytes.
            marked = written || (marked && !accepted);
            lastEnding = ending;
            lastOwner = owner;
            owner = null;
            accepted = false;
            written = false;
        }
    }

    private Block[] blocks = {};

    /** A new device: a block may have kept the bytes that it had in the old one. */
    synchronized void makeAnew(int blockCount) {
        Block[] old = blocks;
        blocks = new Block[blockCount];
        for (int i = 0; i < blockCount; i++) {
            blocks[i] = i < old.length ? old[i] : new Block();
            if (i < old.length) {
                blocks[i].end(Ending.MADE_ANEW);
            }
        }
    }

    /**
     * A reply says that the block is this process's.
     *
     * @return the other process that certainly owns it at this moment: a violation
     */
    synchronized Optional<Life> begin(Life life, long block) {
        Block entry = blocks[(int) block];
        if (life.isDoomed()) {
            return Optional.empty();
        }
        if (entry.owner != null && entry.owner != life) {
            return Optional.of(entry.owner);
        }
        entry.owner = life;
        return Optional.empty();
    }

    /** A reply says that the block is accepted and reads as zero. */
    synchronized void accept(Life life, long block) {
        Block entry = blocks[(int) block];
        if (entry.owner == life) {
            entry.accepted = true;
        }
    }

    /** A write to it is about to be sent. */
    synchronized void write(Life life, long block) {
        Block entry = blocks[(int) block];
        if (entry.owner == life) {
            entry.written = true;
        }
    }

    /** What may end its ownership is about to be sent. */
    synchronized void end(Life life, long block, Ending ending) {
        Block entry = blocks[(int) block];
        if (entry.owner == life) {
            entry.end(ending);
        }
    }

    /** The process is about to be ended; the first doom counts, but one that was told to leave may still be killed over it. */
    synchronized void doom(Life life, Ending doom) {
        boolean isLeaving = life.doom().filter(first -> first == Ending.LEFT).isPresent();
        Ending how = isLeaving && doom == Ending.KILLED ? Ending.KILLED_LEAVING : doom;
        if (!life.isDoomed() || how == Ending.KILLED_LEAVING) {
            life.doom(how);
        }
        for (Block entry : blocks) {
            if (entry.owner == life) {
                entry.end(how);
            } else if (how == Ending.KILLED_LEAVING && entry.owner == null && entry.lastOwner == life) {
                // Whether it had let go of it by itself, nobody knows.
                entry.lastEnding = entry.lastEnding == Ending.LEFT ? how : entry.lastEnding;
            }
        }
    }

    synchronized Before before(long block) {
        Block entry = blocks[(int) block];
        return new Before(entry.lastEnding, entry.marked);
    }

    /** The blocks that the process certainly owns. */
    synchronized List<Long> certain(Life life) {
        List<Long> owned = new ArrayList<>();
        for (int i = 0; i < blocks.length; i++) {
            if (blocks[i].owner == life) {
                owned.add((long) i);
            }
        }
        return owned;
    }

    /** True for blocks that only the one who measures may ask for. */
    synchronized boolean isShunned(long block) {
        Life owner = blocks[(int) block].owner;
        return owner != null && owner.isShunned();
    }

    synchronized Optional<Life> owner(long block) {
        return Optional.ofNullable(blocks[(int) block].owner);
    }
}
