package io.mhsld.cli;

import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * The man page of a command, in roff with the macros of man(7), made from the same model as its help. Picocli's generator makes AsciiDoc, which
 * wants another program, bigger than this one, before a man can read it.
 */
final class ManPage {
    private static final int LINE_LENGTH = 78;

    private final StringBuilder roff = new StringBuilder();

    private ManPage() {}

    /** The page of {@code mhsld} itself. */
    static String ofProgram(VerbModel top, List<VerbModel> verbs) {
        ManPage page = new ManPage();
        page.begin(top, "the emulated CXL multi-headed device with dynamic capacity");
        page.macro("SH", "SYNOPSIS");
        page.roff.append("\\fBmhsld\\fR \\fIVERB\\fR [\\fIoption\\fR ...]\n");
        page.paragraphs("DESCRIPTION", top.description());
        page.macro("SH", "VERBS");
        for (VerbModel verb : verbs) {
            page.item("\\fB" + escaped(verb.name()) + "\\fR", first(verb));
        }
        page.options(top);
        page.exitCodes();
        page.seeAlso(verbs.stream().map(verb -> "mhsld-" + verb.name()).toList());
        return page.roff.toString();
    }

    /** The page of one verb. */
    static String ofVerb(VerbModel verb) {
        ManPage page = new ManPage();
        page.begin(verb, first(verb));
        page.macro("SH", "SYNOPSIS");
        page.roff.append("\\fBmhsld ").append(escaped(verb.name())).append("\\fR");
        for (VerbModel.Option option : verb.options()) {
            String text = named(option);
            page.roff
                    .append(' ')
                    .append(option.isRequired() ? text : "[" + text + "]")
                    .append(option.isRepeatable() ? "..." : "");
        }
        for (VerbModel.Parameter parameter : verb.parameters()) {
            String text = "\\fI" + escaped(parameter.label()) + "\\fR";
            page.roff
                    .append(' ')
                    .append(parameter.isRequired() ? text : "[" + text + "]")
                    .append(parameter.isRepeatable() ? "..." : "");
        }
        page.roff.append('\n');
        page.paragraphs("DESCRIPTION", verb.description());
        if (!verb.parameters().isEmpty()) {
            page.macro("SH", "ARGUMENTS");
            for (VerbModel.Parameter parameter : verb.parameters()) {
                page.item("\\fI" + escaped(parameter.label()) + "\\fR", parameter.description());
            }
        }
        page.options(verb);
        page.exitCodes();
        page.seeAlso(List.of("mhsld"));
        return page.roff.toString();
    }

    /** The file that the page of a command goes to. */
    static String fileOf(VerbModel command) {
        return command.qualifiedName().replace(' ', '-') + ".1";
    }

    private static String first(VerbModel verb) {
        return verb.description().get(0).replaceFirst("[.:]$", "");
    }

    private void begin(VerbModel command, String purpose) {
        String title = command.qualifiedName().replace(' ', '-');
        roff.append(".\\\" Made by `mhsld man` from the options that the program has.\n");
        macro(
                "TH",
                title.toUpperCase(Locale.ROOT),
                "1",
                LocalDate.now(ZoneOffset.UTC).toString(),
                "mhsld",
                "mhsld");
        macro("SH", "NAME");
        roff.append(escaped(title)).append(" \\-\n").append(filled(purpose)).append('\n');
    }

    private void paragraphs(String heading, List<String> lines) {
        macro("SH", heading);
        roff.append(filled(String.join(" ", lines))).append('\n');
    }

    private void options(VerbModel command) {
        macro("SH", "OPTIONS");
        for (VerbModel.Option option : command.options()) {
            String names = option.names().stream()
                    .map(name -> "\\fB" + escaped(name) + "\\fR")
                    .collect(Collectors.joining(", "));
            item(names + value(option), option.description());
        }
    }

    private static String named(VerbModel.Option option) {
        return "\\fB" + escaped(option.longestName()) + "\\fR" + value(option);
    }

    private static String value(VerbModel.Option option) {
        if (!option.takesValue()) {
            return "";
        }
        String value = "=\\fI" + escaped(option.label()) + "\\fR";
        return option.mayLackValue() ? "[" + value + "]" : value;
    }

    private void exitCodes() {
        macro("SH", "EXIT STATUS");
        Arrays.stream(ExitCode.values()).forEach(code -> item("\\fB" + code.number() + "\\fR", code.words()));
    }

    private void seeAlso(List<String> pages) {
        macro("SH", "SEE ALSO");
        roff.append(pages.stream()
                        .map(page -> "\\fB" + escaped(page) + "\\fR(1)")
                        .collect(Collectors.joining(",\n")))
                .append('\n');
    }

    private void item(String tag, String text) {
        roff.append(".TP\n").append(tag).append('\n').append(filled(text)).append('\n');
    }

    private void macro(String name, String... arguments) {
        roff.append('.').append(name);
        for (String argument : arguments) {
            roff.append(" \"").append(argument).append('"');
        }
        roff.append('\n');
    }

    /** Lines of a width that every tool likes, none of them begun by a control character; where they end means nothing. */
    private static String filled(String text) {
        StringBuilder lines = new StringBuilder();
        int length = 0;
        for (String word : escaped(text).split(" +")) {
            if (length > 0 && length + 1 + word.length() > LINE_LENGTH) {
                lines.append('\n');
                length = 0;
            }
            boolean isControl = length == 0 && (word.startsWith(".") || word.startsWith("'"));
            String piece = (length > 0 ? " " : "") + (isControl ? "\\&" : "") + word;
            lines.append(piece);
            length += piece.length();
        }
        return lines.toString();
    }

    private static String escaped(String text) {
        String roff = text.replace("\\", "\\e").replace("-", "\\-").replace("\"", "\\(dq");
        StringBuilder ascii = new StringBuilder();
        // Not every roff reads UTF-8.
        roff.codePoints()
                .forEach(character -> ascii.append(
                        character < 0x80 ? Character.toString(character) : String.format("\\[u%04X]", character)));
        return ascii.toString();
    }
}
