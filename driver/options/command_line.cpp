#include "driver/options/command_line.h"

#include <algorithm>
#include <map>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "driver/model/error.h"
#include "driver/model/options.h"
#include "driver/model/sides.h"
#include "driver/model/version.h"
#include "driver/options/config_file.h"
#include "driver/options/option_table.h"

namespace parity::driver {

namespace {

constexpr const char* kDescription =
    "pgparity answers whether two PostgreSQL databases hold the same data and, if not, where not.\n"
    "Both need the extension pg_parity; only digests cross the network.";

constexpr const char* kFooter =
    "Examples:\n"
    "  pgparity compare --source 'host=old dbname=shop' --target 'host=new dbname=shop'\n"
    "  pgparity compare --source service=old --target service=new --table 'public.ord*' --format json\n"
    "  pgparity compare --source service=old --target service=new --table orders --map orders=orders_v2 --key "
    "orders=id\n"
    "\n"
    "Exit status:\n"
    "  0  everything asked for was compared and is equal\n"
    "  1  at least one divergence\n"
    "  2  nothing can be concluded: bad options, no connection, interrupted\n"
    "  3  no divergence, but something was skipped, unreadable or failed, or the run could not be recorded";

/// What CLI11 fills: per option how often it was given and with which values.
struct GivenValues {
    std::vector<std::string> values;
    CLI::Option* option = nullptr;
};

using Given = std::map<std::string, GivenValues>;

void add_options(CLI::App& command, Given& given, std::string& config) {
    for (const OptionSpec& spec : option_table()) {
        GivenValues& entry = given[spec.name];
        if (spec.kind == OptionKind::kFlag) {
            entry.option = command.add_flag("--" + spec.name, spec.help);
        } else {
            entry.option = command.add_option("--" + spec.name, entry.values, spec.help)
                               ->type_name(spec.value_name)
                               ->expected(1)
                               ->allow_extra_args(false)
                               ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        }
        entry.option->group(spec.group);
    }
    command
        .add_option("--config", config,
                    "TOML file with these options, without the dashes; the command line wins over it")
        ->type_name("FILE")
        ->group("Other");
}

[[noreturn]] void refuse(const std::string& message) {
    throw Error(ErrorKind::kUsage, message, "pgparity compare --help lists the options");
}

/// An argument as it may be printed: a connection string may hold a password.
std::string harmless(const std::string& argument) {
    const bool is_option = argument.starts_with("-");
    const std::string shown = is_option ? argument.substr(0, argument.find('=')) : argument;
    return shown.find_first_of(":=@ ") == std::string::npos ? fmt::format(" \"{}\"", shown) : "";
}

void refuse_extras(const std::vector<std::string>& extras, std::string_view what) {
    if (extras.empty()) return;
    const std::string& first = extras.front();
    refuse(fmt::format("{}{}", first.starts_with("-") ? "unknown option" : what, harmless(first)));
}

void apply(Options& options, const OptionSpec& spec, const std::vector<std::string>& values) {
    if (spec.kind != OptionKind::kList && spec.kind != OptionKind::kFlag && values.size() != 1) {
        refuse(fmt::format("--{} is given more than once", spec.name));
    }
    spec.apply(options, values);
}

void apply_config(Options& options, const OptionSpec& spec, const ConfigValue& value) {
    try {
        spec.apply(options, value.values);
    } catch (const Error& error) {
        throw Error(error.kind(), fmt::format("{}: {}", value.place, error.what()), error.hint());
    }
}

Request collect(const Given& given, const std::string& config_path) {
    std::map<std::string, ConfigValue> config;
    if (!config_path.empty()) config = read_config_file(config_path);
    Options options;
    std::map<std::string, bool> set;
    for (const OptionSpec& spec : option_table()) {
        const GivenValues& entry = given.at(spec.name);
        const auto from_file = config.find(spec.name);
        set[spec.name] = entry.option->count() > 0 || from_file != config.end();
        if (!set[spec.name]) continue;
        if (entry.option->count() > 0)
            apply(options, spec, entry.values);
        else
            apply_config(options, spec, from_file->second);
        if (spec.value_name == kConninfoValue) continue;
        options.given[spec.name] = entry.option->count() > 0 ? entry.values : from_file->second.values;
    }
    for (Side side : kSides) {
        const std::string name(side_name(side));
        if (!set[name]) refuse(fmt::format("--{} is missing", name));
    }
    return Request(std::move(options));
}

/// CLI11's complaints in our words.
[[noreturn]] void refuse_parse_error(const CLI::ParseError& error) {
    std::string message = error.what();
    if (const auto colon = message.find(": "); colon != std::string::npos && message.starts_with("--")) {
        message = fmt::format("{} needs a value", message.substr(0, colon));
    }
    refuse(message);
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
    CLI::App app(kDescription, "pgparity");
    app.set_version_flag("--version", version_line(), "print the version and exit");
    app.set_help_flag("--help,-h", "print this help and exit");
    app.footer(kFooter);
    app.allow_extras();
    CLI::App* compare = app.add_subcommand("compare", "compare two databases and report every divergence");
    compare->footer(kFooter);
    compare->allow_extras();
    compare->get_formatter()->column_width(36);
    Given given;
    std::string config;
    add_options(*compare, given, config);
    try {
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::CallForHelp&) {
        return {app.help(), std::nullopt};
    } catch (const CLI::CallForVersion& version) {
        return {std::string(version.what()) + "\n", std::nullopt};
    } catch (const CLI::ParseError& error) {
        refuse_parse_error(error);
    }
    refuse_extras(app.remaining(), "unknown command");
    refuse_extras(compare->remaining(), "unexpected argument");
    if (!compare->parsed())
        throw Error(ErrorKind::kUsage, "a command is missing", "pgparity --help shows how to use it");
    return {std::nullopt, collect(given, config)};
}

}  // namespace parity::driver
