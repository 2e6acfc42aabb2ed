package io.mhsld.register;

import io.mhsld.type3.DcRegion;
import io.mhsld.type3.RasCapability;
import io.mhsld.type3.RasCapability.Correctable;
import io.mhsld.type3.RasCapability.Uncorrectable;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntConsumer;
import java.util.function.IntSupplier;

/**
 * The component registers (CXL r3.1 8.2.3), 64 KiB. All there is are the CXL.cachemem registers at 1000h: an array of pointers to the RAS, the
 * link and the HDM decoder capability.
 */
public final class ComponentRegisters implements RegisterPart {
    private static final int CACHEMEM_OFFSET = 0x1000;
    private static final int RAS_OFFSET = 0x80;
    private static final int LINK_OFFSET = 0xD8;
    private static final int DECODERS_OFFSET = 0x128;

    private static final int HEADER_LOG_OFFSET = 0x18;

    /** 16 bytes. */
    private static final RegisterLayout POINTERS = RegisterRows.of("cxl.cachemem capability headers", 0x10)
            .at(0x00, "8.2.4.1")
            .fixed("cxl capability id", 0, 16, 1)
            .fixed("cxl capability version", 16, 4, 1)
            .fixed("cxl.cachemem version", 20, 4, 1)
            .fixed("array size", 24, 8, 3)
            .at(0x04, "8.2.4.2", "ras ")
            .fixed("capability id", 0, 16, 2)
            .fixed("capability version", 16, 4, 3)
            .fixed("capability pointer", 20, 12, RAS_OFFSET)
            .at(0x08, "8.2.4.4", "link ")
            .fixed("capability id", 0, 16, 4)
            .fixed("capability version", 16, 4, 2)
            .fixed("capability pointer", 20, 12, LINK_OFFSET)
            .at(0x0C, "8.2.4.5", "hdm decoder ")
            .fixed("capability id", 0, 16, 5)
            .fixed("capability version", 16, 4, 3)
            .fixed("capability pointer", 20, 12, DECODERS_OFFSET)
            .layout();

    private static final RegisterLayout RAS = ras();

    /** 50h bytes: a link that is up. No link is emulated; what software tunes is kept, and changes nothing. */
    private static final RegisterLayout LINK = link();

    private final RegisterSpace space = new RegisterSpace(ConfigurationSpace.COMPONENT_BAR_BYTES);
    private final HdmDecoders decoders;

    /** As the function comes up: errors as they are, no decoder committed. */
    public ComponentRegisters(RasCapability errors, List<DcRegion> regions) {
        decoders = new HdmDecoders(regions);
        Map<Long, RegisterPart> parts = Map.of(
                (long) CACHEMEM_OFFSET + RAS_OFFSET,
                new RasRegisters(errors),
                (long) CACHEMEM_OFFSET + DECODERS_OFFSET,
                decoders.registers());
        layouts()
                .forEach((offset, layout) ->
                        space.with(offset, parts.containsKey(offset) ? parts.get(offset) : new RegisterBlock(layout)));
    }

    /** Its tables by their offsets. */
    public static Map<Long, RegisterLayout> layouts() {
        Map<Long, RegisterLayout> layouts = new TreeMap<>();
        layouts.put((long) CACHEMEM_OFFSET, POINTERS);
        layouts.put((long) CACHEMEM_OFFSET + RAS_OFFSET, RAS);
        layouts.put((long) CACHEMEM_OFFSET + LINK_OFFSET, LINK);
        layouts.put((long) CACHEMEM_OFFSET + DECODERS_OFFSET, HdmDecoders.LAYOUT);
        return layouts;
    }

    private static RegisterLayout ras() {
        RegisterRows rows = RegisterRows.of("ras capability", 0x58);
        for (Uncorrectable error : Uncorrectable.values()) {
            rows.at(0x00, "8.2.4.17.1", "status: ").cleared(error.toString(), error.bit(), 1, ResetDomain.STICKY);
            rows.at(0x04, "8.2.4.17.2", "mask: ").plain(error.toString(), error.bit(), 1, ResetDomain.STICKY, 1);
            rows.at(0x08, "8.2.4.17.3", "severity: ").plain(error.toString(), error.bit(), 1, ResetDomain.STICKY, 1);
        }
        for (Correctable error : Correctable.values()) {
            rows.at(0x0C, "8.2.4.17.4", "correctable status: ")
                    .cleared(error.toString(), error.bit(), 1, ResetDomain.STICKY);
            rows.at(0x10, "8.2.4.17.5", "correctable mask: ")
                    .plain(error.toString(), error.bit(), 1, ResetDomain.STICKY, 1);
        }
        rows.at(0x14, "8.2.4.17.6")
                .shown("first error pointer", 0, 6, ResetDomain.STICKY, 0)
                .fixed("multiple header recording capability", 9, 1, 1);
        for (int i = 0; i < RasCapability.HEADER_DWORDS; i++) {
            rows.at(HEADER_LOG_OFFSET + i * Integer.BYTES, "8.2.4.17.7", "header log: ")
                    .shown("dword " + i, 0, 32, ResetDomain.STICKY, 0);
        }
        return rows.layout();
    }

    private static RegisterLayout link() {
        RegisterRows rows = RegisterRows.of("link capability", 0x50)
                .at(0x00, "8.2.4.19.1")
                .plain("cxl link version supported", 0, 4, ResetDomain.STICKY, 2)
                .shown("cxl link version received", 4, 4, ResetDomain.STICKY, 2)
                .at(0x08, "8.2.4.19.2")
                .fixed("ll_reset", 0, 1, 0)
                .plain("ll_init_stall", 1, 1, ResetDomain.STICKY, 0)
                .plain("ll_crd_stall", 2, 1, ResetDomain.STICKY, 0)
                .shown("init_state: normal operation", 3, 2, ResetDomain.STICKY, 3);
        credits(rows, 0x10, "8.2.4.19.3", true);
        credits(rows, 0x18, "8.2.4.19.4", false);
        credits(rows, 0x20, "8.2.4.19.5", false);
        return rows.at(0x28, "8.2.4.19.6")
                .plain("ack force threshold", 0, 9, ResetDomain.STICKY, 0x10)
                .plain("ack or crd flush retimer", 9, 9, ResetDomain.STICKY, 0x20)
                .at(0x30, "8.2.4.19.7")
                .plain("mdh disable", 0, 1, ResetDomain.STICKY, 0)
                .layout();
    }

    private static void credits(RegisterRows rows, int offset, String clause, boolean isWritable) {
        String[] kinds = {"cache req", "cache rsp", "cache data", "mem req/rsp", "mem data"};
        String[] registers = {"rx credit control: ", "rx credit return status: ", "tx credit status: "};
        rows.at(offset, clause, registers[(offset - 0x10) / Long.BYTES]);
        for (int i = 0; i < kinds.length; i++) {
            if (isWritable) {
                rows.plain(kinds[i] + " credits", 10 * i, 10, ResetDomain.STICKY, 0);
            } else {
                rows.shown(kinds[i] + " credits", 10 * i, 10, ResetDomain.STICKY, 0);
            }
        }
    }

    /** The decoders. */
    public HdmDecoders decoders() {
        return decoders;
    }

    @Override
    public long lengthBytes() {
        return space.lengthBytes();
    }

    @Override
    public void read(long offset, byte[] destination, int destinationOffset, int lengthBytes) {
        space.read(offset, destination, destinationOffset, lengthBytes);
    }

    @Override
    public void write(long offset, byte[] source, int sourceOffset, int lengthBytes) {
        space.write(offset, source, sourceOffset, lengthBytes);
    }

    /** The RAS registers are sticky, and stay as they are. */
    @Override
    public void reset(ResetKind kind) {
        space.reset(kind);
    }

    /** The RAS capability behind its rows: which bits are cleared by one write together matters there. */
    private static final class RasRegisters implements RegisterPart {
        private final RegisterBlock block = new RegisterBlock(RAS);
        private final RasCapability errors;
        private int clearedUncorrectable;
        private int clearedCorrectable;

        private RasRegisters(RasCapability errors) {
            this.errors = errors;
            for (Uncorrectable error : Uncorrectable.values()) {
                int bit = error.bit();
                block.live(
                        RegisterRows.field(RAS, "status: " + error),
                        () -> errors.uncorrectableStatus() >>> bit & 1,
                        written -> clearedUncorrectable |= (int) written << bit);
                mirror("mask: " + error, bit, errors::uncorrectableMask, errors::writeUncorrectableMask);
                mirror("severity: " + error, bit, errors::uncorrectableSeverity, errors::writeUncorrectableSeverity);
            }
            for (Correctable error : Correctable.values()) {
                int bit = error.bit();
                block.live(
                        RegisterRows.field(RAS, "correctable status: " + error),
                        () -> errors.correctableStatus() >>> bit & 1,
                        written -> clearedCorrectable |= (int) written << bit);
                mirror("correctable mask: " + error, bit, errors::correctableMask, errors::writeCorrectableMask);
            }
            RegisterField firstError = RegisterRows.field(RAS, "first error pointer");
            block.live(firstError, () -> errors.capabilitiesAndControl() & 0x3F);
            for (int i = 0; i < RasCapability.HEADER_DWORDS; i++) {
                int dword = i;
                block.live(
                        RegisterRows.field(RAS, "header log: dword " + i),
                        () -> errors.headerLog()[dword] & 0xFFFF_FFFFL);
            }
        }

        private void mirror(String name, int bit, IntSupplier source, IntConsumer target) {
            block.live(
                    RegisterRows.field(RAS, name),
                    () -> source.getAsInt() >>> bit & 1,
                    written -> target.accept((source.getAsInt() & ~(1 << bit)) | (int) written << bit));
        }

        @Override
        public long lengthBytes() {
            return block.lengthBytes();
        }

        @Override
        public void read(long offset, byte[] destination, int destinationOffset, int lengthBytes) {
            block.read(offset, destination, destinationOffset, lengthBytes);
        }

        @Override
        public void write(long offset, byte[] source, int sourceOffset, int lengthBytes) {
            block.write(offset, source, sourceOffset, lengthBytes);
            if (clearedUncorrectable != 0) {
                errors.writeUncorrectableStatus(clearedUncorrectable);
                clearedUncorrectable = 0;
            }
            if (clearedCorrectable != 0) {
                errors.writeCorrectableStatus(clearedCorrectable);
                clearedCorrectable = 0;
            }
        }

        @Override
        public void reset(ResetKind kind) {
            block.reset(kind);
        }
    }
}
