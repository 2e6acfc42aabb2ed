package io.mhsld.cli;

import io.mhsld.qmp.QmpJson;
import io.mhsld.qmp.QmpServer;
import io.mhsld.socket.LocalAddress;
import io.mhsld.socket.OptionText;
import io.mhsld.state.DeviceFiles;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * What a QEMU command line says about a multi-headed device: so that the command line of the reference, pasted behind {@code mhsld head}, means
 * what it meant there. Everything that only describes the PC around the device is taken in, ignored, and noted.
 *
 * @param head {@code mhd-head}
 * @param stateFile {@code mhd-state_file}
 * @param init {@code mhd-init}
 * @param sizeBytes the size of the memory backend that {@code volatile-dc-memdev} names
 * @param regionCount {@code num-dc-regions}
 * @param mediaFile the file of that memory backend, when it has one
 * @param serial {@code sn}, to be taken as unsigned
 * @param id {@code id}
 * @param qmp where to listen for QMP
 * @param notes what to tell the person: a sentence each
 */
record QemuArguments(
        Optional<Integer> head,
        Optional<String> stateFile,
        Optional<Boolean> init,
        Optional<Long> sizeBytes,
        Optional<Integer> regionCount,
        Optional<Path> mediaFile,
        Optional<Long> serial,
        Optional<String> id,
        List<LocalAddress> qmp,
        List<String> notes) {

    private static final String DEVICE = "cxl-mhsld";

    /** QEMU's options with a value that say nothing about the device. */
    private static final Set<String> IGNORED_WITH_VALUE =
            words("M D L T accel acpitable action add-fd append audio audiodev"
                    + " balloon bios blockdev boot cdrom chroot compat cpu d debugcon dfilter display drive dtb dump-vmstate echr"
                    + " fda fdb fsdev fw_cfg gdb global hda hdb hdc hdd icount incoming initrd iscsi k kernel loadvm m machine"
                    + " mem-path monitor msg mtdblock name net netdev nic numa option-rom overcommit parallel pflash pidfile plugin"
                    + " readconfig rtc run-with runas sandbox sd seed serial set shim smbios smp soundhw spice tb-size tpmdev"
                    + " trace usbdevice uuid vga virtfs vnc watchdog watchdog-action writeconfig xen-domid");

    /** QEMU's options without a value that say nothing about the device. */
    private static final Set<String> IGNORED_WITHOUT_VALUE = words("S async-teardown daemonize enable-kvm"
            + " enable-sync-profile full-screen jitdump mem-prealloc no-acpi no-fd-bootchk no-hpet no-reboot no-shutdown"
            + " no-user-config nodefaults nodefconfig nographic nouserconfig one-insn-per-tb only-migratable perfmap"
            + " preconfig s singlestep snapshot usb win2k-hack xen-attach xen-domid-restrict");

    private static final Set<String> USED_PROPERTIES =
            words("driver mhd-head mhd-state_file mhd-state-file mhd-init num-dc-regions volatile-dc-memdev sn id");

    /** Where the device sits in the PC. */
    private static final Set<String> PLACE_PROPERTIES = words("bus addr busnr acpi-index multifunction");

    private static final Set<String> STATIC_MEMORY_PROPERTIES = words("memdev volatile-memdev persistent-memdev");

    /** What a cxl-type3 device has besides, and this one does not need. */
    private static final Set<String> PROPERTIES_WITHOUT_EFFECT = words("cdat failover_pair_id hdm-db lsa rombar romfile"
            + " romsize sriov-pf x-256b-flit x-max-bounce-buffer-size x-pcie-ari-nextfn-1 x-pcie-err-unc-mask"
            + " x-pcie-ext-tag x-pcie-extcap-init x-pcie-lnksta-dllla x-speed x-width");

    private static final String SIZE_UNITS = "BKMGTPE";
    private static final int BITS_PER_SIZE_UNIT = 10;

    /**
     * Reads QEMU's options, each with one or two dashes.
     *
     * @throws UsageException for options and properties that do not exist, or that would mean something which is not there; a
     *     {@code cxl-mhsld} that lacks a property is not refused here, for the property may come from elsewhere
     */
    static QemuArguments parse(List<String> arguments) {
        return new Reader().read(arguments);
    }

    /** A size as QEMU writes it: bytes, or a number with K, M, G, T, P or E (powers of 1024) behind it, which may have a fraction. */
    static long size(String name, String text) {
        if (text.matches("0[xX][0-9a-fA-F]{1,16}")) {
            return sizeInRange(name, text, new BigInteger(text.substring(2), 16));
        }
        if (!text.matches("[0-9]{1,20}(\\.[0-9]{1,20})?[bkmgtpeBKMGTPE]?")) {
            throw new UsageException(
                    "not a size (bytes, or a number with K, M, G or T behind it): " + name + "=" + text);
        }
        int unit = SIZE_UNITS.indexOf(Character.toUpperCase(text.charAt(text.length() - 1)));
        String digits = unit < 0 ? text : text.substring(0, text.length() - 1);
        BigInteger factor = BigInteger.ONE.shiftLeft(BITS_PER_SIZE_UNIT * Math.max(unit, 0));
        return sizeInRange(
                name,
                text,
                new BigDecimal(digits).multiply(new BigDecimal(factor)).toBigInteger());
    }

    private static long sizeInRange(String name, String text, BigInteger bytes) {
        if (bytes.signum() == 0 || bytes.bitLength() >= Long.SIZE) {
            throw new UsageException("size is zero, or too large: " + name + "=" + text);
        }
        return bytes.longValue();
    }

    private static Set<String> words(String text) {
        return Set.of(text.split(" "));
    }

    /** Collects while it goes over the arguments: what an option refers to may come behind it. */
    private static final class Reader {
        private final Map<String, OptionText> objects = new HashMap<>();
        private final Map<String, OptionText> channels = new HashMap<>();
        private final List<String> monitors = new ArrayList<>();
        private final List<LocalAddress> qmp = new ArrayList<>();
        private final Set<String> ignored = new LinkedHashSet<>();
        private final Set<String> withoutEffect = new LinkedHashSet<>();
        private OptionText device;

        QemuArguments read(List<String> arguments) {
            for (Iterator<String> rest = arguments.iterator(); rest.hasNext(); ) {
                option(rest.next(), rest);
            }
            monitors.forEach(this::monitor);
            return device == null ? result(OptionText.parse("", null)) : checkedResult();
        }

        private void option(String argument, Iterator<String> rest) {
            if (!argument.matches("--?[A-Za-z].*")) {
                throw new UsageException("unexpected argument: " + argument);
            }
            String name = argument.substring(argument.startsWith("--") ? 2 : 1);
            switch (name) {
                case "device" -> device(value(argument, rest));
                case "object" -> object(value(argument, rest));
                case "qmp", "qmp-pretty" -> qmp(value(argument, rest));
                case "chardev" -> channel(value(argument, rest));
                case "mon" -> monitors.add(value(argument, rest));
                default -> {
                    if (IGNORED_WITH_VALUE.contains(name)) {
                        value(argument, rest);
                    } else if (!IGNORED_WITHOUT_VALUE.contains(name)) {
                        throw new UsageException("unknown option, neither mhsld nor QEMU has it: " + argument);
                    }
                    ignored.add("-" + name);
                }
            }
        }

        private static String value(String option, Iterator<String> rest) {
            if (!rest.hasNext()) {
                throw new UsageException("option lacks its value: " + option);
            }
            return rest.next();
        }

        private void device(String spelling) {
            OptionText properties = properties("-device", spelling, "driver");
            String driver = properties.text("driver");
            if (!DEVICE.equals(driver)) {
                ignored.add("-device " + driver);
            } else if (device != null) {
                throw new UsageException("two cxl-mhsld devices, and a process is one head: -device " + spelling);
            } else {
                device = properties;
                device.names().forEach(name -> checkDeviceProperty(name, spelling));
            }
        }

        private void checkDeviceProperty(String name, String spelling) {
            if (STATIC_MEMORY_PROPERTIES.contains(name)) {
                throw new UsageException(
                        "static memory is not supported, only dynamic capacity (volatile-dc-memdev): property=" + name
                                + " -device " + spelling);
            }
            if (PROPERTIES_WITHOUT_EFFECT.contains(name)) {
                withoutEffect.add(name);
            } else if (!USED_PROPERTIES.contains(name) && !PLACE_PROPERTIES.contains(name)) {
                throw new UsageException("unknown property of cxl-mhsld: property=" + name + " -device " + spelling
                        + "\nit has: mhd-head, mhd-state_file, mhd-init, num-dc-regions, volatile-dc-memdev, sn, id");
            }
        }

        private void object(String spelling) {
            OptionText properties = properties("-object", spelling, "qom-type");
            String id = properties.text("id");
            if (id == null) {
                throw new UsageException("object has no id: -object " + spelling);
            }
            if (objects.put(id, properties) != null) {
                throw new UsageException("two objects have the same id: id=" + id + " -object " + spelling);
            }
        }

        private void qmp(String spelling) {
            if (!spelling.equals("none")) {
                qmp.add(checked("-qmp", spelling, QmpServer::address));
            }
        }

        private void channel(String spelling) {
            OptionText properties = properties("-chardev", spelling, "backend");
            if (properties.has("id")) {
                channels.put(properties.text("id"), properties);
            }
        }

        /** The long form of -qmp: a channel made by -chardev, and a monitor on it. */
        private void monitor(String spelling) {
            OptionText monitor = properties("-mon", spelling, "chardev");
            if (!"control".equals(monitor.text("mode"))) {
                ignored.add("-mon");
                return;
            }
            OptionText channel = channels.get(monitor.text("chardev"));
            if (channel == null) {
                throw new UsageException("monitor on an unknown channel: -mon " + spelling);
            }
            if (!"socket".equals(channel.text("backend"))) {
                throw new UsageException("QMP is served on sockets only: -chardev " + channel);
            }
            Map<String, String> options = new LinkedHashMap<>();
            channel.names().forEach(name -> options.put(name, channel.text(name)));
            options.remove("backend");
            options.remove("id");
            qmp.add(checked(
                    "-chardev",
                    channel.toString(),
                    written -> LocalAddress.of(QmpServer.PROTOCOL, OptionText.of(written, options))));
        }

        private QemuArguments checkedResult() {
            try {
                return result(device);
            } catch (UsageException e) {
                throw e;
            } catch (IllegalArgumentException e) {
                throw new UsageException(e.getMessage() + " -device " + device);
            }
        }

        private QemuArguments result(OptionText properties) {
            Optional<OptionText> memory = memory(properties);
            return new QemuArguments(
                    number(properties, "mhd-head", Integer.MAX_VALUE).map(Long::intValue),
                    stateFile(properties),
                    properties.has("mhd-init") ? Optional.of(properties.flag("mhd-init", false)) : Optional.empty(),
                    memory.map(backend -> size("size", backend.text("size"))),
                    number(properties, "num-dc-regions", Integer.MAX_VALUE).map(Long::intValue),
                    memory.filter(backend -> "memory-backend-file".equals(backend.text("qom-type")))
                            .map(Reader::mediaFile),
                    number(properties, "sn", -1),
                    Optional.ofNullable(properties.text("id")),
                    List.copyOf(qmp),
                    notes());
        }

        private static Optional<String> stateFile(OptionText properties) {
            Optional<String> name = Optional.ofNullable(properties.text("mhd-state_file"))
                    .or(() -> Optional.ofNullable(properties.text("mhd-state-file")));
            if (name.filter(String::isEmpty).isPresent()) {
                throw new IllegalArgumentException("mhd-state_file is empty");
            }
            return name;
        }

        private Optional<OptionText> memory(OptionText properties) {
            String id = properties.text("volatile-dc-memdev");
            objects.forEach((objectId, object) -> {
                if (!objectId.equals(id)) {
                    ignored.add("-object " + object.text("qom-type"));
                }
            });
            if (id == null) {
                return Optional.empty();
            }
            OptionText backend = objects.get(id);
            if (backend == null) {
                throw new IllegalArgumentException("no -object has the id that volatile-dc-memdev names: id=" + id);
            }
            if (!String.valueOf(backend.text("qom-type")).matches("memory-backend-(ram|memfd|shm|file)")) {
                throw new UsageException("volatile-dc-memdev names an object that is no memory: -object " + backend);
            }
            if (!backend.has("size")) {
                throw new UsageException("memory has no size: -object " + backend);
            }
            return Optional.of(backend);
        }

        private static Path mediaFile(OptionText backend) {
            String file = backend.text("mem-path");
            if (file == null || file.isEmpty()) {
                throw new UsageException("memory file has no mem-path: -object " + backend);
            }
            if (!checked("-object", backend.toString(), unused -> backend.flag("share", false))) {
                throw new UsageException(
                        "memory file needs share=on, without it no head would see what another one wrote: -object "
                                + backend);
            }
            return DeviceFiles.pathOf(file)
                    .orElseThrow(() -> new UsageException("mem-path is malformed, or too long: -object " + backend));
        }

        /** A whole number, also in hexadecimal; at most the limit, which is unsigned. */
        private static Optional<Long> number(OptionText properties, String name, long limit) {
            String text = properties.text(name);
            if (text == null) {
                return Optional.empty();
            }
            boolean hexadecimal = text.matches("0[xX][0-9a-fA-F]{1,16}");
            if (hexadecimal || text.matches("[0-9]{1,20}")) {
                BigInteger value = hexadecimal ? new BigInteger(text.substring(2), 16) : new BigInteger(text);
                if (value.bitLength() <= Long.SIZE && Long.compareUnsigned(value.longValue(), limit) <= 0) {
                    return Optional.of(value.longValue());
                }
            }
            throw new IllegalArgumentException("not a number, or too large: " + name + "=" + text);
        }

        private List<String> notes() {
            List<String> notes = new ArrayList<>();
            if (!ignored.isEmpty()) {
                notes.add("ignored, there is no PC around the device: " + String.join(", ", ignored));
            }
            if (!withoutEffect.isEmpty()) {
                notes.add("ignored, without effect on a cxl-mhsld: " + String.join(", ", withoutEffect));
            }
            return List.copyOf(notes);
        }

        /** In QEMU's usual form, or as a JSON object, which it takes as well. */
        private static OptionText properties(String option, String spelling, String impliedName) {
            return checked(
                    option,
                    spelling,
                    written -> written.startsWith("{") ? ofJson(written) : OptionText.parse(written, impliedName));
        }

        private static OptionText ofJson(String spelling) {
            Object json = QmpJson.parse(spelling);
            Map<String, String> values = new LinkedHashMap<>();
            ((Map<?, ?>) json).forEach((name, value) -> {
                boolean flag = value instanceof Boolean;
                values.put(name.toString(), flag ? ((Boolean) value ? "on" : "off") : String.valueOf(value));
            });
            return OptionText.of(spelling, values);
        }

        private static <T> T checked(String option, String spelling, Function<String, T> reading) {
            try {
                return reading.apply(spelling);
            } catch (IllegalArgumentException e) {
                String message = e.getMessage();
                throw new UsageException(
                        message.contains(spelling) ? message : message + " " + option + " " + spelling);
            }
        }
    }
}
