/** Processes of the trials: JVMs that are started, stopped, killed and waited for. */
package io.mhsld.stress.process;
