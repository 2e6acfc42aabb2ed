/**
 * A conformance suite for component command interfaces: each row of its tables is one command with one outcome. It knows a device by its answers
 * alone, and none of the product's layouts, so that it can be pointed at any device, and can find a mistake in those layouts.
 */
package io.mhsld.stress.conformance;
