package io.mhsld.stress.contest;

import io.mhsld.state.OwnerMap;
import io.mhsld.state.RawOwnerMap;
import io.mhsld.state.StateFile;
import io.mhsld.stress.race.BrokenOwnerMap;

/** How a contender claims: as heads do, or, to see whether the contest notices, wrong. */
interface Blocks {
    /** {@link OwnerMap#CLAIMED}, or the block that was met. */
    long claim(int head, long first, long count);

    static Blocks of(StateFile state, boolean broken) {
        if (!broken) {
            return state.ownerMap()::claim;
        }
        BrokenOwnerMap map = new BrokenOwnerMap(
                RawOwnerMap.map(state.file(), state.geometry()),
                state.geometry().laneBytes());
        return map::claimByReadThenWrite;
    }
}
