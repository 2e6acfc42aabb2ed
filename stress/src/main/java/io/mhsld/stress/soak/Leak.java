package io.mhsld.stress.soak;

import io.mhsld.stress.storm.SourceChange;
import java.util.Locale;

/** Something that heads lose on purpose with each connection, or some of them, to see that the soak finds it. */
enum Leak {
    /** A file that is opened and never closed. */
    DESCRIPTOR(Measure.DESCRIPTORS, "System.getProperties().put(client, new java.io.FileInputStream(\"/dev/null\"));"),
    /** Bytes that are kept: so few that a minute does not fill the heap, which would end the head. */
    MEMORY(Measure.HEAP_AFTER_GC, "System.getProperties().put(client, new byte[8192]);"),
    /** Bytes outside of the heap that are kept, of which there may be as many. */
    NATIVE(Measure.RESIDENT, "System.getProperties().put(client, java.nio.ByteBuffer.allocateDirect(8192));"),
    /** A thread that never ends. */
    THREAD(
            Measure.THREADS,
            "if (System.nanoTime() % 8 == 0) { Thread t = new Thread(() -> { while (true)"
                    + " java.util.concurrent.locks.LockSupport.park(); }); t.setDaemon(true); t.start(); }"),
    /** A file that stays mapped. */
    MAPPING(
            Measure.FILE_MAPPINGS,
            "try (java.nio.channels.FileChannel f = java.nio.channels.FileChannel.open(java.nio.file.Path.of("
                    + "System.getProperty(\"java.home\"), \"release\"))) { System.getProperties().put(client,"
                    + " f.map(java.nio.channels.FileChannel.MapMode.READ_ONLY, 0, 1)); }");

    private static final String SOURCE = "mhsld-cli/src/main/java/io/mhsld/qmp/QmpServer.java";
    private static final String PLACE =
            "private void welcome(SocketChannel client, Listener listener) throws IOException {";

    private final Measure measure;
    private final String statement;

    Leak(Measure measure, String statement) {
        this.measure = measure;
        this.statement = statement;
    }

    /** What must tell of it. */
    Measure measure() {
        return measure;
    }

    SourceChange change() {
        return new SourceChange(SOURCE, PLACE, PLACE + " " + statement);
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
