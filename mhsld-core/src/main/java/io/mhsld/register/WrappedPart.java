package io.mhsld.register;

/** Registers with something around them: whoever extends this says what an access or a reset does besides. */
class WrappedPart implements RegisterPart {
    private final RegisterPart part;

    WrappedPart(RegisterPart part) {
        this.part = part;
    }

    @Override
    public long lengthBytes() {
        return part.lengthBytes();
    }

    @Override
    public void read(long offset, byte[] destination, int destinationOffset, int lengthBytes) {
        part.read(offset, destination, destinationOffset, lengthBytes);
    }

    @Override
    public void write(long offset, byte[] source, int sourceOffset, int lengthBytes) {
        part.write(offset, source, sourceOffset, lengthBytes);
    }

    @Override
    public void reset(ResetKind kind) {
        part.reset(kind);
    }
}
