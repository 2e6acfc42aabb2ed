/**
 * The memory behind the dynamic capacity: one shared, sparse file that every head maps. It knows bytes of that file, not device
 * addresses, and promises that a scrubbed range reads as zero and can be stored to.
 */
package io.mhsld.media;
