package io.mhsld.qmp;

/** Carries a {@link QmpError} out of nested validation to the session that answers it; never leaves the package. */
final class QmpRefusal extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient QmpError error;

    QmpRefusal(QmpError error) {
        super(error.description(), null, false, false);
        this.error = error;
    }

    static QmpRefusal generic(String description) {
        return new QmpRefusal(QmpError.generic(description));
    }

    QmpError error() {
        return error;
    }
}
