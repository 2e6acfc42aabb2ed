/**
 * The CXL Type-3 device with dynamic capacity: regions, the extent state machine, the event logs, and the multi-head hooks through which a
 * multi-headed device has its say. Everything here works single-headed too, without any state file.
 */
package io.mhsld.type3;
