package io.mhsld.mctp;

import java.util.Map;
import java.util.Optional;

/** MCTP control messages (DSP0236 12): what an endpoint must answer about itself. The endpoint id that it was given lasts as long as the process. */
final class MctpControl {
    /** Message types that are answered besides control messages (DSP0239): CXL FM-API and CXL CCI. */
    static final int FM_API = 0x07;

    static final int CCI = 0x08;

    /** Control messages themselves. */
    static final int TYPE = 0x00;

    // Offsets in a message, its type included.
    private static final int INSTANCE = 1;
    private static final int COMMAND = 2;
    private static final int DATA = 3;

    private static final int REQUEST = 0x80;
    private static final int DATAGRAM = 0x40;
    private static final int INSTANCE_MASK = 0x1F;

    // Completion codes (table 13).
    private static final byte SUCCESS = 0x00;
    private static final byte INVALID_DATA = 0x02;
    private static final byte UNSUPPORTED = 0x05;
    private static final byte NO_SUCH_TYPE = (byte) 0x80;

    private static final int FIRST_EID = 0x08;
    private static final int BROADCAST_EID = 0xFF;

    private static final byte[] BASE_VERSION = {1, (byte) 0xF1, (byte) 0xF3, (byte) 0xF1, 0};
    private static final byte[] BINDING_VERSION = {1, (byte) 0xF1, (byte) 0xF0, (byte) 0xFF, 0};

    private interface Handler {
        byte[] handle(MctpControl control, byte[] message);
    }

    /** By command: the completion code, and after success the data. */
    private static final Map<Integer, Handler> COMMANDS = Map.of(
            0x01, MctpControl::setEndpointId,
            0x02, (control, message) -> new byte[] {SUCCESS, (byte) control.endpointId, 0, 0},
            0x04, (control, message) -> version(message[DATA] & 0xFF),
            0x05, (control, message) -> new byte[] {SUCCESS, 2, FM_API, CCI});

    private int endpointId;

    /** 0 until somebody has set one. */
    int endpointId() {
        return endpointId;
    }

    /** The answer to a control message; empty for one that wants none. */
    Optional<byte[]> answer(MctpMessage message) {
        byte[] bytes = message.bytes();
        if ((bytes[INSTANCE] & REQUEST) == 0 || (bytes[INSTANCE] & DATAGRAM) != 0) {
            return Optional.empty();
        }
        Handler handler = COMMANDS.getOrDefault(bytes[COMMAND] & 0xFF, (control, request) -> new byte[] {UNSUPPORTED});
        byte[] outcome = handler.handle(this, bytes);
        byte[] answer = new byte[DATA + outcome.length];
        answer[INSTANCE] = (byte) (bytes[INSTANCE] & INSTANCE_MASK);
        answer[COMMAND] = bytes[COMMAND];
        System.arraycopy(outcome, 0, answer, DATA, outcome.length);
        return Optional.of(answer);
    }

    /** Set and force are the same here; there is no static id to go back to, and no discovery to take part in. */
    private byte[] setEndpointId(byte[] message) {
        int operation = message[DATA] & 3;
        int wanted = message[DATA + 1] & 0xFF;
        if (operation > 1 || wanted < FIRST_EID || wanted == BROADCAST_EID) {
            return new byte[] {INVALID_DATA};
        }
        endpointId = wanted;
        return new byte[] {SUCCESS, 0, (byte) wanted, 0};
    }

    private static byte[] version(int type) {
        byte[] versions = switch (type) {
            case 0xFF, TYPE -> BASE_VERSION;
            case FM_API, CCI -> BINDING_VERSION;
            default -> new byte[0];
        };
        byte[] outcome = new byte[1 + versions.length];
        outcome[0] = versions.length == 0 ? NO_SUCH_TYPE : SUCCESS;
        System.arraycopy(versions, 0, outcome, 1, versions.length);
        return outcome;
    }
}
