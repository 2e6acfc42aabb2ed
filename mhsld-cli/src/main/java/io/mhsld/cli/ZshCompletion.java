package io.mhsld.cli;

import io.mhsld.cli.VerbModel.Values;
import java.util.List;

/** A completion script for zsh, with what each verb and option is for. */
final class ZshCompletion {
    private static final String BEGIN = """
            #compdef mhsld
            # zsh completion of mhsld, made by `mhsld completion zsh`: put it as _mhsld into a folder of $fpath, or
            # source <(mhsld completion zsh) after compinit.

            _mhsld_devices() {
                local -a devices
                local lock
                for lock in FOLDER/*.lock(N); do
                    [[ -e ${lock%.lock} ]] && devices+=(${lock:t:r})
                done
                if [[ $PREFIX == */* ]]; then
                    _files
                else
                    compadd -a devices
                fi
            }

            _mhsld_heads() {
                local -a heads
                local word socket
                for word in ${words[2,-1]}; do
                    [[ $word == -* ]] && continue
                    [[ $word == */* ]] || word=FOLDER/$word
                    for socket in $word.head*.sock(N); do
                        heads+=(${${socket##*.head}%.sock})
                    done
                done
                compadd -a heads
            }

            _mhsld() {
                local context state state_descr line
                typeset -A opt_args
            """;

    private ZshCompletion() {}

    static String of(VerbModel top, List<VerbModel> verbs) {
        StringBuilder script = new StringBuilder(BEGIN.replace("FOLDER", VerbModel.deviceFolder()));
        script.append("    _arguments -C \\\n");
        top.options().forEach(option -> options(script, 2, option));
        script.append("        '1:verb:->verb' \\\n        '*::argument:->argument'\n");
        script.append("    case $state in\n        verb)\n            local -a verbs\n            verbs=(\n");
        for (VerbModel verb : verbs) {
            script.append("                '")
                    .append(verb.name())
                    .append(':')
                    .append(quoted(String.join(" ", verb.description())))
                    .append("'\n");
        }
        script.append("            )\n            _describe -t verbs verb verbs\n            ;;\n");
        script.append("        argument)\n            case $words[1] in\n");
        for (VerbModel verb : verbs) {
            script.append("                ").append(verb.name()).append(")\n                    _arguments \\\n");
            verb.options().forEach(option -> options(script, 6, option));
            for (VerbModel.Parameter parameter : verb.parameters()) {
                script.append("                        '")
                        .append(parameter.isRepeatable() ? "*" : "")
                        .append(parameter.isRepeatable() || parameter.isRequired() ? ":" : "::")
                        .append(escaped(parameter.label()))
                        .append(':')
                        .append(actionOf(parameter.values()))
                        .append("' \\\n");
            }
            script.append("                        && return 0\n                    ;;\n");
        }
        script.append("            esac\n            ;;\n    esac\n}\n\n");
        script.append("""
                # Sourced, it makes itself known; found through $fpath, it is called.
                if [[ ${funcstack[1]} == _mhsld ]]; then
                    _mhsld "$@"
                elif (($+functions[compdef])); then
                    compdef _mhsld mhsld
                fi
                """);
        return script.toString();
    }

    private static void options(StringBuilder script, int depth, VerbModel.Option option) {
        for (String name : option.names()) {
            script.append("    ".repeat(depth)).append('\'');
            if (option.isRepeatable()) {
                script.append('*');
            } else if (option.names().size() > 1) {
                script.append('(').append(String.join(" ", option.names())).append(')');
            }
            script.append(name);
            if (option.takesValue()) {
                script.append(name.startsWith("--") ? "=" : "");
            }
            script.append('[').append(quoted(option.description())).append(']');
            if (option.takesValue()) {
                script.append(option.mayLackValue() ? "::" : ":")
                        .append(escaped(option.label()))
                        .append(':')
                        .append(actionOf(option.values()));
            }
            script.append("' \\\n");
        }
    }

    private static String actionOf(Values values) {
        if (values instanceof Values.Words words) {
            return "(" + String.join(" ", words.words()) + ")";
        }
        if (values instanceof Values.Devices) {
            return "_mhsld_devices";
        }
        if (values instanceof Values.Heads) {
            return "_mhsld_heads";
        }
        return values instanceof Values.Files ? "_files" : " ";
    }

    /** Within single quotes and brackets. */
    private static String quoted(String text) {
        return escaped(text).replace("[", "\\[").replace("]", "\\]");
    }

    private static String escaped(String text) {
        return text.replace("\\", "\\\\").replace(":", "\\:").replace("'", "'\\''");
    }
}
