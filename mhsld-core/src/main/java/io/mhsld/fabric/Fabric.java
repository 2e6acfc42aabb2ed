package io.mhsld.fabric;

import io.mhsld.cci.CapacityOrders;
import io.mhsld.cci.CciKind;
import io.mhsld.cci.FabricOperations;
import io.mhsld.cci.Response;
import io.mhsld.cci.ReturnCode;
import io.mhsld.fabric.HeadLink.Address;
import io.mhsld.head.ProcessIdentity;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.ExtentTable;
import io.mhsld.state.FileGuard;
import io.mhsld.state.Geometry;
import io.mhsld.state.HeadTable;
import io.mhsld.state.HeadTable.Row;
import io.mhsld.state.StateFile;
import io.mhsld.state.StateFileException;
import io.mhsld.state.StateFileException.Problem;
import io.mhsld.type3.DcRegion;
import io.mhsld.type3.Extent;
import io.mhsld.type3.Refusal;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * One device as the fabric manager has it. What is asked is answered from the state file as it is at that moment; what a head has to do is sent to that
 * head. One thread at a time.
 */
public final class Fabric implements FabricOperations, AutoCloseable {
    /** Whether a head's process lives is looked up at most so often. */
    private static final long LIFE_NS = TimeUnit.MILLISECONDS.toNanos(400);

    private static final byte[] NOTHING = {};

    private final DeviceFiles files;
    private final HeadLink link;
    private StateFile state;
    private SharedTables tables;
    private Life[] lives;

    /** What was seen of a process. */
    private record Life(long incarnation, long seenNs, boolean isAlive) {}

    /**
     * Opens a device.
     *
     * @param waitMs how long to wait for an init to finish
     * @throws StateFileException naming what is wrong with the file
     */
    public static Fabric open(DeviceFiles files, HeadLink link, long waitMs) {
        return new Fabric(files, link, waitMs);
    }

    private Fabric(DeviceFiles files, HeadLink link, long waitMs) {
        this.files = files;
        this.link = link;
        openState(waitMs);
    }

    /** Shape of the device. */
    public Geometry geometry() {
        return state.geometry();
    }

    /** The shared state, to look at; another one after {@link #follow} has returned true. */
    public StateFile state() {
        return state;
    }

    /**
     * Looks whether the device is still the one that was opened, and goes over to the new one when somebody has made it anew.
     *
     * @return true when it has
     * @throws StateFileException when there is no device any more, or none that can be used
     */
    public boolean follow() {
        try {
            boolean isSame =
                    state.fileKey().equals(FileGuard.look(files.stateFile()).key());
            if (isSame && Files.size(files.stateFile()) == state.lengthBytes()) {
                return false;
            }
            if (isSame) {
                throw new StateFileException(Problem.DAMAGED, "state file was cut", files.stateFile());
            }
        } catch (IOException e) {
            throw new StateFileException(
                    Problem.MISSING, "state file was removed under the fabric manager", files.stateFile());
        }
        close();
        openState(0);
        return true;
    }

    /** Who the head is and where, as the head table tells it now; empty when it says that nobody serves it. */
    public Optional<Address> serving(int head) {
        Row row = state.heads().readAcquire(head);
        return row.state() == HeadTable.State.SERVING
                ? Optional.of(new Address(head, row.incarnation(), row.pid(), row.controlSocket()))
                : Optional.empty();
    }

    @Override
    public void close() {
        tables.close();
        state.close();
    }

    private void openState(long waitMs) {
        state = StateFile.open(files.stateFile(), StateFile.Access.READ_WRITE, waitMs);
        tables = new SharedTables(files, state);
        lives = new Life[headCount()];
        Arrays.fill(lives, new Life(-1, 0, false));
    }

    // ---- heads

    @Override
    public int headCount() {
        return state.geometry().headCount();
    }

    @Override
    public int ldCount() {
        return headCount();
    }

    @Override
    public int headOf(int ld) {
        return isAttached(ld) ? ld : NO_HEAD;
    }

    /** A dead process is not reaped while there is no other head, and its row goes on to say that it serves. */
    @Override
    public boolean isAttached(int head) {
        if (state.heads().stateAcquire(head) != HeadTable.State.SERVING) {
            return false;
        }
        long incarnation = state.heads().incarnationAcquire(head);
        Life life = lives[head];
        if (life.incarnation != incarnation || System.nanoTime() - life.seenNs > LIFE_NS) {
            Row row = state.heads().readAcquire(head);
            life = new Life(
                    incarnation, System.nanoTime(), ProcessIdentity.named(row).isAlive());
            lives[head] = life;
        }
        return life.isAlive;
    }

    @Override
    public void forward(int head, CciKind target, int opcode, byte[] payload, Consumer<? super Response> answer) {
        Optional<Address> address = serving(head);
        if (address.isPresent()) {
            link.execute(address.get(), target, opcode, payload, answer);
        } else {
            answer.accept(Response.undelivered(ReturnCode.RETRY_REQUIRED));
        }
    }

    @Override
    public Optional<HostExtents> extents(int host) {
        return state.extents(host).readSeqlock().map(table -> {
            List<Extent> accepted = table.entries().stream()
                    .filter(entry -> !entry.isPending())
                    .map(Fabric::extentOf)
                    .toList();
            return new HostExtents(accepted, table.entries().size(), table.generation());
        });
    }

    private static Extent extentOf(ExtentTable.Entry entry) {
        return new Extent(entry.startDpa(), entry.lengthBytes(), entry.tag(), entry.sharedSequence() & 0xFFFF);
    }

    // ---- regions and tags

    @Override
    public long serial() {
        return state.identity().serial();
    }

    @Override
    public List<DcRegion> regions() {
        return IntStream.range(0, geometry().regions().size())
                .mapToObj(tables::region)
                .toList();
    }

    @Override
    public long supportedBlockSizes(int region) {
        return tables.supportedBlockSizes(region);
    }

    /** The heads whose processes live are told at once, for their hosts; the others find it themselves. */
    @Override
    public ReturnCode configureRegion(int region, long blockSizeBytes, boolean sanitizeOnRelease) {
        ReturnCode code = codeOf(tables.configure(region, blockSizeBytes, sanitizeOnRelease));
        if (code == ReturnCode.SUCCESS) {
            for (int head = 0; head < headCount(); head++) {
                if (isAttached(head)) {
                    forward(head, CciKind.FM_OWNED_LD, CapacityOrders.REGIONS_CHANGED, NOTHING, response -> {});
                }
            }
        }
        return code;
    }

    @Override
    public List<TagInfo> tags() {
        return tables.tags().stream()
                .map(tag -> new TagInfo(
                        tag.tag(), tag.holders() & ~tag.pendingHolders(), tag.pendingHolders(), tag.isReferenced()))
                .toList();
    }

    @Override
    public int tagsSupported() {
        return tables.tagsSupported();
    }

    @Override
    public int tagsAvailable() {
        return tables.tagsAvailable();
    }

    @Override
    public int tagGeneration() {
        return tables.tagGeneration();
    }

    @Override
    public ReturnCode addReference(UUID tag) {
        return codeOf(tables.addReference(tag));
    }

    @Override
    public ReturnCode removeReference(UUID tag) {
        return codeOf(tables.removeReference(tag));
    }

    private static ReturnCode codeOf(Optional<Refusal> refusal) {
        return refusal.map(reason -> ReturnCode.of(reason.cause())).orElse(ReturnCode.SUCCESS);
    }
}
