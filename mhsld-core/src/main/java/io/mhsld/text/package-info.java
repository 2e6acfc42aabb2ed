/** Text that somebody else wrote, on its way to people. Everything else may know this package, and it knows nothing. */
package io.mhsld.text;
