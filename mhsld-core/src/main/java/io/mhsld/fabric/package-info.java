/**
 * The device as a whole, for the fabric manager: what the state file tells of it, with or without live heads, and the way to each head. Holds nothing
 * that outlives the process.
 */
package io.mhsld.fabric;
