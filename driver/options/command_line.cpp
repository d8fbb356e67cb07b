#include "driver/options/command_line.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "driver/model/error.h"
#include "driver/model/version.h"
#include "driver/options/config_file.h"
#include "driver/options/kept_options.h"
#include "driver/options/suggestion.h"

namespace parity::driver {

namespace {

/// What --help fits into.
constexpr std::size_t kHelpColumns = 80;
constexpr std::size_t kNameColumns = 30;

constexpr const char* kDescription =
    "pgparity answers whether two PostgreSQL databases hold the same data and,\n"
    "if not, where not. Only digests cross the network where both have the extension\n"
    "pg_parity; otherwise rows are streamed.";

/// The text on lines of so many characters, unless a word is longer.
std::string wrapped(const std::string& text, std::size_t columns) {
    std::string lines;
    std::size_t begin = 0;
    for (std::size_t at = 0, line = 0; at < text.size(); at = begin) {
        begin = std::min(text.find(' ', at), text.size() - 1) + 1;
        const std::size_t word = begin - at - (text[begin - 1] == ' ');
        if (line > 0 && line + word > columns) {
            lines.back() = '\n';
            line = 0;
        }
        lines.append(text, at, begin - at);
        line += begin - at;
    }
    return lines;
}

/// What CLI11 fills: per option how often it was given and with which values.
struct GivenValues {
    std::vector<std::string> values;
    CLI::Option* option = nullptr;
};

[[noreturn]] void refuse(const std::string& message, const std::string& hint) {
    throw Error(ErrorKind::kUsage, message, hint);
}

/// An argument as it may be printed: a connection string may hold a password.
std::string harmless(const std::string& argument) {
    const bool is_option = argument.starts_with("-");
    const std::string shown = is_option ? argument.substr(0, argument.find('=')) : argument;
    return shown.find_first_of(":=@ ") == std::string::npos ? fmt::format(" \"{}\"", shown) : "";
}

constexpr const char* kQuoteHint = "put each connection string into quotes: 'host=old dbname=shop'";

/// What stands before the "=" in connection strings, as people write them. Options are read without libpq, which knows
/// all of them; one that is not here costs a hint.
constexpr std::array<std::string_view, 21> kConninfoKeywords = {"application_name",
                                                                "channel_binding",
                                                                "client_encoding",
                                                                "connect_timeout",
                                                                "dbname",
                                                                "gssencmode",
                                                                "host",
                                                                "hostaddr",
                                                                "keepalives",
                                                                "options",
                                                                "passfile",
                                                                "password",
                                                                "port",
                                                                "service",
                                                                "sslcert",
                                                                "sslcrl",
                                                                "sslkey",
                                                                "sslmode",
                                                                "sslrootcert",
                                                                "target_session_attrs",
                                                                "user"};

/// Whether an argument is one setting of a connection string that the shell has divided. In quotes there would be
/// more than one, with blanks between them.
bool is_piece_of_conninfo(const std::string& argument) {
    const std::size_t sign = argument.find('=');
    if (sign == std::string::npos || argument.find(' ') != std::string::npos) return false;
    return std::find(kConninfoKeywords.begin(), kConninfoKeywords.end(), argument.substr(0, sign)) !=
           kConninfoKeywords.end();
}

/// `known` are the words that may stand there.
void refuse_extras(const std::vector<std::string>& extras, std::string_view what, const std::vector<std::string>& known,
                   const std::string& hint) {
    if (extras.empty()) return;
    const std::string& first = extras.front();
    const std::string meant = suggestion(first.substr(0, first.find('=')), known);
    refuse(fmt::format("{}{}", first.starts_with("-") ? "unknown option" : what, harmless(first)),
           meant.empty() ? hint : fmt::format("{} {}", meant, hint));
}

/// A command as CLI11 parses it.
class ParsedCommand {
  public:
    ParsedCommand(CLI::App& app, const CommandSpec& spec)
        : spec_(spec), app_(app.add_subcommand(spec.name, spec.summary)) {
        app_->footer(spec.footer);
        app_->allow_extras();
        app_->get_formatter()->column_width(kNameColumns);
        for (const OptionSpec& option : spec.options) add(option);
        if (!spec.options.empty()) {
            app_->add_option("--config", config_,
                             wrapped("TOML file with these options, without the dashes; the command line wins over it",
                                     kHelpColumns - kNameColumns))
                ->type_name("FILE")
                ->group("Other");
        }
        if (!spec.argument.empty()) app_->add_option(spec.argument, argument_, "")->type_name("");
        for (const std::string& name : spec.positional) {
            auto& [value, option] = positional_[name];
            option = app_->add_option(upper(name), value, fmt::format("the same as --{}", name))->type_name("");
        }
    }

    CLI::App& app() { return *app_; }
    const CommandSpec& spec() const { return spec_; }
    bool parsed() const { return app_->parsed(); }

    CommandLine collect() const {
        const std::vector<std::string> extras = app_->remaining();
        const bool is_divided = !extras.empty() && is_piece_of_conninfo(extras.front());
        refuse_extras(extras, "unexpected argument", names(), is_divided ? kQuoteHint : hint());
        CommandLine line;
        line.command = spec_.name;
        line.argument = argument_;
        Config config;
        if (!config_.empty()) config = read_config_file(config_, spec_.options);
        for (const OptionSpec& option : spec_.options) take(option, config.options, line.options);
        take_tables(config, line.options);
        return line;
    }

    std::string hint() const { return fmt::format("pgparity {} --help lists the options", spec_.name); }

  private:
    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const OptionSpec& option : spec_.options) names.push_back("--" + option.name);
        return names;
    }

    static std::string upper(std::string name) {
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        return name;
    }

    void add(const OptionSpec& spec) {
        GivenValues& entry = given_[spec.name];
        const std::string name = (spec.letter ? fmt::format("-{},", spec.letter) : "") + "--" + spec.name;
        const std::string help = wrapped(spec.help, kHelpColumns - kNameColumns);
        if (spec.kind == OptionKind::kFlag) {
            entry.option = app_->add_flag(name, help);
        } else {
            entry.option = app_->add_option(name, entry.values, help)
                               ->type_name(spec.value_name)
                               ->expected(1)
                               ->allow_extra_args(false)
                               ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        }
        entry.option->group(spec.group);
    }

    void take(const OptionSpec& spec, const std::map<std::string, ConfigValue>& config, Options& options) const {
        const GivenValues& entry = given_.at(spec.name);
        const auto from_file = config.find(spec.name);
        const bool here = entry.option->count() > 0;
        const auto unnamed = positional_.find(spec.name);
        if (unnamed != positional_.end() && unnamed->second.second->count() > 0) {
            if (here)
                refuse(fmt::format("the {0} is given twice: as --{0} and without a name", spec.name),
                       is_piece_of_conninfo(unnamed->second.first) ? kQuoteHint : hint());
            return spec.apply(options, {unnamed->second.first});
        }
        if (!here && from_file == config.end()) {
            if (spec.required) refuse(fmt::format("--{} is missing", spec.name), hint());
            return;
        }
        if (here)
            apply(options, spec, entry.values);
        else
            apply_config(options, spec, from_file->second);
        const std::vector<std::string>& values = here ? entry.values : from_file->second.values;
        const bool may_hold_password =
            spec.value_name == kConninfoValue || (spec.value_name == kStateValue && names_database(values.front()));
        if (!may_hold_password) options.given[spec.name] = values;
    }

    /// The command line's --where and --ranges win over what the file says of single tables, too.
    void take_tables(const Config& config, Options& options) const {
        const auto is_given = [&](const char* name) {
            const auto entry = given_.find(name);
            return entry != given_.end() && entry->second.option->count() > 0;
        };
        for (TableSetting setting : config.tables) {
            if (is_given("where")) setting.where.clear();
            if (is_given("ranges")) setting.ranges.reset();
            options.table_settings.push_back(std::move(setting));
        }
    }

    void apply(Options& options, const OptionSpec& spec, const std::vector<std::string>& values) const {
        if (spec.kind != OptionKind::kList && spec.kind != OptionKind::kFlag && values.size() != 1)
            refuse(fmt::format("--{} is given more than once", spec.name), hint());
        spec.apply(options, values);
    }

    static void apply_config(Options& options, const OptionSpec& spec, const ConfigValue& value) {
        try {
            spec.apply(options, value.values);
        } catch (const Error& error) {
            throw Error(error.kind(), fmt::format("{}: {}", value.location, error.what()), error.hint());
        }
    }

    const CommandSpec& spec_;
    CLI::App* app_;
    std::map<std::string, GivenValues> given_;
    std::string config_;
    std::string argument_;
    std::map<std::string, std::pair<std::string, CLI::Option*>> positional_;
};

/// The program as CLI11 parses it.
class Parser {
  public:
    explicit Parser(const std::vector<CommandSpec>& specs) : app_(kDescription, "pgparity") {
        app_.set_version_flag("--version", version_line(), "print the version and exit");
        app_.set_help_flag("--help,-h", "print this help and exit");
        app_.footer(specs.front().footer);
        app_.allow_extras();
        app_.require_subcommand(0, 1);  // what follows a command is its argument, whatever it is called
        for (const CommandSpec& spec : specs) commands_.push_back(std::make_unique<ParsedCommand>(app_, spec));
    }

    CommandLine parse(const std::vector<std::string>& arguments) {
        try {
            app_.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
        } catch (const CLI::CallForHelp&) {
            return {app_.help(), {}, {}, {}};
        } catch (const CLI::CallForVersion& version) {
            return {std::string(version.what()) + "\n", {}, {}, {}};
        } catch (const CLI::ParseError& error) {
            refuse_parse_error(error);
        }
        refuse_extras(app_.remaining(), "unknown command", names(), kHint);
        const ParsedCommand* asked = parsed();
        if (!asked) refuse("a command is missing", kHint);
        return asked->collect();
    }

    std::string help(const std::string& name) {
        if (name.empty()) return app_.help();
        for (const auto& command : commands_)
            if (command->spec().name == name) return command->app().help("pgparity");
        const std::string meant = suggestion(name, names());
        refuse(fmt::format("unknown command{}", harmless(name)),
               meant.empty() ? kHint : fmt::format("{} {}", meant, kHint));
    }

  private:
    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const auto& command : commands_) names.push_back(command->spec().name);
        return names;
    }

    static constexpr const char* kHint = "pgparity --help shows how to use it";

    const ParsedCommand* parsed() const {
        for (const auto& command : commands_)
            if (command->parsed()) return command.get();
        return nullptr;
    }

    /// CLI11's complaints in our words.
    [[noreturn]] void refuse_parse_error(const CLI::ParseError& error) const {
        std::string message = error.what();
        if (const auto colon = message.find(": "); colon != std::string::npos && message.starts_with("--"))
            message = fmt::format("{} needs a value", message.substr(0, colon));
        const ParsedCommand* command = parsed();
        refuse(message, command ? command->hint() : kHint);
    }

    CLI::App app_;
    std::vector<std::unique_ptr<ParsedCommand>> commands_;
};

}  // namespace

CommandLine parse_command_line(const std::vector<CommandSpec>& commands, const std::vector<std::string>& arguments) {
    return Parser(commands).parse(arguments);
}

std::string help_text(const std::vector<CommandSpec>& commands, const std::string& command) {
    return Parser(commands).help(command);
}

}  // namespace parity::driver
