package io.mhsld.type3;

/** What one event record is about: each kind of record says something else after the common header (CXL r3.2 8.2.10.2.1). */
public sealed interface EventBody permits DcEvent, GeneralMediaEvent, DramEvent, MemoryModuleEvent {}
