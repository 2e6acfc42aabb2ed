/** Benchmarks: what claiming, checking and adding cost. Programs that print numbers, never tests that fail on a slow day. */
package io.mhsld.stress.bench;
