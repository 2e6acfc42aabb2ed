package io.mhsld.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.Device;
import io.mhsld.head.EventLoop;
import io.mhsld.head.Head;
import io.mhsld.head.HostDriver;
import io.mhsld.state.DeviceFiles;
import io.mhsld.state.Geometry;
import io.mhsld.type3.DynamicCapacity.Range;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.Extent;
import io.mhsld.type3.ReleaseRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Both commands with all their policies, on two heads of a device with two regions of 32 blocks each. */
class CapacityPoliciesTest {
    private static final long MIB = 1L << 20;
    private static final long BLOCK = 2 * MIB;
    private static final long WAIT_MS = 5_000;
    private static final UUID TAG = UUID.fromString("00112233-4455-6677-8899-aabbccddeeff");

    @TempDir
    Path folder;

    private EventLoop loop;
    private Head head;
    private Head neighbour;

    @BeforeEach
    void attach() {
        DeviceFiles files = DeviceFiles.named(folder.resolve("dev").toString());
        Geometry geometry = Geometry.of(2, 128 * MIB, 2, BLOCK);
        Device.initialise(files, new Device.Specification(geometry, 1, true, Optional.empty(), false), WAIT_MS);
        loop = EventLoop.open();
        head = Device.attach(files, 0, loop, WAIT_MS, text -> {});
        neighbour = Device.attach(files, 1, loop, WAIT_MS, text -> {});
        answerFor(head);
        answerFor(neighbour);
    }

    private static void answerFor(Head head) {
        HostDriver driver = new HostDriver(head.mailbox(), HostDriver.Mode.AUTO, (act, extents, code) -> {});
        head.device().onEvent(EventLog.Kind.DYNAMIC_CAPACITY, driver::eventPending);
    }

    @AfterEach
    void leave() {
        neighbour.close();
        head.close();
        loop.close();
    }

    // ---- short words

    private static QmpReply execute(Head at, String name, Map<String, Object> arguments) {
        QmpCommand command = CxlCommands.of(at, "cxl-mem0", HostDriver.Mode.AUTO, Runnable::run).stream()
                .filter(row -> row.name().equals(name))
                .findFirst()
                .orElseThrow();
        return command.handler().handle(command.parameters().arguments(arguments));
    }

    private static List<Object> extents(long... offsetsAndLengths) {
        Object[] extents = new Object[offsetsAndLengths.length / 2];
        for (int i = 0; i < extents.length; i++) {
            extents[i] =
                    Map.of("offset", offsetsAndLengths[2 * i] * BLOCK, "len", offsetsAndLengths[2 * i + 1] * BLOCK);
        }
        return Arrays.asList(extents);
    }

    private static String add(Head at, String policy, long region, String tag, List<Object> extents) {
        Map<String, Object> arguments = new HashMap<>(Map.of(
                "path", "cxl-mem0", "host-id", 0L, "selection-policy", policy, "region", region, "extents", extents));
        if (tag != null) {
            arguments.put("tag", tag);
        }
        return said(execute(at, "cxl-add-dynamic-capacity", arguments));
    }

    private String release(String policy, long region, String tag, boolean forced, boolean sanitize, List<Object> of) {
        Map<String, Object> arguments = new HashMap<>(Map.of(
                "path",
                "cxl-mem0",
                "host-id",
                0L,
                "removal-policy",
                policy,
                "region",
                region,
                "extents",
                of,
                "forced-removal",
                forced,
                "sanitize-on-release",
                sanitize));
        if (tag != null) {
            arguments.put("tag", tag);
        }
        return said(execute(head, "cxl-release-dynamic-capacity", arguments));
    }

    private static String said(QmpReply reply) {
        return reply.error().map(QmpError::description).orElse("done");
    }

    private static long base(Head at, int region) {
        return at.geometry().regions().get(region).baseDpa();
    }

    private Extent extent(int region, long first, long count, UUID tag) {
        return new Extent(base(head, region) + first * BLOCK, count * BLOCK, tag, 0);
    }

    // ---- add

    @Test
    void shouldChooseFreeCapacityAndSplitItOverWhatIsFree() {
        assertEquals("done", add(neighbour, "prescriptive", 0, null, extents(4, 4, 16, 8)));
        assertEquals("done", add(head, "free", 0, TAG.toString(), extents(0, 15, 3, 5)));
        assertEquals(
                List.of(extent(0, 0, 4, TAG), extent(0, 8, 8, TAG), extent(0, 24, 8, TAG)),
                head.device().capacity().accepted());
        String refusal = add(head, "free", 0, null, extents(0, 1));
        assertTrue(refusal.startsWith("not enough free capacity in the region: region=0"), refusal);
        assertEquals("done", add(head, "free", 1, null, extents(0, 32)));
    }

    @Test
    void shouldChooseOneRunWheneverThereIsOne() {
        assertEquals("done", add(neighbour, "prescriptive", 0, null, extents(4, 4, 16, 6)));
        String refusal = add(head, "contiguous", 0, null, extents(0, 11));
        assertTrue(refusal.startsWith("not enough free capacity in the region: region=0"), refusal);
        assertEquals("done", add(head, "contiguous", 0, null, extents(0, 10)));
        assertEquals(
                List.of(extent(0, 22, 10, Extent.NO_TAG)),
                head.device().capacity().accepted());
    }

    @Test
    void shouldTakeTheSumOfTheLengthsHoweverLargeTheyAre() {
        List<Object> wraps = List.of(Map.of("offset", 0L, "len", -BLOCK), Map.of("offset", 0L, "len", 2 * BLOCK));
        String refusal = add(head, "free", 0, null, wraps);
        assertTrue(refusal.startsWith("not enough free capacity in the region"), refusal);
        assertEquals(
                "dpa or len is not aligned to region block size",
                add(head, "contiguous", 0, null, List.of(Map.of("offset", 0L, "len", 1L))));
    }

    @Test
    void shouldDoNothingWhenNothingIsAskedFor() {
        for (String policy : List.of("free", "contiguous", "prescriptive")) {
            assertEquals("done", add(head, policy, 0, null, List.of()));
            assertEquals("region id is too large", add(head, policy, 2, null, List.of()));
        }
        assertEquals("done", release("prescriptive", 0, null, false, false, List.of()));
        assertEquals(0, head.device().capacity().acceptedCount());
    }

    @Test
    void shouldAskForATagWhereItNeedsOne() {
        assertEquals("region id is too large", add(head, "enable-shared-access", 2, null, List.of()));
        assertEquals("a tag is required: tag=" + Extent.NO_TAG, add(head, "enable-shared-access", 0, null, List.of()));
        assertEquals("a tag is required: tag=" + Extent.NO_TAG, release("tag-based", 0, "", true, false, List.of()));
        String refusal = add(head, "enable-shared-access", 0, TAG.toString(), List.of());
        assertEquals("capacity of the region cannot be shared: region=0 tag=" + TAG, refusal);
    }

    // ---- release

    @Test
    void shouldReleaseWhatHasTheTag() {
        assertEquals("done", add(head, "prescriptive", 0, TAG.toString(), extents(0, 2, 8, 2)));
        assertEquals("done", add(head, "free", 1, TAG.toString(), extents(0, 3)));
        assertEquals("done", add(head, "free", 1, "other", extents(0, 1)));
        assertEquals(
                "nothing has the tag: tag=" + new UUID(0, 7),
                release("tag-based", 0, new UUID(0, 7).toString(), false, false, List.of()));
        assertEquals("done", release("tag-based", 0, TAG.toString(), false, false, List.of()));
        List<Extent> left = head.device().capacity().accepted();
        assertEquals(1, left.size());
        assertEquals(
                UUID.nameUUIDFromBytes("other".getBytes(StandardCharsets.UTF_8)),
                left.get(0).tag());
        assertEquals("done", release("tag-based", 0, "other", true, false, List.of()));
        assertEquals(List.of(), head.device().capacity().accepted());
    }

    @Test
    void shouldSanitizeWhatIsReleased() {
        for (boolean forced : new boolean[] {false, true}) {
            assertEquals("done", add(head, "prescriptive", 0, null, extents(0, 1)));
            assertEquals(Optional.empty(), head.device().fill(base(head, 0), BLOCK, (byte) 7));
            assertEquals("done", release("prescriptive", 0, null, forced, true, extents(0, 1)));
            assertEquals(0, head.device().capacity().acceptedCount());
            assertEquals("done", add(neighbour, "prescriptive", 0, null, extents(0, 1)));
            byte[] byteRead = {1};
            assertEquals(Optional.empty(), neighbour.device().read(base(head, 0) + BLOCK - 1, byteRead, 0, 1));
            assertEquals(0, byteRead[0]);
            assertEquals(
                    Optional.empty(),
                    neighbour
                            .device()
                            .capacity()
                            .release(ReleaseRequest.prescriptive(0, List.of(new Range(0, BLOCK)))
                                    .byForce(true)));
        }
    }

    // ---- queries

    @Test
    void shouldShowTagAndSequence() {
        assertEquals("done", add(head, "prescriptive", 1, TAG.toString(), extents(3, 2)));
        Map<?, ?> answer =
                (Map<?, ?>) execute(head, "x-query-extents", Map.of()).value();
        assertEquals(511L, answer.get("available"));
        assertEquals(0L, answer.get("tags-available"));
        Map<?, ?> row = (Map<?, ?>) ((List<?>) answer.get("accepted")).get(0);
        assertEquals(1L, row.get("region"));
        assertEquals(3 * BLOCK, row.get("offset"));
        assertEquals(TAG.toString(), row.get("tag"));
        assertEquals(0L, row.get("sequence"));
        Map<?, ?> device = (Map<?, ?>) execute(head, "x-query-head", Map.of()).value();
        Map<?, ?> region = (Map<?, ?>) ((List<?>) device.get("regions")).get(1);
        assertEquals(BLOCK, region.get("block-size"));
        assertEquals(false, region.get("shareable"));
        assertEquals(false, region.get("sanitize-on-release"));
    }
}
