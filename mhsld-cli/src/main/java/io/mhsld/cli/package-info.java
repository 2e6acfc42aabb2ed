/**
 * The command line. A verb class holds options only and calls an operator, which does the work, prints to the stream that it is given and returns
 * an {@link io.mhsld.cli.ExitCode}.
 */
package io.mhsld.cli;
