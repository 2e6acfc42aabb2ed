/**
 * A deterministic simulation: heads, the fabric manager and reapers as threads of one JVM, of which one runs at a time; at each load and store of
 * shared memory a seeded scheduler decides who goes on, who is stopped and who is killed. The code under test is the product's own
 * ({@link io.mhsld.head.Incarnation}, {@link io.mhsld.head.Reaper} and what is below them); processes, leases and time are simulated.
 */
package io.mhsld.stress.simulation;
