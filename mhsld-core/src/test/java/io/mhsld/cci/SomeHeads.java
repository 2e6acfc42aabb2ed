package io.mhsld.cci;

/** A device with so many heads, of which the first so many are attached; LD n is served by head n. */
record SomeHeads(int headCount, int attached) implements MultiHeadInfo {
    @Override
    public int ldCount() {
        return headCount;
    }

    @Override
    public int headOf(int ld) {
        return isAttached(ld) ? ld : NO_HEAD;
    }

    @Override
    public boolean isAttached(int head) {
        if (head < 0 || head >= headCount) {
            throw new IllegalArgumentException("no such head: head=" + head);
        }
        return head < attached;
    }
}
