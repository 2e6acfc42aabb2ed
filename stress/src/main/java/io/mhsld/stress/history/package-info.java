/** Histories of real head processes, recorded and checked: is each block the register that it should be? */
package io.mhsld.stress.history;
