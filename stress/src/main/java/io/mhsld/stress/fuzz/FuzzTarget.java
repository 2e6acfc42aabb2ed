package io.mhsld.stress.fuzz;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Something that is fed with bytes: a class with a static {@code fuzzerTestOneInput(byte[])} that throws when something is wrong, any exception
 * that it does not expect included. A new target is such a class, a row here, and some real inputs in {@code stress/src/fuzz/NAME}.
 *
 * @param type its simple name is the target's name
 * @param maxLengthBytes of an input
 */
record FuzzTarget(Class<?> type, int maxLengthBytes) {
    static final List<FuzzTarget> ALL = List.of(
            new FuzzTarget(QmpFrames.class, 2304),
            new FuzzTarget(QmpTalk.class, 4096),
            new FuzzTarget(MctpPackets.class, 20 * 68),
            new FuzzTarget(VfioUserMessages.class, 2048),
            new FuzzTarget(HostileHead.class, 4096),
            new FuzzTarget(QemuCommandLine.class, 1024),
            new FuzzTarget(Addresses.class, 256),
            new FuzzTarget(Numbers.class, 64),
            new FuzzTarget(MailboxCommands.class, 4096),
            new FuzzTarget(Payloads.class, 2100),
            new FuzzTarget(StateFiles.class, 2048),
            new FuzzTarget(MediaNotes.class, 512));

    /** Not one of {@link #ALL}: it is to be found broken. */
    static final FuzzTarget BROKEN = new FuzzTarget(Broken.class, 64);

    String name() {
        return type.getSimpleName();
    }

    /** By its name, in whatever case. */
    static Optional<FuzzTarget> named(String name) {
        return ALL.stream()
                .filter(target -> target.name().equalsIgnoreCase(name))
                .findFirst();
    }

    /** Runs one input in this JVM. Throws what the target throws. */
    void run(byte[] input) throws Throwable {
        Method method = type.getMethod("fuzzerTestOneInput", byte[].class);
        try {
            method.invoke(null, (Object) input.clone());
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    /** The first lines of a failure that say where it came from. */
    static String firstLines(Throwable failure) {
        StringBuilder text = new StringBuilder(failure.toString());
        Arrays.stream(failure.getStackTrace())
                .limit(6)
                .forEach(frame -> text.append("\n    at ").append(frame));
        if (failure.getCause() != null) {
            text.append("\n  cause: ").append(failure.getCause());
        }
        return text.toString();
    }
}
