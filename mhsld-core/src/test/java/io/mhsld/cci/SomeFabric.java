package io.mhsld.cci;

import io.mhsld.type3.DcRegion;
import io.mhsld.type3.Extent;
import io.mhsld.type3.TestDevice;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;

/** A device of 8 hosts without any file behind it; what is forwarded is kept, and answered by the test. */
final class SomeFabric implements FabricOperations {
    record Forwarded(int head, CciKind target, int opcode, String payload, Consumer<? super Response> answer) {}

    final List<DcRegion> regions = new ArrayList<>(TestDevice.regions(2));
    final Map<Integer, HostExtents> extents = new HashMap<>();
    final List<TagInfo> tags = new ArrayList<>();
    final List<String> calls = new ArrayList<>();
    final List<Forwarded> forwarded = new ArrayList<>();
    ReturnCode outcome = ReturnCode.SUCCESS;
    int tagGeneration = 7;

    @Override
    public int headCount() {
        return 8;
    }

    @Override
    public int ldCount() {
        return 8;
    }

    @Override
    public int headOf(int ld) {
        return ld;
    }

    @Override
    public boolean isAttached(int head) {
        return true;
    }

    @Override
    public long serial() {
        return 0x5E71A1;
    }

    @Override
    public List<DcRegion> regions() {
        return regions;
    }

    @Override
    public long supportedBlockSizes(int region) {
        return TestDevice.BLOCK | TestDevice.BLOCK << 1;
    }

    @Override
    public ReturnCode configureRegion(int region, long blockSizeBytes, boolean sanitizeOnRelease) {
        calls.add("configure " + region + " " + blockSizeBytes + " " + sanitizeOnRelease);
        return outcome;
    }

    /** Host 7's are being written. */
    @Override
    public Optional<HostExtents> extents(int host) {
        return host == 7
                ? Optional.empty()
                : Optional.of(extents.getOrDefault(host, new HostExtents(List.<Extent>of(), 0, 0)));
    }

    @Override
    public List<TagInfo> tags() {
        return tags;
    }

    @Override
    public int tagsSupported() {
        return 128;
    }

    @Override
    public int tagsAvailable() {
        return 128 - tags.size();
    }

    @Override
    public int tagGeneration() {
        return tagGeneration;
    }

    @Override
    public ReturnCode addReference(UUID tag) {
        calls.add("add " + tag);
        return outcome;
    }

    @Override
    public ReturnCode removeReference(UUID tag) {
        calls.add("remove " + tag);
        return outcome;
    }

    @Override
    public void forward(int head, CciKind target, int opcode, byte[] payload, Consumer<? super Response> answer) {
        forwarded.add(new Forwarded(head, target, opcode, HexFormat.of().formatHex(payload), answer));
    }
}
