package io.mhsld.qmp;

import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** What becomes of a command: a result, a {@linkplain QmpError refusal}, or a {@linkplain Pending promise} of one of the two. */
public sealed interface QmpReply permits QmpReply.Result, QmpError, QmpReply.Pending {
    /** The command is done, and has nothing to tell. */
    static QmpReply done() {
        return new Result(Map.of());
    }

    /** The command is done; the value is a map, list, string, number or boolean, as {@link QmpJson#write} takes it. */
    static QmpReply of(Object value) {
        return new Result(value);
    }

    /** The command is refused, with QMP's error class for everything that has no class of its own. */
    static QmpReply refused(String description) {
        return QmpError.generic(description);
    }

    /** The command is under way: whoever keeps the promise completes it. */
    static Pending pending() {
        return new Pending();
    }

    /** Why the command was refused; empty when it was done. */
    Optional<QmpError> error();

    /** What the command returned. Throws an {@link IllegalStateException} when there is an error, or no answer yet. */
    Object value();

    /** A command that is done. */
    record Result(Object value) implements QmpReply {
        @Override
        public Optional<QmpError> error() {
            return Optional.empty();
        }
    }

    /**
     * A reply that comes later. Until then the client that asked gets no other answer, for replies keep the order of the commands; other
     * clients are served. When the client has gone in the meantime, the reply is dropped.
     */
    final class Pending implements QmpReply {
        private QmpReply reply;
        private Consumer<QmpReply> receiver;

        private Pending() {}

        /** Gives the reply; any thread. False when it was given before: the first one counts. */
        public boolean complete(QmpReply outcome) {
            if (outcome instanceof Pending) {
                throw new IllegalArgumentException("a pending reply cannot be completed by another one");
            }
            Consumer<QmpReply> waiting;
            synchronized (this) {
                if (reply != null) {
                    return false;
                }
                reply = outcome;
                waiting = receiver;
            }
            if (waiting != null) {
                waiting.accept(outcome);
            }
            return true;
        }

        /** Who gets the reply: at once if it is there already. */
        void whenComplete(Consumer<QmpReply> consumer) {
            QmpReply outcome;
            synchronized (this) {
                receiver = consumer;
                outcome = reply;
            }
            if (outcome != null) {
                consumer.accept(outcome);
            }
        }

        @Override
        public Optional<QmpError> error() {
            throw new IllegalStateException("reply is pending");
        }

        @Override
        public Object value() {
            throw new IllegalStateException("reply is pending");
        }
    }
}
