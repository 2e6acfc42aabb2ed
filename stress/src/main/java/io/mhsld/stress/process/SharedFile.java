package io.mhsld.stress.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.agrona.concurrent.UnsafeBuffer;

/** A file that the processes of a trial have mapped, for what they tell each other. What a process stored is there after its death. */
public final class SharedFile {
    private SharedFile() {}

    /** Maps a file, which is made, or made longer, if need be; what is new of it is zero. */
    public static UnsafeBuffer map(Path file, int lengthBytes) {
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MappedByteBuffer mapping = channel.map(FileChannel.MapMode.READ_WRITE, 0, lengthBytes);
            return new UnsafeBuffer(mapping);
        } catch (IOException e) {
            throw new UncheckedIOException("file cannot be mapped: file=" + file, e);
        }
    }
}
