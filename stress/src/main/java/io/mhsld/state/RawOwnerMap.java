package io.mhsld.state;

import io.mhsld.state.StateFileDescriptor.Section;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.agrona.concurrent.AtomicBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/** The bare words of a state file's owner map, for what must be broken. It stands in this package because no other may know where they are. */
public final class RawOwnerMap {
    private RawOwnerMap() {}

    /** Maps them, besides whatever mapping of the file there is. */
    public static AtomicBuffer map(Path stateFile, Geometry geometry) {
        try (FileChannel channel = FileChannel.open(stateFile, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return new UnsafeBuffer(channel.map(
                    FileChannel.MapMode.READ_WRITE,
                    Section.OWNER_MAP.offset(geometry),
                    Section.OWNER_MAP.lengthBytes(geometry)));
        } catch (IOException e) {
            throw new UncheckedIOException("owner map cannot be mapped: file=" + stateFile, e);
        }
    }
}
