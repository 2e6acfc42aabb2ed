package io.mhsld.cli;

import io.mhsld.cli.VerbModel.Values;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A completion script for bash. Options and their values come from the model; devices and their heads are looked for when the key is pressed.
 * Picocli's own generator is not used, for its scripts know no words that are found at that moment.
 */
final class BashCompletion {
    private static final String HELPERS = """
            # bash completion of mhsld, made by `mhsld completion bash`.
            # eval "$(mhsld completion bash)", or put it where your bash looks for completions.

            _mhsld_devices() {
                local lock
                for lock in FOLDER/*.lock; do
                    [[ -e ${lock%.lock} ]] && printf '%s\\n' "$(basename "$lock" .lock)"
                done
            }

            _mhsld_heads() {
                local device=$1 socket
                [[ $device == */* ]] || device=FOLDER/$device
                for socket in "$device".head*.sock; do
                    [[ -e $socket ]] && socket=${socket##*.head} && printf '%s\\n' "${socket%.sock}"
                done
            }

            _mhsld_is_one_of() {
                [[ " $2 " == *" $1 "* ]]
            }

            _mhsld() {
                local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
                local verb='' device='' position=0 i values=none options='' valued='' words=''
                # Bash takes --name=value for three words.
                if [[ $word == = ]]; then
                    word=''
                elif [[ $before == = && COMP_CWORD -ge 2 ]]; then
                    before=${COMP_WORDS[COMP_CWORD - 2]}
                fi
                COMPREPLY=()
            """;

    private static final String END = """
                case $values in
                    devices)
                        if [[ $word == */* ]]; then
                            values=files
                        else
                            words=$(_mhsld_devices)
                        fi
                        ;;
                    heads) words=$(_mhsld_heads "$device") ;;
                esac
                if [[ $values == files ]]; then
                    mapfile -t COMPREPLY < <(compgen -f -- "$word")
                    compopt -o filenames 2>/dev/null
                elif [[ $values == none && $word == -* ]]; then
                    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
                else
                    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
                fi
            }

            complete -F _mhsld mhsld
            """;

    private BashCompletion() {}

    static String of(VerbModel top, List<VerbModel> verbs) {
        StringBuilder script = new StringBuilder(HELPERS.replace("FOLDER", VerbModel.deviceFolder()));
        line(script, 1, "local verbs='" + verbs.stream().map(VerbModel::name).collect(Collectors.joining(" ")) + "'");
        line(script, 1, "for ((i = 1; i < COMP_CWORD; i++)); do");
        line(script, 2, "[[ ${COMP_WORDS[i]} != -* ]] && verb=${COMP_WORDS[i]} && break");
        line(script, 1, "done");
        line(script, 1, "case $verb in");
        line(script, 2, "'')");
        line(script, 3, "options='" + optionsOf(top) + "'");
        line(script, 3, "words=$verbs");
        line(script, 3, ";;");
        for (VerbModel verb : verbs) {
            line(script, 2, verb.name() + ")");
            line(script, 3, "options='" + optionsOf(verb) + "'");
            line(script, 3, "valued='" + valuedOf(verb) + "'");
            line(script, 3, ";;");
        }
        line(script, 1, "esac");
        // Which positional word is it, and which device does the line speak of?
        line(script, 1, "for ((i++; i < COMP_CWORD; i++)); do");
        line(script, 2, "if [[ ${COMP_WORDS[i]} == -* ]]; then");
        line(script, 3, "[[ ${COMP_WORDS[i + 1]} == = ]] && ((i += 2)) && continue");
        line(script, 3, "_mhsld_is_one_of \"${COMP_WORDS[i]}\" \"$valued\" && ((i++))");
        line(script, 2, "elif [[ ${COMP_WORDS[i]} != = ]]; then");
        line(script, 3, "[[ -n $device ]] || device=${COMP_WORDS[i]}");
        line(script, 3, "((position++))");
        line(script, 2, "fi");
        line(script, 1, "done");
        line(script, 1, "if [[ -n $verb ]] && _mhsld_is_one_of \"$before\" \"$valued\"; then");
        line(script, 2, "values=words");
        line(script, 2, "case \"$verb $before\" in");
        for (VerbModel verb : verbs) {
            for (VerbModel.Option option : verb.options()) {
                String action = actionOf(option.values());
                if (option.takesValue() && !action.isEmpty()) {
                    String names = option.names().stream()
                            .map(name -> "'" + verb.name() + " " + name + "'")
                            .collect(Collectors.joining(" | "));
                    line(script, 3, names + ") " + action + " ;;");
                }
            }
        }
        line(script, 2, "esac");
        line(script, 1, "elif [[ -n $verb && $word != -* ]]; then");
        line(script, 2, "case \"$verb $position\" in");
        for (VerbModel verb : verbs) {
            List<VerbModel.Parameter> parameters = verb.parameters();
            for (int i = 0; i < parameters.size(); i++) {
                String action = actionOf(parameters.get(i).values());
                if (!action.isEmpty()) {
                    line(script, 3, "'" + verb.name() + " " + i + "') " + action + " ;;");
                }
            }
        }
        line(script, 2, "esac");
        line(script, 1, "fi");
        return script.append(END).toString();
    }

    private static void line(StringBuilder script, int depth, String text) {
        script.append("    ".repeat(depth)).append(text).append('\n');
    }

    private static String optionsOf(VerbModel verb) {
        return verb.options().stream()
                .flatMap(option -> option.names().stream())
                .collect(Collectors.joining(" "));
    }

    /** Those whose value is the next word. */
    private static String valuedOf(VerbModel verb) {
        return verb.options().stream()
                .filter(VerbModel.Option::takesValue)
                .flatMap(option -> option.names().stream())
                .collect(Collectors.joining(" "));
    }

    private static String actionOf(Values values) {
        if (values instanceof Values.Words words) {
            return "values=words words='" + String.join(" ", words.words()) + "'";
        }
        if (values instanceof Values.Devices) {
            return "values=devices";
        }
        if (values instanceof Values.Heads) {
            return "values=heads";
        }
        return values instanceof Values.Files ? "values=files" : "";
    }
}
