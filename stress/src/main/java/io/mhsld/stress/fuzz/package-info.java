/**
 * Coverage-guided fuzzing of everything that parses: one class for each kind of input, all listed in {@link io.mhsld.stress.fuzz.FuzzTarget}. The
 * inputs that reached something new are kept in {@code stress/src/fuzz}, a folder for each target. Jazzer finds them; running them again takes
 * no Jazzer, and any JVM.
 */
package io.mhsld.stress.fuzz;
