/** What is too long, or too random, for a unit test: races looked for with jcstress, and costs measured with JMH. Never published. */
package io.mhsld.stress;
