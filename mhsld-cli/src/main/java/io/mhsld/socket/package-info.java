/**
 * The sockets that the servers listen on, of this machine alone: how their addresses are written, whose file may be replaced, and which user may
 * connect. It knows no protocol but by the name that messages call it.
 */
package io.mhsld.socket;
