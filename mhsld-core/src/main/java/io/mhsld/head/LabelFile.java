package io.mhsld.head;

import io.mhsld.state.DeviceFiles;
import io.mhsld.state.FileGuard;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import io.mhsld.type3.LabelStorage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Set;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.zip.CRC32C;

/**
 * The labels of one head, in a file beside the state file. It has two slots, each a page of head and then all labels:
 *
 * <pre>
 *  0  8   "MHSLDLSA"
 *  8  8   number of the write, from 1
 * 16  16  device id
 * 32  4   CRC-32C of the bytes from 0 to 31 and of the labels
 * 36      zeros to 1000h, then 128 KiB of labels
 * </pre>
 *
 * A write goes to the older slot: its head is made zero, the labels are written, then the head. Whoever is killed in between leaves a slot
 * without a head, and the labels are what the other one says. Labels of an earlier device are none.
 */
final class LabelFile implements LabelStorage {
    static final int HEAD_BYTES = 4096;
    static final int SLOT_BYTES = HEAD_BYTES + LENGTH_BYTES;

    private static final long MAGIC = ByteBuffer.wrap("MHSLDLSA".getBytes(StandardCharsets.US_ASCII))
            .order(ByteOrder.LITTLE_ENDIAN)
            .getLong();
    private static final int SLOTS = 2;
    private static final int CHECKED_BYTES = 32;

    private final Path file;
    private final UUID device;
    private final Set<PosixFilePermission> permissions;
    private final BooleanSupplier isServed;
    private byte[] labels;
    private long lastWrite;

    /**
     * @param device labels of another device are not this one's
     * @param permissions of the file, when it is made
     * @param isServed false once nobody may write as this head any more
     */
    LabelFile(Path file, UUID device, Set<PosixFilePermission> permissions, BooleanSupplier isServed) {
        this.file = file;
        this.device = device;
        this.permissions = permissions;
        this.isServed = isServed;
    }

    /** Removes the labels of all heads; what stands under their names and is not to be relied on is left alone. */
    static void deleteAll(DeviceFiles files, int headCount) throws IOException {
        for (int head = 0; head < headCount; head++) {
            Path file = files.labelFile(head);
            try {
                FileGuard.requireReliable(file, "label file");
                Files.delete(file);
            } catch (NoSuchFileException | StateFileException e) {
                // There is none, or it is not ours.
            }
        }
    }

    @Override
    public byte[] read(int offset, int lengthBytes) {
        return Arrays.copyOfRange(loaded(), offset, offset + lengthBytes);
    }

    @Override
    public void write(int offset, byte[] bytes) {
        if (!isServed.getAsBoolean()) {
            throw new IllegalStateException("head has ended: file=" + file);
        }
        byte[] changed = loaded().clone();
        System.arraycopy(bytes, 0, changed, offset, bytes.length);
        long write = lastWrite + 1;
        long slot = write % SLOTS * SLOT_BYTES;
        try (FileChannel channel = openForWriting()) {
            writeFully(channel, ByteBuffer.allocate(HEAD_BYTES), slot);
            writeFully(channel, ByteBuffer.wrap(changed), slot + HEAD_BYTES);
            writeFully(channel, headOf(write, device, changed), slot);
        } catch (IOException e) {
            throw new StateFileException(Problem.SYSTEM, "labels cannot be kept", file, e);
        }
        labels = changed;
        lastWrite = write;
    }

    private FileChannel openForWriting() throws IOException {
        try {
            FileGuard.requireReliable(file, "label file");
        } catch (NoSuchFileException e) {
            Set<OpenOption> making =
                    Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
            FileChannel made = FileChannel.open(file, making, PosixFilePermissions.asFileAttribute(permissions));
            // The umask may have taken the group's away.
            Files.setPosixFilePermissions(file, permissions);
            return made;
        }
        return FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
    }

    private byte[] loaded() {
        if (labels == null) {
            labels = load();
        }
        return labels;
    }

    private byte[] load() {
        byte[] newest = new byte[LENGTH_BYTES];
        try {
            FileGuard.requireReliable(file, "label file");
        } catch (NoSuchFileException e) {
            return newest;
        } catch (IOException e) {
            throw new StateFileException(Problem.SYSTEM, "label file cannot be looked at", file, e);
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            for (int slot = 0; slot < SLOTS; slot++) {
                ByteBuffer bytes = ByteBuffer.allocate(SLOT_BYTES).order(ByteOrder.LITTLE_ENDIAN);
                int read = 0;
                while (read >= 0 && bytes.hasRemaining()) {
                    read = channel.read(bytes, (long) slot * SLOT_BYTES + bytes.position());
                }
                long write = writeOf(bytes, slot);
                if (write > lastWrite) {
                    lastWrite = write;
                    System.arraycopy(bytes.array(), HEAD_BYTES, newest, 0, LENGTH_BYTES);
                }
            }
        } catch (IOException e) {
            throw new StateFileException(Problem.SYSTEM, "label file cannot be read", file, e);
        }
        return newest;
    }

    /** The number of the write that a slot is, 0 when it is none of this device's. */
    private long writeOf(ByteBuffer slot, int number) {
        long magic = slot.getLong(0);
        if (magic == 0) {
            return 0;
        }
        if (magic != MAGIC) {
            throw new StateFileException(Problem.FOREIGN, "not a label file: slot=" + number, file);
        }
        UUID met = new UUID(slot.getLong(16), slot.getLong(24));
        if (!met.equals(device)) {
            return 0;
        }
        long write = slot.getLong(8);
        byte[] data = new byte[SLOT_BYTES - HEAD_BYTES];
        slot.get(HEAD_BYTES, data);
        if (write <= 0 || !headOf(write, device, data).equals(slot.slice(0, HEAD_BYTES))) {
            throw new StateFileException(Problem.DAMAGED, "labels are damaged: slot=" + number, file);
        }
        return write;
    }

    private static ByteBuffer headOf(long write, UUID device, byte[] labels) {
        ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        head.putLong(MAGIC)
                .putLong(write)
                .putLong(device.getMostSignificantBits())
                .putLong(device.getLeastSignificantBits());
        CRC32C crc = new CRC32C();
        crc.update(head.array(), 0, CHECKED_BYTES);
        crc.update(labels);
        return head.putInt((int) crc.getValue()).rewind();
    }

    private static void writeFully(FileChannel channel, ByteBuffer bytes, long position) throws IOException {
        while (bytes.hasRemaining()) {
            int length = channel.write(bytes, position + bytes.position());
            if (length <= 0) {
                throw new IOException("nothing was written");
            }
        }
    }
}
