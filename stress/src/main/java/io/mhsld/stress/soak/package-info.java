/** Heads that live long under everything at once, and whether they grow: told by slope, not by eye. */
package io.mhsld.stress.soak;
