/** A contest of real processes for the blocks and leases of one device, in which wins and losses are counted exactly. */
package io.mhsld.stress.contest;
