/**
 * The PCI function of a head as a host sees it: configuration space, component registers, device registers and tables, each drawn as rows of
 * fields. Knows the Type-3 device and its mailbox, not how the accesses arrive.
 */
package io.mhsld.register;
