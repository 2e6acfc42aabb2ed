/**
 * The QEMU Machine Protocol: a server for the event loop of a head, a client for the command line, and the table rows that commands are made
 * of. What goes over the wire, error texts included, is what QEMU 11.1 says in the same place; the commands of the device are bound elsewhere.
 */
package io.mhsld.qmp;
