#include "driver/options/completion.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "driver/model/version.h"

namespace parity::driver {
namespace {

/// The value is a file's name.
bool takes_file(const OptionSpec& option) { return option.value_name == "FILE" || option.value_name == kStateValue; }

/// Every command has these beside its own.
std::vector<OptionSpec> with_common(const CommandSpec& command) {
    std::vector<OptionSpec> options = command.options;
    if (!options.empty())
        options.push_back({"config",
                           OptionKind::kText,
                           "FILE",
                           "Other",
                           "TOML file with these options, without the dashes; the command line wins over it",
                           {}});
    options.push_back({"help", OptionKind::kFlag, {}, "Other", "print this help and exit", {}, false, 'h'});
    return options;
}

std::vector<std::string> names_of(const std::vector<CommandSpec>& commands) {
    std::vector<std::string> names;
    for (const CommandSpec& command : commands) names.push_back(command.name);
    return names;
}

std::string words_of(const OptionSpec& option) {
    return (option.letter ? fmt::format("-{} ", option.letter) : "") + "--" + option.name;
}

/// In single quotes for a shell, with the characters that _arguments takes for its own escaped.
std::string zsh_text(const std::string& text) {
    std::string safe;
    for (char c : text) {
        if (c == '\'') safe += "'\\'";
        if (c == '[' || c == ']' || c == ':' || c == '\\') safe += '\\';
        safe += c;
    }
    return safe;
}

/// Text of man(7): a backslash and a leading dot or quote mean themselves, and a hyphen is one that can be copied.
std::string man_text(const std::string& text) {
    std::string safe;
    for (char c : text) {
        if (c == '\\')
            safe += "\\e";
        else if (c == '-')
            safe += "\\-";
        else
            safe += c;
        if (c == '\n') safe += "\\&";
    }
    return "\\&" + safe;
}

std::string man_option(const OptionSpec& option) {
    std::string names = option.letter ? fmt::format("\\fB\\-{}\\fR, ", option.letter) : "";
    names += fmt::format("\\fB{}\\fR", man_text("--" + option.name));
    if (!option.value_name.empty()) names += fmt::format(" \\fI{}\\fR", man_text(option.value_name));
    return fmt::format(".TP\n{}\n{}\n", names, man_text(option.help));
}

}  // namespace

std::string bash_completion(const std::vector<CommandSpec>& commands) {
    std::string cases;
    for (const CommandSpec& command : commands) {
        std::vector<std::string> words, files, choices;
        for (const OptionSpec& option : with_common(command)) {
            words.push_back(words_of(option));
            std::string pattern = (option.letter ? fmt::format("-{}|", option.letter) : "") + "--" + option.name;
            if (takes_file(option)) files.push_back(pattern);
            if (!option.choices.empty())
                choices.push_back(
                    fmt::format("            {}) COMPREPLY=($(compgen -W '{}' -- \"$word\")); return ;;\n", pattern,
                                fmt::join(option.choices, " ")));
        }
        std::string values = fmt::format("{}", fmt::join(choices, ""));
        if (!files.empty())
            values += fmt::format("            {}) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n",
                                  fmt::join(files, "|"));
        const std::string others =
            command.name == "help" ? fmt::format("{} ", fmt::join(names_of(commands), " ")) : std::string();
        cases += fmt::format(
            "    {}) case $before in\n{}        esac\n        COMPREPLY=($(compgen -W '{}{}' -- \"$word\")) ;;\n",
            command.name, values, others, fmt::join(words, " "));
    }
    return fmt::format(
        "# bash completion of pgparity {}\n"
        "_pgparity() {{\n"
        "    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}\n"
        "    COMPREPLY=()\n"
        "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
        "        COMPREPLY=($(compgen -W '{} --help --version' -- \"$word\"))\n"
        "        return\n"
        "    fi\n"
        "    case ${{COMP_WORDS[1]}} in\n"
        "{}"
        "    esac\n"
        "}}\n"
        "complete -F _pgparity pgparity\n",
        kVersion, fmt::join(names_of(commands), " "), cases);
}

std::string zsh_completion(const std::vector<CommandSpec>& commands) {
    std::string described, cases;
    for (const CommandSpec& command : commands) {
        described += fmt::format("        '{}:{}'\n", command.name, zsh_text(command.summary));
        std::string arguments;
        for (const OptionSpec& option : with_common(command)) {
            const std::string repeated = option.kind == OptionKind::kList ? "*" : "";
            std::string value;
            if (!option.choices.empty())
                value = fmt::format(":{}:({})", zsh_text(option.value_name), fmt::join(option.choices, " "));
            else if (takes_file(option))
                value = ":file:_files";
            else if (option.kind != OptionKind::kFlag)
                value = fmt::format(":{}: ", zsh_text(option.value_name));
            const std::string tail = fmt::format("[{}]{}", zsh_text(option.help), value);
            arguments += fmt::format(" \\\n                '{}--{}{}'", repeated, option.name, tail);
            if (option.letter)
                arguments += fmt::format(" \\\n                '{}-{}{}'", repeated, option.letter, tail);
        }
        if (command.name == "help")
            arguments += fmt::format(" \\\n                '1:command:({})'", fmt::join(names_of(commands), " "));
        cases +=
            fmt::format("            {})\n                _arguments{}\n                ;;\n", command.name, arguments);
    }
    return fmt::format(
        "#compdef pgparity\n"
        "# zsh completion of pgparity {}\n"
        "_pgparity() {{\n"
        "    local -a commands\n"
        "    commands=(\n{}    )\n"
        "    local context state line\n"
        "    _arguments -C '--help[print this help and exit]' '--version[print the version and exit]' "
        "'1:command:->command' '*::argument:->argument'\n"
        "    case $state in\n"
        "        command) _describe command commands ;;\n"
        "        argument) case $words[1] in\n{}        esac ;;\n"
        "    esac\n"
        "}}\n"
        "if [ \"$funcstack[1]\" = _pgparity ]; then _pgparity \"$@\"; else compdef _pgparity pgparity; fi\n",
        kVersion, described, cases);
}

std::string man_page(const std::vector<CommandSpec>& commands) {
    std::string page = fmt::format(
        ".TH PGPARITY 1 \"\" \"pgparity {}\" \"User Commands\"\n"
        ".SH NAME\npgparity \\- find out whether two databases hold the same data\n"
        ".SH SYNOPSIS\n",
        kVersion);
    for (const CommandSpec& command : commands) {
        std::string arguments = command.options.empty() ? "" : " [\\fIoption\\fR]...";
        for (const std::string& name : command.positional) {
            std::string upper = name;
            std::transform(upper.begin(), upper.end(), upper.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
            arguments += fmt::format(" \\fI{}\\fR", upper);
        }
        if (!command.argument.empty()) arguments += fmt::format(" [\\fI{}\\fR]", command.argument);
        page += fmt::format("\\fBpgparity {}\\fR{}\n.br\n", command.name, arguments);
    }
    page +=
        ".SH DESCRIPTION\n"
        "pgparity answers whether two PostgreSQL databases hold the same data and, if not, where not: in which tables, "
        "key ranges, columns and rows. Only digests cross the network where both have the extension pg_parity. "
        "Otherwise rows are streamed.\n";
    for (const CommandSpec& command : commands) {
        page += fmt::format(".SH \"PGPARITY {}\"\n{}.\n", command.name, man_text(command.summary));
        std::string group;
        for (const OptionSpec& option : with_common(command)) {
            if (option.group != group) page += fmt::format(".SS \"{}\"\n", option.group);
            group = option.group;
            page += man_option(option);
        }
        if (!command.footer.empty()) page += fmt::format(".PP\n.nf\n{}\n.fi\n", man_text(command.footer));
    }
    return page;
}

}  // namespace parity::driver
