package io.mhsld.cci;

import io.mhsld.cci.Component.Handler;
import java.util.EnumSet;
import java.util.Set;

/** One command of the component command interface: a row of {@link OpcodeTable}. */
public final class Opcode {
    /**
     * The input lengths that a command takes.
     *
     * @param min in bytes
     * @param max in bytes
     */
    public record InputLength(int min, int max) {
        boolean allows(int length) {
            return length >= min && length <= max;
        }
    }

    private final int code;
    private final String name;
    private final InputLength input;
    private final Set<CommandEffect> effects;
    private final Layout request;
    private final Layout response;
    private final boolean onlyMultiHeaded;
    private final Set<CciKind> kinds;
    private final boolean background;
    private final boolean needsMedia;
    private final Handler handler;

    private Opcode(Row row, Handler handler) {
        this.code = row.code;
        this.name = row.name;
        this.input = row.input;
        this.effects = row.effects;
        this.request = row.request;
        this.response = row.response;
        this.onlyMultiHeaded = row.onlyMultiHeaded;
        this.kinds = row.kinds;
        this.background = row.background;
        this.needsMedia = row.needsMedia;
        this.handler = handler;
    }

    /** Command set in bits 15:8, command in bits 7:0. */
    public int code() {
        return code;
    }

    /** The command's name in the specification. */
    public String name() {
        return name;
    }

    /** The input lengths that it takes. */
    public InputLength input() {
        return input;
    }

    /** What it may change. */
    public Set<CommandEffect> effects() {
        return effects;
    }

    /** Its input payload; a layout without fields when it has none. */
    public Layout request() {
        return request;
    }

    /** Its output payload; a layout without fields when it has none. */
    public Layout response() {
        return response;
    }

    /** True when only devices with more than one head have it. */
    public boolean isOnlyMultiHeaded() {
        return onlyMultiHeaded;
    }

    /** The interfaces that have it. */
    public Set<CciKind> kinds() {
        return kinds;
    }

    /** True when it is refused with Busy, whatever its input, while a background operation runs. */
    boolean isBackground() {
        return background;
    }

    /** True when it is refused with Media Disabled, whatever its input, while the media is disabled. */
    boolean needsMedia() {
        return needsMedia;
    }

    /** True when the length is right, also for as many entries as the input claims to have. */
    boolean takes(byte[] payload) {
        return input.allows(payload.length) && request.isHeldBy(payload);
    }

    Response run(Component component, byte[] payload) {
        return handler.handle(component, payload);
    }

    @Override
    public String toString() {
        return String.format("%04xh %s", code, name);
    }

    // ---- how a row is written

    static InputLength exactly(int length) {
        return new InputLength(length, length);
    }

    static InputLength between(int min, int max) {
        return new InputLength(min, max);
    }

    static InputLength atLeast(int min) {
        return new InputLength(min, Mailbox.MAX_PAYLOAD_BYTES);
    }

    static Row row(int code, String name, CommandEffect... effects) {
        return new Row(code, name, Set.of(effects));
    }

    static final class Row {
        private static final Layout NO_PAYLOAD = Layout.named("no payload", "").build();

        private final int code;
        private final String name;
        private final Set<CommandEffect> effects;
        private InputLength input = exactly(0);
        private Layout request = NO_PAYLOAD;
        private Layout response = NO_PAYLOAD;
        private boolean onlyMultiHeaded;
        private Set<CciKind> kinds = EnumSet.allOf(CciKind.class);
        private boolean background;
        private boolean needsMedia;

        private Row(int code, String name, Set<CommandEffect> effects) {
            this.code = code;
            this.name = name;
            this.effects = effects;
        }

        Row input(InputLength length, Layout layout) {
            input = length;
            request = layout;
            return this;
        }

        Row output(Layout layout) {
            response = layout;
            return this;
        }

        Row onlyMultiHeaded() {
            onlyMultiHeaded = true;
            return this;
        }

        /** Starts a background operation: Busy while one runs. */
        Row inBackground() {
            background = true;
            return this;
        }

        /** Does something to the media: Media Disabled while it is. */
        Row onMedia() {
            needsMedia = true;
            return this;
        }

        /** Only those interfaces have it; without this, all. */
        Row on(Set<CciKind> interfaces) {
            kinds = interfaces;
            return this;
        }

        /** For the interfaces of a head alone. */
        Opcode runsOnLd(LdComponent.Handler handler) {
            return on(CciKind.OF_A_HEAD).runs((component, input) -> handler.handle((LdComponent) component, input));
        }

        Opcode runs(Handler handler) {
            return new Opcode(this, handler);
        }
    }
}
