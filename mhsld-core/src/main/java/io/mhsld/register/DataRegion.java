package io.mhsld.register;

import io.mhsld.type3.DcRegion;
import io.mhsld.type3.MediaPoison;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Type3Device;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The memory behind a base address register: an offset is a DPA. Each access is checked anew. What the host has accepted and owns is served, byte
 * by byte if an access straddles; all else, poison and disabled media reads as ones and swallows writes.
 */
final class DataRegion implements RegisterPart {
    private static final byte ONES = (byte) 0xFF;
    private static final long SMALLEST_BYTES = 4096;

    private final Type3Device device;
    private final Consumer<Refusal> refusals;

    /** @param refusals told once of each access that was not served, or not all of it */
    DataRegion(Type3Device device, Consumer<Refusal> refusals) {
        this.device = device;
        this.refusals = refusals;
    }

    /** The smallest power of two that has every DPA in it. */
    @Override
    public long lengthBytes() {
        return Math.max(SMALLEST_BYTES, Long.highestOneBit(device.endDpa() - 1) << 1);
    }

    @Override
    public void read(long offset, byte[] destination, int destinationOffset, int readBytes) {
        inPieces(offset, readBytes, blockBytes(), (dpa, from, length) -> {
                    if (device.checkAccess(dpa, length).isEmpty()
                            && device.poison().isPoisoned(dpa, length)) {
                        return inPieces(
                                dpa,
                                length,
                                MediaPoison.LINE_BYTES,
                                (line, lineFrom, lineBytes) ->
                                        readPiece(line, destination, destinationOffset + from + lineFrom, lineBytes));
                    }
                    return readPiece(dpa, destination, destinationOffset + from, length);
                })
                .ifPresent(refusals);
    }

    private Optional<Refusal> readPiece(long dpa, byte[] destination, int destinationOffset, int readBytes) {
        Optional<Refusal> refusal = device.read(dpa, destination, destinationOffset, readBytes);
        if (refusal.isPresent()) {
            Arrays.fill(destination, destinationOffset, destinationOffset + readBytes, ONES);
        }
        return refusal;
    }

    @Override
    public void write(long offset, byte[] source, int sourceOffset, int writeBytes) {
        inPieces(
                        offset,
                        writeBytes,
                        blockBytes(),
                        (dpa, from, length) -> device.write(dpa, source, sourceOffset + from, length))
                .ifPresent(refusals);
    }

    /** Memory outlives what resets a function; a conventional reset takes the capacity, which is the device's business. */
    @Override
    public void reset(ResetKind kind) {}

    /** No extent has a boundary within such a piece; the sizes of regions change with their settings. */
    private long blockBytes() {
        return device.capacity().regions().stream()
                .mapToLong(DcRegion::blockSizeBytes)
                .min()
                .orElse(SMALLEST_BYTES);
    }

    private interface Piece {
        Optional<Refusal> access(long dpa, int from, int length);
    }

    /** The first refusal. */
    private static Optional<Refusal> inPieces(long dpa, int accessBytes, long pieceBytes, Piece piece) {
        Optional<Refusal> first = Optional.empty();
        int done = 0;
        while (done < accessBytes) {
            long at = dpa + done;
            int length = (int) Math.min(accessBytes - done, pieceBytes - (at & (pieceBytes - 1)));
            Optional<Refusal> refusal = piece.access(at, done, length);
            first = first.or(() -> refusal);
            done += length;
        }
        return first;
    }
}
