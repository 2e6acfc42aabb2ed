package io.mhsld.cci;

import io.mhsld.type3.EventLog;

/** Told of interrupts to the host, each at the moment when hardware would send it. What happens in there must not call the device. */
public interface InterruptListener {
    /** A listener that does nothing. */
    InterruptListener NONE = new InterruptListener() {
        @Override
        public void message(int number, EventLog.Kind log) {}

        @Override
        public void firmware(int vector, EventLog.Kind log) {}
    };

    /** The MSI or MSI-X message of this number: the log has its first records (CXL r3.1 8.2.9.2.4). */
    void message(int number, EventLog.Kind log);

    /** An event firmware notification of this vector instead, for a log that firmware handles (CXL r3.1 8.2.9.2.5). */
    void firmware(int vector, EventLog.Kind log);
}
