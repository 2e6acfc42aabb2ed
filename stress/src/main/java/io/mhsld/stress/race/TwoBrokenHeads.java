package io.mhsld.stress.race;

/** The state of broken twins: the same map, and laid over the same memory one that is written wrong. */
abstract class TwoBrokenHeads extends TwoHeads {
    final BrokenOwnerMap brokenMapOfA;
    final BrokenOwnerMap brokenMapOfB;

    TwoBrokenHeads(int laneBytes) {
        super(laneBytes);
        brokenMapOfA = new BrokenOwnerMap(slot.memory(0, 0, BLOCKS * laneBytes), laneBytes);
        brokenMapOfB = new BrokenOwnerMap(slot.memory(1, 0, BLOCKS * laneBytes), laneBytes);
    }
}
