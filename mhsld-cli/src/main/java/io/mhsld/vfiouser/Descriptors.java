package io.mhsld.vfiouser;

/** What can be done with a file descriptor that a client has sent. */
interface Descriptors {
    /** It is not used any more, and never was. */
    void close(int descriptor);

    /** True when it counts events. Nothing else is ever written to: a write to a file of the client's own kind could wait for the client. */
    boolean isEventCounter(int descriptor);

    /** Counts one event, soon, and never waits: a counter that is full tells of events already. */
    void signal(int counter);

    /** The counter is not used any more: what it was not told yet it does not hear. Never waits. */
    void release(int counter);
}
