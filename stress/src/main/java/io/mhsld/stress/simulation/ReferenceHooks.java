package io.mhsld.stress.simulation;

import io.mhsld.media.Media;
import io.mhsld.state.Geometry;
import io.mhsld.state.StateFile;
import io.mhsld.type3.DcRegion;
import io.mhsld.type3.Extent;
import io.mhsld.type3.MultiHeadHooks;
import io.mhsld.type3.Refusal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** The sound hooks with one of the reference's defects in front of them. */
final class ReferenceHooks implements MultiHeadHooks {
    private final MultiHeadHooks sound;
    private final Defect defect;
    private final StateFile state;
    private final Media media;
    private final Geometry geometry;
    private final int head;
    private boolean acceptedSome;

    ReferenceHooks(MultiHeadHooks sound, Defect defect, StateFile state, Media media, int head) {
        this.sound = sound;
        this.defect = defect;
        this.state = state;
        this.media = media;
        this.geometry = state.geometry();
        this.head = head;
    }

    @Override
    public Optional<Refusal> reserve(List<Extent> extents) {
        acceptedSome = false;
        return switch (defect) {
            case E9 -> reserveOneByOne(extents);
            case E10 -> {
                Optional<Refusal> refusal = sound.reserve(extents);
                if (refusal.isPresent()) {
                    clearFirstOwn(extents);
                }
                yield refusal;
            }
            case UNSCRUBBED -> {
                Optional<Refusal> refusal = sound.reserve(extents);
                if (refusal.isEmpty()) {
                    byte[] stale = "stale!!!".getBytes(StandardCharsets.US_ASCII);
                    long offset = geometry.mediaOffsetOfDpa(extents.get(0).startDpa());
                    media.write(offset, stale, 0, stale.length);
                }
                yield refusal;
            }
            default -> sound.reserve(extents);
        };
    }

    /** Loses what the extents before the failing one took, and clears the own bits at the failing one. */
    private Optional<Refusal> reserveOneByOne(List<Extent> extents) {
        List<Extent> taken = new ArrayList<>();
        for (Extent extent : extents) {
            Optional<Refusal> refusal = sound.reserve(List.of(extent));
            if (refusal.isPresent()) {
                taken.forEach(unused -> clear(extent));
                return refusal;
            }
            taken.add(extent);
        }
        return Optional.empty();
    }

    private void clearFirstOwn(List<Extent> extents) {
        for (Extent extent : extents) {
            long first = geometry.blockOfDpa(extent.startDpa());
            for (long block = first; block < first + blocksOf(extent); block++) {
                if (state.ownerMap().ownersVolatile(block) == 1L << head) {
                    state.ownerMap().clear(head, block, 1);
                    return;
                }
            }
        }
    }

    @Override
    public void accept(List<Extent> extents) {
        acceptedSome = true;
        sound.accept(extents);
    }

    @Override
    public void reclaim(List<Extent> extents) {
        switch (defect) {
            case E12 ->
                sound.reclaim(extents.stream().map(this::atOffsetInRegion).toList());
            case E13 -> {
                if (acceptedSome) {
                    sound.reclaim(extents);
                }
            }
            case E14 -> {
                int first = regionOf(extents.get(0));
                sound.reclaim(extents.stream()
                        .filter(extent -> regionOf(extent) == first)
                        .toList());
            }
            default -> sound.reclaim(extents);
        }
    }

    @Override
    public Selection select(
            DcRegion region, long lengthBytes, boolean contiguous, int maxExtents, UUID tag, boolean shared) {
        return sound.select(region, lengthBytes, contiguous, maxExtents, tag, shared);
    }

    @Override
    public Selection join(DcRegion region, UUID tag) {
        return sound.join(region, tag);
    }

    @Override
    public DcRegion current(DcRegion known) {
        return sound.current(known);
    }

    @Override
    public void release(List<Extent> extents, boolean sanitize) {
        sound.release(extents, sanitize);
    }

    @Override
    public boolean accessValid(long startDpa, long lengthBytes) {
        return sound.accessValid(startDpa, lengthBytes);
    }

    private Extent atOffsetInRegion(Extent extent) {
        long offset =
                extent.startDpa() - geometry.regions().get(regionOf(extent)).baseDpa();
        return extent.withRange(geometry.regions().get(0).baseDpa() + offset, extent.lengthBytes());
    }

    private int regionOf(Extent extent) {
        return geometry.regionOfBlock(geometry.blockOfDpa(extent.startDpa())).id();
    }

    private void clear(Extent extent) {
        state.ownerMap().clear(head, geometry.blockOfDpa(extent.startDpa()), blocksOf(extent));
    }

    private long blocksOf(Extent extent) {
        return extent.lengthBytes() / geometry.blockSizeBytes();
    }
}
