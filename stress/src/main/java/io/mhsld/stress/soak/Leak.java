package io.mhsld.stress.soak;

import io.mhsld.stress.storm.SourceChange;
import java.util.Locale;

/** Something that heads lose on purpose with each connection, or some of them, to see that the soak finds it. */
enum Leak {
    /** A file that is opened and never closed. */
    DESCRIPTOR("System.getProperties().put(client, new java.io.FileInputStream(\"/dev/null\"));"),
    /** Bytes that are kept. */
    MEMORY("System.getProperties().put(client, new byte[32768]);"),
    /** Bytes outside of the heap that are kept. */
    NATIVE("System.getProperties().put(client, java.nio.ByteBuffer.allocateDirect(32768));"),
    /** A thread that never ends. */
    THREAD("if (System.nanoTime() % 8 == 0) { Thread t = new Thread(() -> { while (true)"
            + " java.util.concurrent.locks.LockSupport.park(); }); t.setDaemon(true); t.start(); }"),
    /** A file that stays mapped. */
    MAPPING("try (java.nio.channels.FileChannel f = java.nio.channels.FileChannel.open(java.nio.file.Path.of("
            + "System.getProperty(\"java.home\"), \"release\"))) { System.getProperties().put(client,"
            + " f.map(java.nio.channels.FileChannel.MapMode.READ_ONLY, 0, 1)); }");

    private static final String SOURCE = "mhsld-cli/src/main/java/io/mhsld/qmp/QmpServer.java";
    private static final String PLACE =
            "private void welcome(SocketChannel client, Listener listener) throws IOException {";

    private final String statement;

    Leak(String statement) {
        this.statement = statement;
    }

    SourceChange change() {
        return new SourceChange(SOURCE, PLACE, PLACE + " " + statement);
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
