package io.mhsld.stress.conformance;

import io.mhsld.stress.conformance.Target.Via;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * One row of the tables: one command, what it must come to, and what may be seen of it afterwards.
 *
 * @param vias the interfaces that are to be tried, each by itself
 * @param steps the command, then what is looked at
 */
record Row(int opcode, String name, Set<Via> vias, Given given, List<Step> steps) {
    /** What the device is like before. */
    enum Given {
        /** Nothing is offered, nothing accepted, the dynamic-capacity log is empty. */
        NOTHING,
        /** One group is offered: blocks 0 and 1, and block 4, of the first region. */
        OFFERED,
        /** Blocks 0 and 1 are accepted. */
        ACCEPTED,
        /** Nothing is, and there is a region that can be shared. */
        SHAREABLE,
        /** Two blocks of that region are accepted with a tag. */
        SHARED
    }

    /**
     * A command and its answer.
     *
     * @param codes return codes that are right
     * @param checks of the output; made for the first code only
     */
    record Step(int opcode, String request, Set<Integer> codes, List<String> checks) {}

    static final Set<Via> HEAD = EnumSet.of(Via.MAILBOX, Via.LD);
    static final Set<Via> FM = EnumSet.of(Via.FM);
    static final Set<Via> MESSAGES = EnumSet.of(Via.LD, Via.FM);
    static final Set<Via> ALL = EnumSet.allOf(Via.class);

    /** True when the row is about the command's success. */
    boolean isAboutSuccess() {
        return steps.get(0).codes.contains(0) || steps.get(0).codes.contains(1);
    }

    /** Begins a row. */
    static Writer row(int opcode, Set<Via> vias, String name) {
        return new Writer(opcode, vias, name);
    }

    /** Writes a row from left to right. */
    static final class Writer {
        private final int opcode;
        private final String name;
        private final Set<Via> vias;
        private Given given = Given.NOTHING;
        private final List<Step> steps = new ArrayList<>();
        private int stepOpcode;
        private String request = "";

        private Writer(int opcode, Set<Via> vias, String name) {
            this.opcode = opcode;
            this.name = name;
            this.vias = vias;
            this.stepOpcode = opcode;
        }

        Writer given(Given state) {
            given = state;
            return this;
        }

        Writer send(String text) {
            request = text;
            return this;
        }

        /** Sends, and wants success. */
        Writer succeeds(String... checks) {
            return comesTo(Set.of(0), checks);
        }

        /** Sends, and wants one of these codes. */
        Writer comesTo(Set<Integer> codes, String... checks) {
            steps.add(new Step(stepOpcode, request, codes, List.of(checks)));
            return this;
        }

        /** Looks at something afterwards. */
        Writer then(int nextOpcode, String text) {
            stepOpcode = nextOpcode;
            request = text;
            return this;
        }

        /** The end of a row that wants a refusal. */
        Row refused(Integer... codes) {
            return comesTo(Set.of(codes)).end();
        }

        /** The end of a row. */
        Row end() {
            return new Row(opcode, name, vias, given, List.copyOf(steps));
        }
    }
}
