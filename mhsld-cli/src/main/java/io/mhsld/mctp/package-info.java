/**
 * Messages of the component command interface over TCP, in MCTP packets of 68 bytes: the framing of fabric managers that have no MCTP of the kernel at
 * hand. Who may connect, and what an address looks like, is QMP's.
 */
package io.mhsld.mctp;
