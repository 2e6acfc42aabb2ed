package io.mhsld.register;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * A range of addresses with blocks of registers in it. Between them reads give 0 and writes are swallowed; an access that straddles several is
 * one access to each, in ascending order.
 */
public final class RegisterSpace implements RegisterPart {
    private final long lengthBytes;
    private final TreeMap<Long, RegisterPart> parts = new TreeMap<>();

    /** An empty space. */
    public RegisterSpace(long lengthBytes) {
        this.lengthBytes = lengthBytes;
    }

    /**
     * Puts a block there.
     *
     * @throws IllegalArgumentException when it overlaps another one, or the end
     */
    public RegisterSpace with(long offset, RegisterPart part) {
        long end = offset + part.lengthBytes();
        Map.Entry<Long, RegisterPart> below = parts.lowerEntry(end);
        boolean isFree = below == null || below.getKey() + below.getValue().lengthBytes() <= offset;
        if (offset < 0 || end > lengthBytes || !isFree) {
            throw new IllegalArgumentException(
                    String.format("register block has no place: offset=0x%x length=0x%x", offset, part.lengthBytes()));
        }
        parts.put(offset, part);
        return this;
    }

    /** The blocks by their offsets. */
    public Map<Long, RegisterPart> parts() {
        return new TreeMap<>(parts);
    }

    @Override
    public long lengthBytes() {
        return lengthBytes;
    }

    @Override
    public void read(long offset, byte[] destination, int destinationOffset, int readBytes) {
        Arrays.fill(destination, destinationOffset, destinationOffset + readBytes, (byte) 0);
        visit(
                offset,
                readBytes,
                (part, partOffset, from, count) -> part.read(partOffset, destination, destinationOffset + from, count));
    }

    @Override
    public void write(long offset, byte[] source, int sourceOffset, int writeBytes) {
        visit(
                offset,
                writeBytes,
                (part, partOffset, from, count) -> part.write(partOffset, source, sourceOffset + from, count));
    }

    @Override
    public void reset(ResetKind kind) {
        parts.values().forEach(part -> part.reset(kind));
    }

    private interface Visitor {
        void visit(RegisterPart part, long partOffset, int from, int count);
    }

    private void visit(long offset, int visitBytes, Visitor visitor) {
        if (offset < 0 || visitBytes < 0 || offset > lengthBytes - visitBytes) {
            throw new IllegalArgumentException(
                    String.format("access is outside: offset=0x%x length=0x%x", offset, visitBytes));
        }
        long end = offset + visitBytes;
        Map.Entry<Long, RegisterPart> entry = parts.floorEntry(offset);
        if (entry == null) {
            entry = parts.ceilingEntry(offset);
        }
        while (entry != null && entry.getKey() < end) {
            long base = entry.getKey();
            long from = Math.max(base, offset);
            long to = Math.min(base + entry.getValue().lengthBytes(), end);
            if (from < to) {
                visitor.visit(entry.getValue(), from - base, (int) (from - offset), (int) (to - from));
            }
            entry = parts.higherEntry(base);
        }
    }
}
