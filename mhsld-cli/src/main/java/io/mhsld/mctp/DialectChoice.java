package io.mhsld.mctp;

import io.mhsld.cci.CciDialect;
import io.mhsld.cci.CciMessage;
import java.util.Locale;
import java.util.Optional;

/**
 * Which dialect the clients of an address speak: always the same one, or each what its messages show.
 *
 * <p>What a message can show, the strongest sign first:
 *
 * <ol>
 *   <li>a tunnelled command (5300h): behind its 4 bytes stands a message type, or a header at once, and the lengths fit one of the two only;
 *   <li>the two bytes for the vendor's status, which libcxlmi fills in requests as well;
 *   <li>a generic command in a message of type 7, which is for the fabric manager's commands: jack sends all commands so;
 *   <li>message type 7 from endpoint 0 to endpoint 0, which are jack's while nobody has given any.
 * </ol>
 *
 * A client is taken for what its strongest sign so far says. Without any sign it is taken for a standard one: so a jack that has been given endpoint
 * ids, and begins with a command of the fabric manager that is no tunnel, cannot be told from a client that follows the standard and leaves the
 * vendor's status empty; and such a client that uses endpoint 0 cannot be told from jack.
 */
public enum DialectChoice {
    /** By the signs. */
    AUTO,
    /** {@link CciDialect#STANDARD}. */
    STANDARD,
    /** {@link CciDialect#JACK}. */
    JACK;

    private static final int TUNNEL = 0x5300;
    private static final int TUNNEL_HEADER = 4;

    /** Command sets from here on are the fabric manager's. */
    private static final int FIRST_FABRIC_OPCODE = 0x5100;

    /** The word of the command line; empty when there is no such choice. */
    public static Optional<DialectChoice> of(String word) {
        for (DialectChoice choice : values()) {
            if (choice.toString().equals(word)) {
                return Optional.of(choice);
            }
        }
        return Optional.empty();
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** What a message shows: how strong the sign is, 0 for none. */
    record Sign(int strength, CciDialect dialect) {
        static final Sign NONE = new Sign(0, CciDialect.STANDARD);

        Sign or(Sign later) {
            return later.strength >= strength && later.strength > 0 ? later : this;
        }
    }

    /** What this message shows. */
    static Sign signOf(MctpMessage message, CciMessage command) {
        if (command.opcode() == TUNNEL) {
            Optional<CciDialect> dialect = dialectOfTunnel(command.payload());
            if (dialect.isPresent()) {
                return new Sign(4, dialect.get());
            }
        }
        if (command.vendorStatus() != 0) {
            return new Sign(3, CciDialect.STANDARD);
        }
        if (message.type() != MctpControl.FM_API) {
            return Sign.NONE;
        }
        if (command.opcode() < FIRST_FABRIC_OPCODE) {
            return new Sign(2, CciDialect.JACK);
        }
        return message.source() == 0 && message.destination() == 0 ? new Sign(1, CciDialect.JACK) : Sign.NONE;
    }

    private static Optional<CciDialect> dialectOfTunnel(byte[] payload) {
        if (isMessageAt(payload, TUNNEL_HEADER)) {
            return Optional.of(CciDialect.STANDARD);
        }
        boolean isTyped = payload.length > TUNNEL_HEADER
                && (payload[TUNNEL_HEADER] == MctpControl.CCI || payload[TUNNEL_HEADER] == MctpControl.FM_API);
        return isTyped && isMessageAt(payload, TUNNEL_HEADER + 1) ? Optional.of(CciDialect.JACK) : Optional.empty();
    }

    private static boolean isMessageAt(byte[] payload, int start) {
        if (payload.length < start + CciMessage.HEADER_BYTES) {
            return false;
        }
        CciMessage inner = CciMessage.read(payload, start, payload.length);
        return inner.isRequest() && inner.lengthBytes() == payload.length - start - CciMessage.HEADER_BYTES;
    }

    /** The dialect to answer in. */
    CciDialect dialect(Sign strongest) {
        return switch (this) {
            case AUTO -> strongest.dialect;
            case STANDARD -> CciDialect.STANDARD;
            case JACK -> CciDialect.JACK;
        };
    }
}
