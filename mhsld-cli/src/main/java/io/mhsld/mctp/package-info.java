/**
 * Messages of the component command interface over TCP, in MCTP packets of 68 bytes: the framing of fabric managers that have no MCTP of the kernel at
 * hand.
 */
package io.mhsld.mctp;
