package io.mhsld.register;

import io.mhsld.cci.InterruptListener;
import io.mhsld.cci.Mailbox;
import io.mhsld.type3.EventLog;
import io.mhsld.type3.RasCapability;
import io.mhsld.type3.Refusal;
import io.mhsld.type3.Type3Device;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * A head's Type-3 device as a PCI function: configuration space, component registers (BAR 0), device registers and MSI-X tables (BAR 2) and, if
 * wanted, the memory itself (BAR 4).
 *
 * <p>Accesses to the BARs are answered whether or not the host has enabled memory space, and messages go out whether or not it has enabled MSI-X
 * or masked a vector: whoever carries the accesses and the interrupts does that, as VFIO has it.
 *
 * <p>A function level reset brings back the registers that it reaches. What the host has accepted, its bytes, decoders, errors, event logs and
 * interrupt policy, and what goes on in the background stay. A conventional reset takes all of that but the errors, whose registers are sticky.
 */
public final class Type3Function implements PciFunction {
    private final Type3Device device;
    private final Mailbox mailbox;
    private final ConfigurationSpace configuration;
    private final Map<Integer, RegisterPart> regions = new TreeMap<>();
    private IntConsumer interrupts = vector -> {};
    private Consumer<ResetKind> resets = kind -> {};

    /**
     * A function that comes up. It becomes the one listener to the mailbox's interrupts and to the end of background operations.
     *
     * @param hasDataBar the memory behind a BAR of its own
     * @param refusals told once of each access to that memory which was not served, or not all of it
     */
    public Type3Function(Type3Device device, Mailbox mailbox, boolean hasDataBar, Consumer<Refusal> refusals) {
        this.device = device;
        this.mailbox = mailbox;
        DataObjectExchange dataObjects =
                new DataObjectExchange(new Cdat(device.identity().regions()));
        DataRegion data = new DataRegion(device, refusals);
        configuration =
                new ConfigurationSpace(device.identity().serial(), hasDataBar ? data.lengthBytes() : 0, dataObjects);
        regions.put(CONFIGURATION_REGION, configuration);
        regions.put(
                ConfigurationSpace.COMPONENT_BAR,
                new ComponentRegisters(device.ras(), device.identity().regions()));
        regions.put(
                ConfigurationSpace.DEVICE_BAR,
                new RegisterSpace(ConfigurationSpace.DEVICE_BAR_BYTES)
                        .with(0, new DeviceRegisters(device, mailbox, this::interrupt).space())
                        .with(ConfigurationSpace.MSIX_TABLE_OFFSET, new RegisterBlock(MsixTable.TABLE))
                        .with(ConfigurationSpace.MSIX_PENDING_OFFSET, new RegisterBlock(MsixTable.PENDING)));
        if (hasDataBar) {
            regions.put(ConfigurationSpace.DATA_BAR, data);
        }
        configuration.onFunctionLevelReset(() -> reset(ResetKind.FLR));
        dataObjects.onInterrupt(() -> interrupt(DataObjectExchange.INTERRUPT_VECTOR));
        mailbox.onInterrupt(new EventMessages());
    }

    /** The length of the data BAR; empty without one. */
    public Optional<Long> dataBarBytes() {
        return Optional.ofNullable(regions.get(ConfigurationSpace.DATA_BAR)).map(RegisterPart::lengthBytes);
    }

    /** Has to be told of the device's internal errors, by whoever listens to its {@linkplain RasCapability#onError errors}. */
    public RasCapability.Listener internalErrors() {
        return configuration.internalErrors();
    }

    /** Tells this listener, and no other, that the function has been reset, and how. */
    public void onReset(Consumer<ResetKind> listener) {
        resets = listener;
    }

    @Override
    public long regionLengthBytes(int region) {
        RegisterPart part = regions.get(region);
        return part == null ? 0 : part.lengthBytes();
    }

    @Override
    public void read(int region, long offset, byte[] destination, int destinationOffset, int lengthBytes) {
        inside(region, offset, lengthBytes).read(offset, destination, destinationOffset, lengthBytes);
    }

    @Override
    public void write(int region, long offset, byte[] source, int sourceOffset, int lengthBytes) {
        inside(region, offset, lengthBytes).write(offset, source, sourceOffset, lengthBytes);
    }

    private RegisterPart inside(int region, long offset, int lengthBytes) {
        RegisterPart part = regions.get(region);
        if (part == null || offset < 0 || lengthBytes < 0 || offset > part.lengthBytes() - lengthBytes) {
            throw new IllegalArgumentException(
                    String.format("access is outside: region=%d offset=0x%x length=0x%x", region, offset, lengthBytes));
        }
        return part;
    }

    @Override
    public void reset() {
        device.reset();
        mailbox.reset();
        reset(ResetKind.CONVENTIONAL);
    }

    private void reset(ResetKind kind) {
        regions.values().forEach(part -> part.reset(kind));
        resets.accept(kind);
    }

    @Override
    public int interruptVectors() {
        return ConfigurationSpace.MSIX_VECTORS;
    }

    @Override
    public void onInterrupt(IntConsumer raise) {
        interrupts = raise;
    }

    private void interrupt(int vector) {
        interrupts.accept(vector);
    }

    /** A log that firmware handles has no message: there is nobody to tell who would notify that firmware. */
    private final class EventMessages implements InterruptListener {
        @Override
        public void message(int number, EventLog.Kind log) {
            interrupt(number);
        }

        @Override
        public void firmware(int vector, EventLog.Kind log) {}
    }
}
