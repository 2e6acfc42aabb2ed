/**
 * One head's life: the lease that makes a process a head, the reaper that frees what dead heads held, the event loop, and the host driver
 * that answers for the host behind the head.
 */
package io.mhsld.head;
