package io.mhsld.media;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;

/** The media file cannot be used, or was damaged under a living head. A file system that is merely full is no reason for it. */
public final class MediaException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MediaException(String message, Path file, Throwable cause) {
        super(message + " file=" + file, cause);
    }

    MediaException(String message, Path file) {
        this(message, file, null);
    }

    /** The same for a failed call: what could not be done, and the system's reason for it. */
    static MediaException failed(String what, Path file, IOException cause) {
        return new MediaException(what + ": reason=" + reason(cause), file, cause);
    }

    private static String reason(IOException e) {
        if (e instanceof NoSuchFileException) {
            return "no such file or directory";
        }
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        String reason = e instanceof FileSystemException f ? f.getReason() : e.getMessage();
        return reason == null ? e.getClass().getSimpleName() : reason.toLowerCase(Locale.ROOT);
    }
}
