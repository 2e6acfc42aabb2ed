package io.mhsld.stress.fuzz;

import io.mhsld.head.MediaBinding;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * The note beside a media file that says whose memory it is. Whatever stands in it, the memory of a living other device is refused, and nothing but
 * a {@link StateFileException} comes of the rest. An input with a first byte that is odd has the path of the other device in front.
 */
public final class MediaNotes {
    private static DeviceFiles ours;
    private static DeviceFiles other;

    private MediaNotes() {}

    /** Fails when a note is misunderstood. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        if (ours == null) {
            ours = Scratch.device("ours", 1, 8);
            other = Scratch.device("other", 1, 8);
        }
        Input input = new Input(bytes);
        boolean namesOther = input.flag();
        byte[] text = input.rest();
        Path media = other.mediaFile();
        Path note = media.resolveSibling(media.getFileName() + ".device");
        try {
            byte[] path = other.stateFile().toString().getBytes(StandardCharsets.UTF_8);
            byte[] content = namesOther ? concatenated(path, text) : text;
            Files.write(note, content);
            check(new MediaBinding(media, ours), note, new String(content, StandardCharsets.UTF_8).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void check(MediaBinding binding, Path note, String said) throws IOException {
        Check.that(binding.isKnown(), "a note is there");
        boolean isOther = said.equals(other.stateFile().toString());
        try {
            binding.requireOurs();
            Check.that(!isOther, "memory of a living device is given away");
        } catch (StateFileException e) {
            boolean cannotBeSeen = e.problem() == Problem.SYSTEM || !Files.isRegularFile(Path.of(said));
            Check.that(cannotBeSeen || Path.of(said).equals(other.stateFile()), "refused: " + e.getMessage());
            return;
        }
        binding.bind(PosixFilePermissions.fromString("rw-------"));
        Check.equal(ours.stateFile().toString(), Files.readString(note), "note after bind");
        new MediaBinding(other.mediaFile(), other).unbind();
        Check.that(binding.isKnown(), "a note of another device is taken away");
        binding.unbind();
        Check.that(!binding.isKnown(), "the note is gone after unbind");
    }

    private static byte[] concatenated(byte[] first, byte[] second) {
        byte[] both = new byte[first.length + second.length];
        System.arraycopy(first, 0, both, 0, first.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }
}
