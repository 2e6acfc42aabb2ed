package io.mhsld.mctp;

import io.mhsld.cci.CciDialect;
import io.mhsld.cci.CciMessage;
import io.mhsld.cci.Response;
import io.mhsld.cci.ReturnCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Optional;

/**
 * One client. Requests may be sent one after the other without waiting: those of one tag are answered in their order, those of different tags as they
 * are done. While too many are under way, or the client does not read its answers, nothing more is read from it. Everything happens on the loop's
 * thread.
 */
final class MctpSession {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final MctpServer server;
    private final SocketChannel channel;
    private final MctpAssembler assembler = new MctpAssembler();
    private final ArrayDeque<ByteBuffer> outgoing = new ArrayDeque<>();
    private final Lane[] lanes = new Lane[MctpPacket.TAGS];
    private SelectionKey key;

    /** What was read and is not done yet: the beginning of a packet, or whole ones while this client has to wait. */
    private ByteBuffer unread = NOTHING;

    private DialectChoice.Sign sign = DialectChoice.Sign.NONE;
    private int sequence;
    private int underWay;
    private long outgoingBytes;
    private boolean inputEnded;
    private boolean isResuming;
    private boolean isClosed;

    /** The requests of one tag: one is being done, the others wait. */
    private static final class Lane {
        private final ArrayDeque<Request> waiting = new ArrayDeque<>();
        private boolean isBusy;
    }

    /** A command, and how it is to be answered. */
    private record Request(MctpMessage message, CciMessage command, CciDialect dialect) {}

    MctpSession(MctpServer server, SocketChannel channel) {
        this.server = server;
        this.channel = channel;
    }

    void open(SelectionKey selectionKey) {
        key = selectionKey;
    }

    /** The channel is readable or writable. */
    void ready() {
        guarded(() -> {
            flush();
            pump();
        });
    }

    void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        outgoing.clear();
        try {
            channel.close();
        } catch (IOException e) {
            server.reports().error(e);
        }
        server.forget(this);
    }

    private interface Action {
        void run() throws IOException;
    }

    private void guarded(Action action) {
        if (isClosed) {
            return;
        }
        try {
            action.run();
        } catch (IOException e) {
            // A client that goes away in the middle of something is nothing to tell anybody about.
            close();
        } catch (RuntimeException e) {
            server.reports().error(e);
            close();
        }
    }

    // ---- input

    private void pump() throws IOException {
        ByteBuffer input = read();
        int packets = 0;
        while (input.remaining() >= MctpPacket.LENGTH
                && !isHeldUp()
                && packets++ < MctpServer.PACKETS_PER_TURN
                && !isClosed) {
            if (input.get(input.position()) != MctpPacket.VERSION) {
                // Not MCTP, or no longer in step: nothing that follows could be believed. Browsers end here too.
                server.reports().letGo("does not send packets of 68 bytes");
                close();
                return;
            }
            Optional<MctpMessage> message = assembler.take(input, input.position());
            input.position(input.position() + MctpPacket.LENGTH);
            message.ifPresent(this::receive);
        }
        if (!isClosed) {
            keep(input);
            settle();
        }
    }

    /** What is left over and what comes: in the server's buffer, which is everybody's. */
    private ByteBuffer read() throws IOException {
        ByteBuffer buffer = server.readBuffer().clear();
        buffer.put(unread);
        if (!isHeldUp() && !inputEnded) {
            inputEnded = channel.read(buffer) < 0;
        }
        return buffer.flip();
    }

    private void keep(ByteBuffer input) {
        unread = input.hasRemaining()
                ? ByteBuffer.allocate(input.remaining()).put(input).flip()
                : NOTHING;
    }

    private boolean isHeldUp() {
        return underWay >= MctpServer.UNDER_WAY_LIMIT || outgoingBytes > MctpServer.PAUSE_BYTES;
    }

    private void receive(MctpMessage message) {
        if (message.isChecked()) {
            return;
        }
        switch (message.type()) {
            case MctpControl.TYPE -> server.control().answer(message).ifPresent(answer -> send(message, answer));
            case MctpControl.FM_API, MctpControl.CCI -> receiveCommand(message);
            default -> {
                // An endpoint does not answer what it has no use for (DSP0236 8.1.6).
            }
        }
    }

    private void receiveCommand(MctpMessage message) {
        CciMessage command = CciMessage.read(message.bytes(), 1, message.bytes().length);
        if (command.isResponse()) {
            return;
        }
        if (command.isRequest()) {
            sign = sign.or(DialectChoice.signOf(message, command));
        }
        Request request = new Request(message, command, server.dialect().dialect(sign));
        int tag = message.tag();
        if (lanes[tag] == null) {
            lanes[tag] = new Lane();
        }
        underWay++;
        if (lanes[tag].isBusy) {
            lanes[tag].waiting.add(request);
        } else {
            run(request, lanes[tag]);
        }
    }

    // ---- commands

    private void run(Request request, Lane lane) {
        lane.isBusy = true;
        CciMessage command = request.command;
        if (!command.isRequest()) {
            // A reserved category: whoever sent it may wait for an answer, and learns more by this one than by none.
            finish(request, lane, Response.undelivered(ReturnCode.INVALID_INPUT));
        } else if (request.message.isCut() || !command.isWhole()) {
            finish(request, lane, Response.undelivered(ReturnCode.INVALID_PAYLOAD_LENGTH));
        } else {
            server.endpoint()
                    .execute(
                            command.opcode(),
                            command.payload(),
                            request.dialect,
                            response -> finish(request, lane, response));
        }
    }

    private void finish(Request request, Lane lane, Response response) {
        underWay--;
        lane.isBusy = false;
        if (isClosed) {
            lane.waiting.clear();
            return;
        }
        byte[] answer = request.command.answer(response, request.dialect);
        send(request.message, request.message.bytes()[0], answer);
        Request next = lane.waiting.poll();
        if (next != null) {
            // Not from here: a client that has sent many would lead ever deeper.
            lane.isBusy = true;
            server.later(() -> guarded(() -> run(next, lane)));
        }
        guarded(this::settle);
    }

    // ---- output

    /** A message with its type in front. */
    private void send(MctpMessage request, byte[] message) {
        send(request, message[0], Arrays.copyOfRange(message, 1, message.length));
    }

    /** In one piece, so that whoever takes whole packets at a time gets whole ones. */
    private void send(MctpMessage request, int type, byte[] message) {
        int count = MctpPacket.countFor(1 + message.length);
        ByteBuffer packets = ByteBuffer.allocate(count * MctpPacket.LENGTH);
        int source = request.destination() != 0
                ? request.destination()
                : server.control().endpointId();
        int position = 0;
        for (int packet = 0; packet < count; packet++) {
            int start = packet == 0 ? MctpPacket.START : 0;
            int end = packet == count - 1 ? MctpPacket.END : 0;
            packets.position(packet * MctpPacket.LENGTH);
            packets.put(MctpPacket.VERSION).put((byte) request.source()).put((byte) source);
            int tag = request.tag() & MctpPacket.TAG_MASK;
            packets.put((byte) (start | end | (sequence << MctpPacket.SEQUENCE_SHIFT) | tag));
            sequence = (sequence + 1) & MctpPacket.SEQUENCE_MASK;
            int room = MctpPacket.BODY_LENGTH;
            if (packet == 0) {
                packets.put((byte) type);
                room--;
            }
            int length = Math.min(room, message.length - position);
            packets.put(message, position, length);
            position += length;
        }
        outgoing.add(packets.rewind());
        outgoingBytes += packets.remaining();
        guarded(this::flush);
    }

    private void flush() throws IOException {
        while (!outgoing.isEmpty()) {
            ByteBuffer packets = outgoing.peek();
            outgoingBytes -= channel.write(packets);
            if (packets.hasRemaining()) {
                return;
            }
            outgoing.remove();
        }
    }

    /** Sees to it that this session is called again when there is something to do. */
    private void settle() throws IOException {
        boolean hasPackets = unread.remaining() >= MctpPacket.LENGTH;
        if (inputEnded && !hasPackets && underWay == 0 && outgoing.isEmpty()) {
            close();
            return;
        }
        int interest = outgoing.isEmpty() ? 0 : SelectionKey.OP_WRITE;
        if (!isHeldUp()) {
            if (hasPackets && !isResuming) {
                isResuming = true;
                server.later(this::resume);
            } else if (!hasPackets && !inputEnded) {
                interest |= SelectionKey.OP_READ;
            }
        }
        server.watch(key, interest);
    }

    private void resume() {
        isResuming = false;
        guarded(this::pump);
    }
}
