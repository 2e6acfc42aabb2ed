/**
 * jcstress suites for everything that several heads touch at the same time: one class for each subject, one nested test for each race.
 *
 * <p>A test whose name begins with {@code Broken} is the same race with one defect put in, and <em>must</em> fail: it shows that the sound
 * test beside it would notice. On x86 some defects cannot be seen by running anything, for the processor keeps the order that the code forgot
 * to ask for (a missing release, a missing fence); each twin has a defect that shows there too.
 *
 * <p>How to read the outcomes: see {@link io.mhsld.stress.race.Lanes} for the pictures of lanes, {@link io.mhsld.stress.race.Answer} for what
 * calls return.
 */
package io.mhsld.stress.race;
