package io.mhsld.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mhsld.qmp.QmpServer;
import io.mhsld.socket.LocalAddress;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QemuArgumentsTest {
    private static final String MEMORY = "-object memory-backend-ram,id=mem0,size=4G ";
    private static final String DEVICE = "-device cxl-mhsld,volatile-dc-memdev=mem0,mhd-head=0,mhd-state_file=m";

    @Test
    void shouldUnderstandTheCommandLineOfTheReference() {
        QemuArguments arguments = parse("-device pxb-cxl,id=cxl.0,bus=pcie.0,bus_nr=52"
                + " -device cxl-rp,id=rp0,bus=cxl.0,chassis=0,port=0,slot=0"
                + " -object memory-backend-ram,id=mem0,size=4G"
                + " -device cxl-mhsld,bus=rp0,num-dc-regions=1,volatile-dc-memdev=mem0,id=cxl-mem0,sn=66667,"
                + "mhd-head=0,mhd-state_file=mhd_metadata,mhd-init=true"
                + " -M cxl-fmw.0.targets.0=cxl.0,cxl-fmw.0.size=4G"
                + " -qmp unix:/tmp/qmp-sock-1,server,nowait");

        assertEquals(Optional.of(0), arguments.head());
        assertEquals(Optional.of("mhd_metadata"), arguments.stateFile());
        assertEquals(Optional.of(true), arguments.init());
        assertEquals(Optional.of(4L << 30), arguments.sizeBytes());
        assertEquals(Optional.of(1), arguments.regionCount());
        assertEquals(Optional.empty(), arguments.mediaFile());
        assertEquals(Optional.of(66667L), arguments.serial());
        assertEquals(Optional.of("cxl-mem0"), arguments.id());
        assertEquals(List.of(LocalAddress.unix(Path.of("/tmp/qmp-sock-1"))), arguments.qmp());
        assertEquals(
                List.of("ignored, there is no PC around the device: -device pxb-cxl, -device cxl-rp, -M"),
                arguments.notes());
    }

    @Test
    void shouldSkipTheValuesOfOptionsThatDescribeThePc() {
        QemuArguments arguments = parse("-accel tcg -cpu max -machine q35,cxl=on -smp 2 -m 1G,maxmem=8G -nographic"
                + " -kernel /boot/vmlinuz -append -device -drive file=x.img,if=virtio -S -name -S -no-reboot "
                + MEMORY + DEVICE + " -serial stdio -display none -netdev user,id=n -device virtio-net-pci,netdev=n");

        assertEquals(Optional.of("m"), arguments.stateFile());
        assertEquals(
                List.of(
                        "ignored, there is no PC around the device: -accel, -cpu, -machine, -smp, -m, -nographic, -kernel,"
                                + " -append, -drive, -S, -name, -no-reboot, -serial, -display, -netdev, -device virtio-net-pci"),
                arguments.notes());
    }

    @Test
    void shouldLeaveOpenWhatIsNotSaid() {
        assertEquals(
                new QemuArguments(
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        List.of(),
                        List.of()),
                QemuArguments.parse(List.of()));
        QemuArguments device = parse("-device cxl-mhsld");
        assertEquals(Optional.empty(), device.head());
        assertEquals(Optional.empty(), device.init());
    }

    @Test
    void shouldTakeTheMediaFileThatAllHeadsShare() {
        QemuArguments arguments = parse("--device cxl-mhsld,volatile-dc-memdev=m,mhd-head=1,mhd-state_file=s"
                + " --object memory-backend-file,id=m,mem-path=/dev/shm/a,,b,share=on,size=512M");

        assertEquals(Optional.of(Path.of("/dev/shm/a,b")), arguments.mediaFile());
        assertEquals(Optional.of(512L << 20), arguments.sizeBytes());
    }

    @Test
    void shouldTakeJsonAsQemuDoes() {
        QemuArguments arguments = QemuArguments.parse(List.of(
                "-object",
                "{\"qom-type\":\"memory-backend-memfd\",\"id\":\"m\",\"size\":4294967296,\"share\":true}",
                "-device",
                "{\"driver\":\"cxl-mhsld\",\"volatile-dc-memdev\":\"m\",\"mhd-head\":3,\"mhd-state_file\":\"s\","
                        + "\"mhd-init\":false,\"sn\":18446744073709551615}"));

        assertEquals(Optional.of(3), arguments.head());
        assertEquals(Optional.of(false), arguments.init());
        assertEquals(Optional.of(4L << 30), arguments.sizeBytes());
        assertEquals(Optional.of(-1L), arguments.serial());
    }

    @Test
    void shouldFindQmpInItsLongForm() {
        QemuArguments arguments =
                parse("-mon chardev=c,mode=control -chardev socket,id=c,path=/tmp/q,server=on,wait=off"
                        + " -chardev socket,id=t,host=localhost,port=4444,server=on -mon t,mode=control"
                        + " -chardev stdio,id=s -mon s -qmp none -qmp-pretty unix:/tmp/r,server,nowait");

        assertEquals(
                List.of(
                        QmpServer.address("unix:/tmp/r,server,nowait"),
                        QmpServer.address("unix:/tmp/q,server,nowait"),
                        QmpServer.address("tcp:localhost:4444,server")),
                arguments.qmp());
        assertEquals(List.of("ignored, there is no PC around the device: -mon"), arguments.notes());
    }

    @Test
    void shouldNoteWhatACxlDeviceHasElsewhereAndNotHere() {
        QemuArguments arguments = parse(MEMORY + DEVICE + ",bus=rp0,addr=1,x-speed=32,lsa=lsa0"
                + " -object memory-backend-ram,id=lsa0,size=1M");

        assertEquals(
                List.of(
                        "ignored, there is no PC around the device: -object memory-backend-ram",
                        "ignored, without effect on a cxl-mhsld: x-speed, lsa"),
                arguments.notes());
        assertEquals(Optional.of(4L << 30), arguments.sizeBytes());
    }

    @ParameterizedTest
    @ValueSource(strings = {"true", "on", "yes", "y"})
    void shouldKnowEveryWordForYes(String word) {
        assertEquals(
                Optional.of(true), parse(MEMORY + DEVICE + ",mhd-init=" + word).init());
    }

    @ParameterizedTest
    @ValueSource(strings = {"false", "off", "no", "n"})
    void shouldKnowEveryWordForNo(String word) {
        assertEquals(
                Optional.of(false), parse(MEMORY + DEVICE + ",mhd-init=" + word).init());
    }

    @Test
    void shouldTakeABarePropertyForYesAndTheLastOfTwo() {
        QemuArguments arguments = parse(MEMORY + DEVICE + ",mhd-init,mhd-head=2,sn=0x10");

        assertEquals(Optional.of(true), arguments.init());
        assertEquals(Optional.of(2), arguments.head());
        assertEquals(Optional.of(16L), arguments.serial());
    }

    @ParameterizedTest
    @CsvSource({
        "4294967296, 4294967296",
        "4G, 4294967296",
        "4g, 4294967296",
        "1.5G, 1610612736",
        "2M, 2097152",
        "64k, 65536",
        "7B, 7",
        "1T, 1099511627776",
        "0x1000, 4096",
        "7E, 8070450532247928832"
    })
    void shouldReadSizesAsQemuDoes(String text, long bytes) {
        assertEquals(bytes, QemuArguments.size("size", text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "4GB",
                "4GiB",
                "1e3",
                "-1",
                "0x1000K",
                "G",
                "4 G",
                "1.G",
                ".5G",
                "0",
                "0.1B",
                "8E",
                "99999999999999999999E"
            })
    void shouldRefuseWhatIsNoSize(String text) {
        UsageException refusal = assertThrows(UsageException.class, () -> QemuArguments.size("size", text));
        assertTrue(refusal.getMessage().endsWith(": size=" + text), refusal.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "-foo                                   | unknown option, neither mhsld nor QEMU has it: -foo",
                "--foo 5                                | unknown option, neither mhsld nor QEMU has it: --foo",
                "-smp=2                                 | unknown option, neither mhsld nor QEMU has it: -smp=2",
                "disk.img                               | unexpected argument: disk.img",
                "-5                                     | unexpected argument: -5",
                "-device                                | option lacks its value: -device",
                "-smp                                   | option lacks its value: -smp",
                "-qmp stdio                             | neither unix:PATH,server,nowait nor tcp:HOST:PORT,server,nowait: address=stdio",
                "-qmp unix:/tmp/q                       | lacks the option 'server': address=unix:/tmp/q",
                "-mon c,mode=control                    | monitor on an unknown channel: -mon c,mode=control",
                "-chardev stdio,id=c -mon c,mode=control                  | QMP is served on sockets only: -chardev stdio,id=c",
                "-chardev socket,id=c,path=/q -mon c,mode=control         | lacks the option 'server': address=socket,id=c,path=/q",
                "-object memory-backend-ram,size=4G                       | object has no id: -object memory-backend-ram,size=4G",
                "-object memory-backend-ram,id=m -object memory-backend-ram,id=m,size=1 | two objects have the same id: id=m",
                "-device cxl-mhsld,volatile-dc-memdev=zz                  | no -object has the id that volatile-dc-memdev names: id=zz",
                "-device cxl-mhsld -device cxl-mhsld,mhd-head=1           | two cxl-mhsld devices, and a process is one head: -device cxl-mhsld,mhd-head=1",
                "-device cxl-mhsld,mhd-hed=1                              | unknown property of cxl-mhsld: property=mhd-hed",
                "-device cxl-mhsld,volatile-memdev=m                      | static memory is not supported",
                "-device cxl-mhsld,persistent-memdev=m                    | static memory is not supported",
                "-device cxl-mhsld,mhd-head=x                             | not a number, or too large: mhd-head=x -device cxl-mhsld",
                "-device cxl-mhsld,mhd-head=-1                            | not a number, or too large: mhd-head=-1",
                "-device cxl-mhsld,mhd-head=4294967296                    | not a number, or too large: mhd-head=4294967296",
                "-device cxl-mhsld,num-dc-regions=                        | not a number, or too large: num-dc-regions=",
                "-device cxl-mhsld,sn=18446744073709551616                | not a number, or too large: sn=",
                "-device cxl-mhsld,mhd-init=maybe                         | 'mhd-init' is either on or off: mhd-init=maybe",
                "-device cxl-mhsld,mhd-state_file=                        | mhd-state_file is empty",
                "-device cxl-mhsld,a/b                                    | not of the form name=value: 'a/b'",
                "-device {\"driver\":                                     | JSON parse error",
                "-object iothread,id=m -device cxl-mhsld,volatile-dc-memdev=m | names an object that is no memory: -object iothread,id=m",
                "-object memory-backend-ram,id=m -device cxl-mhsld,volatile-dc-memdev=m | memory has no size",
                "-object memory-backend-ram,id=m,size=4GB -device cxl-mhsld,volatile-dc-memdev=m | not a size",
                "-object memory-backend-file,id=m,size=4G,mem-path=/x -device cxl-mhsld,volatile-dc-memdev=m | memory file needs share=on",
                "-object memory-backend-file,id=m,size=4G,mem-path=/x,share=off -device cxl-mhsld,volatile-dc-memdev=m | memory file needs share=on",
                "-object memory-backend-file,id=m,size=4G,mem-path=/x,share=1 -device cxl-mhsld,volatile-dc-memdev=m | 'share' is either on or off: share=1",
                "-object memory-backend-file,id=m,size=4G,share=on -device cxl-mhsld,volatile-dc-memdev=m | memory file has no mem-path"
            })
    void shouldRefuseWithALineThatSaysWhyAndWhere(String arguments, String reason) {
        UsageException refusal = assertThrows(UsageException.class, () -> parse(arguments));

        assertTrue(refusal.getMessage().contains(reason), refusal.getMessage());
    }

    private static QemuArguments parse(String arguments) {
        return QemuArguments.parse(Arrays.asList(arguments.trim().split(" +")));
    }
}
