package io.mhsld.socket;

import io.mhsld.head.HeadLog;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * What a server tells of its clients. That one of them is not served is no error of this process: it is a line in the log, in the same words for every
 * protocol. Any client can bring it about at any time, so each of the two is told once a minute.
 *
 * <p>All methods belong on one thread, or within turns of one loop.
 */
public final class ClientReports {
    private static final long PERIOD_NS = TimeUnit.MINUTES.toNanos(1);

    private final String protocol;
    private final HeadLog log;
    private final Consumer<Throwable> errorSink;
    private final LongSupplier clockNs;
    private final Rarely turnedAway = new Rarely();
    private final Rarely letGo = new Rarely();
    private final Rarely errors = new Rarely();

    /**
     * @param protocol what the clients speak, as messages say it
     * @param errorSink gets what goes wrong inside
     */
    public ClientReports(String protocol, HeadLog log, Consumer<Throwable> errorSink) {
        this(protocol, log, errorSink, System::nanoTime);
    }

    ClientReports(String protocol, HeadLog log, Consumer<Throwable> errorSink, LongSupplier clockNs) {
        this.protocol = protocol;
        this.log = log;
        this.errorSink = errorSink;
        this.clockNs = clockNs;
    }

    /** Somebody has connected and is not served. */
    public void turnedAway(String reason) {
        tell(turnedAway, "is turned away", reason);
    }

    /** A client that was served is disconnected, for something that it did. */
    public void letGo(String reason) {
        tell(letGo, "is let go", reason);
    }

    /** Something went wrong inside. */
    public void error(Throwable error) {
        errorSink.accept(error);
    }

    /** The same for what any client can bring about at any time. */
    public void rareError(Throwable error) {
        if (errors.isDue()) {
            error(error);
        }
    }

    private void tell(Rarely rarely, String what, String reason) {
        if (rarely.isDue()) {
            log.line(protocol + " client " + what + ": reason=" + reason);
        }
    }

    private final class Rarely {
        private Optional<Long> lastNs = Optional.empty();

        boolean isDue() {
            long now = clockNs.getAsLong();
            boolean isDue = lastNs.map(last -> now - last >= PERIOD_NS).orElse(true);
            if (isDue) {
                lastNs = Optional.of(now);
            }
            return isDue;
        }
    }
}
