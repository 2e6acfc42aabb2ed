/**
 * The component command interface (CXL r3.1 8.2.9): the opcode table, one descriptor for each payload, the handlers by command set, and the
 * mailbox that runs a command on a Type-3 device. To add a command, add a row to the {@code ROWS} of its command set, the descriptors of its
 * payloads to {@link io.mhsld.cci.Layouts}, and a handler.
 */
package io.mhsld.cci;
