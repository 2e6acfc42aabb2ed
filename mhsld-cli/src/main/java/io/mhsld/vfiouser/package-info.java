/**
 * The vfio-user server: a head as a PCI function of a virtual machine. It knows the function as regions of bytes and a number of vectors, and takes the
 * head's turn for each access; it maps nothing, gives no descriptor away and does no DMA.
 */
package io.mhsld.vfiouser;
