package io.mhsld.type3;

/**
 * One record of an event log.
 *
 * @param handle names the record while it is in the log, never 0 (CXL r3.1 8.2.9.2.1)
 * @param timestampNs the device's time when the record was made, 0 when no host had set it
 * @param header what all records say
 * @param body what only this kind of record says
 */
public record EventRecord(int handle, long timestampNs, EventHeader header, EventBody body) {}
