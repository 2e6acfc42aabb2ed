package io.mhsld.state;

import io.mhsld.state.StateFileException.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Whose files a process relies on. In a folder where everybody may make files, {@code /dev/shm} above all, the name of a device may be taken by
 * somebody who means no good: his state file would lead to memory of his choice, and his lock file would never be free. So a file of a device
 * counts only if it is a plain one, and its user is this process's, or root, or somebody who shares it with a group of this process and with
 * nobody else. Root relies on everybody's files, for they are its to look after.
 *
 * <p>Whoever may rename things in a folder can exchange a file between two looks: a folder is safe when only trusted users may write to it, or
 * when it is sticky.
 */
public final class FileGuard {
    private static final int TYPE_MASK = 0170000;
    private static final int TYPE_REGULAR = 0100000;
    private static final int TYPE_FOLDER = 0040000;
    private static final int TYPE_LINK = 0120000;
    private static final int TYPE_SOCKET = 0140000;
    private static final int GROUP_WRITE = 020;
    private static final int OTHERS_WRITE = 02;
    private static final int ROOT = 0;

    /** Effective, of the fields real, effective, saved, file system. */
    private static final int EFFECTIVE_ID = 1;

    /**
     * What stands under a name, which is not followed if it is a symbolic link.
     *
     * @param key equal for the same file: the numbers of its device and of its inode, in a list
     * @param mode type and permissions as stat(2) has them
     * @param userId the owner
     * @param groupId the owning group
     */
    public record Facts(Object key, int mode, int userId, int groupId) {
        /** The number of the inode. */
        public long inode() {
            return (Long) ((List<?>) key).get(1);
        }

        /** A plain file. */
        public boolean isRegular() {
            return (mode & TYPE_MASK) == TYPE_REGULAR;
        }

        /** A unix socket. */
        public boolean isSocket() {
            return (mode & TYPE_MASK) == TYPE_SOCKET;
        }

        /** True when it gives at least these. */
        public boolean permits(Set<PosixFilePermission> permissions) {
            return permissions.stream().allMatch(one -> (mode & bitOf(one)) != 0);
        }

        private static int bitOf(PosixFilePermission permission) {
            return switch (permission) {
                case OWNER_READ -> 0400;
                case OWNER_WRITE -> 0200;
                case OWNER_EXECUTE -> 0100;
                case GROUP_READ -> 040;
                case GROUP_WRITE -> FileGuard.GROUP_WRITE;
                case GROUP_EXECUTE -> 010;
                case OTHERS_READ -> 04;
                case OTHERS_WRITE -> FileGuard.OTHERS_WRITE;
                case OTHERS_EXECUTE -> 01;
            };
        }

        private String kind() {
            return switch (mode & TYPE_MASK) {
                case TYPE_FOLDER -> "a folder";
                case TYPE_LINK -> "a symbolic link";
                case TYPE_REGULAR -> "a plain file";
                default -> "a device, pipe or socket";
            };
        }
    }

    /** This process's user, and the groups that it is in. */
    private record User(int id, Set<Integer> groups) {
        boolean reliesOn(Facts file) {
            boolean isSharedWithUs =
                    (file.mode & GROUP_WRITE) != 0 && (file.mode & OTHERS_WRITE) == 0 && groups.contains(file.groupId);
            return id == ROOT || file.userId == id || file.userId == ROOT || isSharedWithUs;
        }
    }

    private static final User SELF = self();

    private FileGuard() {}

    /** The facts of a file. Throws a {@link java.nio.file.NoSuchFileException} when there is none. */
    public static Facts look(Path file) throws IOException {
        Map<String, Object> attributes =
                Files.readAttributes(file, "unix:dev,ino,mode,uid,gid", LinkOption.NOFOLLOW_LINKS);
        return new Facts(
                Arrays.asList(attributes.get("dev"), attributes.get("ino")),
                (int) attributes.get("mode"),
                (int) attributes.get("uid"),
                (int) attributes.get("gid"));
    }

    /**
     * The facts of a file that this process may rely on. Throws a {@link java.nio.file.NoSuchFileException} when there is none.
     *
     * @param what the file is to be, for the message: "state file"
     * @throws StateFileException {@code FOREIGN} when it is no plain file, or belongs to somebody who is not to be relied on
     */
    public static Facts requireReliable(Path file, String what) throws IOException {
        Facts facts = look(file);
        if (!facts.isRegular()) {
            throw new StateFileException(Problem.FOREIGN, "not a " + what + " but " + facts.kind(), file);
        }
        if (!SELF.reliesOn(facts)) {
            throw new StateFileException(
                    Problem.FOREIGN,
                    what + " belongs to another user, who does not share it with a group of this one: owner="
                            + facts.userId + " user=" + SELF.id,
                    file);
        }
        return facts;
    }

    /** The number of this process's user. */
    public static int userId() {
        return SELF.id;
    }

    private static User self() {
        int id = -1;
        Set<Integer> groups = Set.of();
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                String[] words = line.split("\\s+");
                switch (words[0]) {
                    case "Uid:" -> id = Integer.parseUnsignedInt(words[1 + EFFECTIVE_ID]);
                    case "Gid:" -> groups = Set.of(Integer.parseUnsignedInt(words[1 + EFFECTIVE_ID]));
                    case "Groups:" ->
                        groups = Stream.concat(
                                        groups.stream(),
                                        Arrays.stream(words).skip(1).map(Integer::parseUnsignedInt))
                                .collect(Collectors.toSet());
                    default -> {
                        // The rest is about other things.
                    }
                }
            }
        } catch (IOException e) {
            throw new StateFileException(
                    Problem.SYSTEM, "this process's user is not to be seen", Path.of("/proc/self/status"), e);
        }
        return new User(id, groups);
    }
}
