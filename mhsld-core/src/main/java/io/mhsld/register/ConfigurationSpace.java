package io.mhsld.register;

import io.mhsld.type3.RasCapability;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * The configuration space of the function, 4096 bytes: an endpoint with a header of type 0.
 *
 * <pre>
 *   000 header            040 MSI-X          080 PCI Express
 *   100 serial number     10c DVSEC 0        148 DVSEC 8      16c DVSEC 5
 *   190 DOE               1b0 DVSEC 7        200 AER
 * </pre>
 *
 * <p>The addresses are those of QEMU's Type-3 device, but for DVSEC 7: there it begins at 17ch and reaches, with its 20h bytes, into the
 * DOE's header.
 */
public final class ConfigurationSpace implements RegisterPart {
    /** Its length. */
    public static final int LENGTH_BYTES = 4096;

    /** The component registers. */
    public static final int COMPONENT_BAR = 0;

    /** Length of the BAR of the component registers (CXL r3.1 8.2.3). */
    public static final int COMPONENT_BAR_BYTES = 64 << 10;

    /** The device registers, and what MSI-X needs. */
    public static final int DEVICE_BAR = 2;

    /** Length of the BAR of the device registers. */
    public static final int DEVICE_BAR_BYTES = 16 << 10;

    /** The memory itself, when the function offers it. */
    public static final int DATA_BAR = 4;

    /** MSI-X vectors. */
    public static final int MSIX_VECTORS = 8;

    /** Where the table of vectors is in {@link #DEVICE_BAR}. */
    public static final int MSIX_TABLE_OFFSET = 0x2000;

    /** Where the pending bits are in {@link #DEVICE_BAR}. */
    public static final int MSIX_PENDING_OFFSET = 0x3000;

    static final int MSIX_OFFSET = 0x040;
    static final int PCI_EXPRESS_OFFSET = 0x080;
    static final int SERIAL_NUMBER_OFFSET = 0x100;
    static final int CXL_DEVICE_OFFSET = 0x10C;
    static final int REGISTER_LOCATOR_OFFSET = 0x148;
    static final int FLUSH_OFFSET = 0x16C;
    static final int DATA_OBJECT_OFFSET = 0x190;
    static final int FLEX_BUS_OFFSET = 0x1B0;
    static final int ERRORS_OFFSET = 0x200;

    private static final RegisterField MSIX_ENABLE = RegisterRows.field(PciLayouts.MSIX, "msi-x enable");
    private static final RegisterField FUNCTION_MASK = RegisterRows.field(PciLayouts.MSIX, "function mask");
    private static final RegisterField INITIATE_RESET =
            RegisterRows.field(PciLayouts.PCI_EXPRESS, "initiate function level reset");

    private final RegisterSpace space = new RegisterSpace(LENGTH_BYTES);
    private final RegisterBlock header;
    private final RegisterBlock msix = new RegisterBlock(PciLayouts.MSIX);
    private final RegisterBlock cxlDevice;
    private final RegisterField memorySpaceEnable;
    private final RegisterField cxlMemoryEnable;
    private final AdvancedErrors errors;

    private Runnable functionLevelReset = () -> {};
    private Runnable interruptControl = () -> {};
    private boolean isResetRequested;

    /**
     * As the function comes up.
     *
     * @param serial the serial number
     * @param dataBarBytes length of the data BAR, a power of two of at least 16; 0 when there is none
     * @param dataObjects the mailbox of the DOE capability
     */
    public ConfigurationSpace(long serial, long dataBarBytes, DataObjectExchange dataObjects) {
        Map<Long, RegisterLayout> layouts = layouts(serial, dataBarBytes);
        RegisterBlock express = new RegisterBlock(PciLayouts.PCI_EXPRESS);
        header = new RegisterBlock(layouts.get(0L));
        cxlDevice = new RegisterBlock(layouts.get((long) CXL_DEVICE_OFFSET));
        errors = new AdvancedErrors(header, express);
        memorySpaceEnable = RegisterRows.field(header.layout(), "memory space enable");
        cxlMemoryEnable = RegisterRows.field(cxlDevice.layout(), "mem_enable");
        Map<Long, RegisterPart> parts = new TreeMap<>();
        parts.put(0L, header);
        parts.put((long) MSIX_OFFSET, msix);
        parts.put((long) PCI_EXPRESS_OFFSET, express);
        parts.put((long) CXL_DEVICE_OFFSET, cxlDevice);
        parts.put((long) DATA_OBJECT_OFFSET, dataObjects);
        parts.put((long) ERRORS_OFFSET, errors.block());
        layouts.forEach((offset, layout) ->
                space.with(offset, parts.containsKey(offset) ? parts.get(offset) : new RegisterBlock(layout)));

        RegisterField configLock = RegisterRows.field(cxlDevice.layout(), "config_lock");
        cxlDevice.lockedWhen(DvsecLayouts.CONFIG_LOCK, () -> cxlDevice.get(configLock) != 0);
        express.live(INITIATE_RESET, () -> 0, written -> isResetRequested |= written != 0);
        for (RegisterField field : List.of(FUNCTION_MASK, MSIX_ENABLE)) {
            msix.onWrite(field, (before, after) -> {
                if (before != after) {
                    interruptControl.run();
                }
            });
        }
    }

    /** Its tables by their offsets; the arguments are those of the constructor. */
    public static Map<Long, RegisterLayout> layouts(long serial, long dataBarBytes) {
        if (dataBarBytes != 0 && (dataBarBytes < 16 || Long.bitCount(dataBarBytes) != 1)) {
            throw new IllegalArgumentException("BAR length is no power of two: bytes=" + dataBarBytes);
        }
        Map<Long, RegisterLayout> layouts = new TreeMap<>();
        layouts.put(0L, PciLayouts.header(dataBarBytes));
        layouts.put((long) MSIX_OFFSET, PciLayouts.MSIX);
        layouts.put((long) PCI_EXPRESS_OFFSET, PciLayouts.PCI_EXPRESS);
        layouts.put((long) SERIAL_NUMBER_OFFSET, PciLayouts.serialNumber(CXL_DEVICE_OFFSET, serial));
        layouts.put((long) CXL_DEVICE_OFFSET, DvsecLayouts.cxlDevice(REGISTER_LOCATOR_OFFSET));
        layouts.put((long) REGISTER_LOCATOR_OFFSET, DvsecLayouts.registerLocator(FLUSH_OFFSET));
        layouts.put((long) FLUSH_OFFSET, DvsecLayouts.globalPersistentFlush(DATA_OBJECT_OFFSET));
        layouts.put((long) DATA_OBJECT_OFFSET, DataObjectExchange.LAYOUT);
        layouts.put((long) FLEX_BUS_OFFSET, DvsecLayouts.flexBusPort(ERRORS_OFFSET));
        layouts.put((long) ERRORS_OFFSET, AdvancedErrors.LAYOUT);
        return layouts;
    }

    // ---- how it is connected with the function

    /**
     * Tells this listener, and no other, that a write has asked for a function level reset. The configuration space has been reset by then; the
     * rest of the function is the listener's, and the reset is complete when it returns.
     */
    public void onFunctionLevelReset(Runnable listener) {
        functionLevelReset = listener;
    }

    /** Tells this listener, and no other, that {@link #isMsixEnabled} or {@link #isMsixMasked} has changed by a write. */
    public void onMsixControl(Runnable listener) {
        interruptControl = listener;
    }

    /** Tells this listener, and no other, of each error message that the function would send to its root port. */
    public void onErrorMessage(Consumer<ErrorMessage> listener) {
        errors.onMessage(listener);
    }

    /** Who has to be told of internal errors, so that the function's registers tell of them. */
    public RasCapability.Listener internalErrors() {
        return errors;
    }

    // ---- what it says

    /** May the function send MSI-X messages? */
    public boolean isMsixEnabled() {
        return msix.get(MSIX_ENABLE) != 0;
    }

    /** Must all MSI-X messages wait? */
    public boolean isMsixMasked() {
        return msix.get(FUNCTION_MASK) != 0;
    }

    /** Does the function answer to accesses of its BARs? */
    public boolean isMemorySpaceEnabled() {
        return header.get(memorySpaceEnable) != 0;
    }

    /** Has the host enabled CXL.mem? */
    public boolean isCxlMemoryEnabled() {
        return cxlDevice.get(cxlMemoryEnable) != 0;
    }

    // ---- accesses

    @Override
    public long lengthBytes() {
        return LENGTH_BYTES;
    }

    @Override
    public void read(long offset, byte[] destination, int destinationOffset, int lengthBytes) {
        space.read(offset, destination, destinationOffset, lengthBytes);
    }

    @Override
    public void write(long offset, byte[] source, int sourceOffset, int lengthBytes) {
        space.write(offset, source, sourceOffset, lengthBytes);
        // After the whole access: what it wrote next to the request must not survive the reset.
        if (isResetRequested) {
            isResetRequested = false;
            reset(ResetKind.FLR);
            functionLevelReset.run();
        }
    }

    @Override
    public void reset(ResetKind kind) {
        space.reset(kind);
    }
}
