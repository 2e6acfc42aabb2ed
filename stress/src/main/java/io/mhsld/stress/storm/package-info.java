/**
 * Real head processes that are killed, stopped and restarted at random while QMP clients work them, checked against an oracle of who must own
 * what, and against a marker in every block that says who wrote it.
 */
package io.mhsld.stress.storm;
