package io.mhsld.stress.history;

import io.mhsld.stress.history.Operation.Kind;
import io.mhsld.stress.history.Operation.Outcome;
import io.mhsld.stress.history.Operation.Range;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What all processes of a trial did, taken apart: for each block the history of its register. */
public final class Recording {
    private final int lanesPerWord;
    private final List<List<BlockOperation>> histories = new ArrayList<>();
    private final List<String> refusals = new ArrayList<>();

    /** For each head that is dead, or about to be killed, since when; until its next process has attached. */
    private final Map<Integer, Long> deadSinceNs = new HashMap<>();

    /** A device of so many blocks, so many of whose lanes are won at once. */
    public Recording(int blockCount, int lanesPerWord) {
        this.lanesPerWord = lanesPerWord;
        for (int block = 0; block < blockCount; block++) {
            histories.add(new ArrayList<>());
        }
    }

    /** The history of one block. */
    public List<BlockOperation> history(int block) {
        return histories.get(block);
    }

    /** Operations that were refused to a head that had what they were about: each is wrong. */
    public List<String> refusals() {
        return refusals;
    }

    /**
     * Adds what one process did. A head's processes come in the order in which they lived.
     *
     * @param killedNs when it was about to be killed, {@link BlockOperation#NEVER} when it ended by itself
     * @param goneNs when its end was known: nothing of it can have happened later
     */
    public void addProcess(int head, List<Operation> operations, long killedNs, long goneNs) {
        for (Operation operation : operations) {
            if (operation.kind() == Kind.ATTACH) {
                addAttach(operation);
            } else {
                add(operation, goneNs);
            }
        }
        if (killedNs != BlockOperation.NEVER) {
            deadSinceNs.putIfAbsent(head, killedNs);
        }
    }

    /** Adds a look of somebody who is no head. */
    public void addLook(int block, long owners, long invokeNs, long returnNs) {
        addBlock(
                block,
                Course.LOOK,
                -1,
                valueOf(owners),
                invokeNs,
                returnNs,
                "somebody looks: owners=" + Operation.numbersOf(owners));
    }

    /** Whoever has died and was not followed: what it had may be freed at any time. */
    public void finish() {
        deadSinceNs.forEach((head, sinceNs) -> addReap(head, sinceNs, BlockOperation.NEVER));
        deadSinceNs.clear();
    }

    private void addAttach(Operation attach) {
        Long sinceNs = deadSinceNs.get(attach.head());
        if (sinceNs != null && attach.outcome() != Outcome.UNDER_WAY) {
            addReap(attach.head(), sinceNs, attach.returnNs());
            deadSinceNs.remove(attach.head());
        }
    }

    private void addReap(int head, long fromNs, long toNs) {
        for (int block = 0; block < histories.size(); block++) {
            addBlock(
                    block,
                    Course.REAP,
                    head,
                    0,
                    fromNs,
                    toNs,
                    "head " + head + " is dead, and reaped if it had the block");
        }
    }

    private void add(Operation operation, long goneNs) {
        boolean isCut = operation.outcome() == Outcome.UNDER_WAY;
        long returnNs = isCut ? goneNs : operation.returnNs();
        if (operation.outcome() == Outcome.REFUSED) {
            refusals.add("refused to the owner: " + operation);
        } else if (operation.kind() == Kind.ADD) {
            addClaim(operation, isCut, returnNs);
        } else if (operation.kind() == Kind.LOOK || operation.kind() == Kind.ACCESS) {
            if (!isCut) {
                int value = operation.kind() == Kind.LOOK ? valueOf(operation.owners()) : operation.head() + 1;
                addBlocks(operation.blocks(), Course.LOOK, value, operation, returnNs);
            }
        } else {
            addBlocks(operation.blocks(), isCut ? Course.CUT_RELEASE : Course.RELEASE, 0, operation, returnNs);
        }
    }

    private void addClaim(Operation claim, boolean isCut, long returnNs) {
        boolean isLost = claim.outcome() == Outcome.LOST;
        for (Range range : claim.ranges()) {
            if (isLost && range.first() > claim.met()) {
                break; // Ranges are claimed in the order of their addresses.
            }
            for (int block = range.first(); block < range.end(); block++) {
                Course course = isCut ? Course.CUT_CLAIM : isLost ? courseOf(block, range, claim.met()) : Course.WIN;
                boolean mayBeginAgain = block / lanesPerWord < (range.end() - 1) / lanesPerWord;
                if (course != Course.NOT_REACHED || mayBeginAgain) {
                    int expected = course == Course.MET ? valueOf(claim.owners()) : 0;
                    histories
                            .get(block)
                            .add(new BlockOperation(
                                    claim.head(), course, expected, mayBeginAgain, claim.invokeNs(), returnNs, claim));
                }
            }
        }
    }

    private Course courseOf(int block, Range range, int met) {
        if (met >= range.end()) {
            return Course.WON_AND_TAKEN_BACK;
        } else if (block == met) {
            return Course.MET;
        } else if (block > met) {
            return Course.NOT_REACHED;
        }
        return block / lanesPerWord == met / lanesPerWord ? Course.SEEN_FREE : Course.WON_AND_TAKEN_BACK;
    }

    private void addBlocks(long blocks, Course course, int expected, Operation operation, long returnNs) {
        for (long rest = blocks; rest != 0; rest &= rest - 1) {
            addBlock(
                    Long.numberOfTrailingZeros(rest),
                    course,
                    operation.head(),
                    expected,
                    operation.invokeNs(),
                    returnNs,
                    operation);
        }
    }

    private void addBlock(
            int block, Course course, int head, int expected, long invokeNs, long returnNs, Object source) {
        histories.get(block).add(new BlockOperation(head, course, expected, false, invokeNs, returnNs, source));
    }

    private static int valueOf(long owners) {
        if (owners == 0) {
            return Course.FREE;
        }
        return Long.bitCount(owners) == 1 ? Long.numberOfTrailingZeros(owners) + 1 : BlockOperation.NO_REGISTER;
    }
}
