package io.mhsld.vfiouser;

/** What can be done with a file descriptor that a client has sent. */
interface Descriptors {
    /** It is not used any more. */
    void close(int descriptor);

    /** True when it counts events. Nothing else is ever written to: a write to a file of the client's own kind could wait for the client. */
    boolean isEventCounter(int descriptor);

    /** Counts one event, and never waits: a counter that is full tells of events already. */
    void signal(int descriptor);
}
