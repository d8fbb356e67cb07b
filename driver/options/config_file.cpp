#include "driver/options/config_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "driver/model/error.h"
#include "driver/options/name_map.h"
#include "driver/options/suggestion.h"

namespace parity::driver {

namespace {

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (file && !file.bad()) return text;
    throw Error(ErrorKind::kUsage,
                fmt::format("could not read configuration file \"{}\": {}", path, std::strerror(errno)));
}

std::string location_of(const std::string& path, const toml::source_region& region) {
    return fmt::format("{}:{}", path, region.begin.line);
}

[[noreturn]] void refuse_value_at(const std::string& location, const std::string& what, const std::string& hint = {}) {
    throw Error(ErrorKind::kUsage, fmt::format("{}: {}", location, what), hint);
}

std::vector<std::string> names_of(const std::vector<OptionSpec>& options) {
    std::vector<std::string> names;
    for (const OptionSpec& option : options) names.push_back(option.name);
    return names;
}

[[noreturn]] void refuse_key(const std::string& location, std::string_view key, const std::vector<std::string>& known) {
    const std::string meant = suggestion(key, known);
    refuse_value_at(
        location, fmt::format("unknown key \"{}\"", key),
        fmt::format("{}{}the keys are the names of the long options, without dashes", meant, meant.empty() ? "" : " "));
}

std::string_view expected_type(OptionKind kind) {
    switch (kind) {
        case OptionKind::kText:
            return "a string";
        case OptionKind::kList:
            return "a string or an array of strings";
        case OptionKind::kNumber:
            return "a whole number";
        case OptionKind::kFlag:
            return "true or false";
    }
    return "another value";
}

/// The value of a list as texts; nothing where it is none.
std::optional<std::vector<std::string>> read_list(const toml::node& node) {
    if (const auto text = node.value_exact<std::string>()) return std::vector{*text};
    const toml::array* array = node.as_array();
    if (!array) return std::nullopt;
    std::vector<std::string> values;
    for (const toml::node& element : *array) {
        const auto text = element.value_exact<std::string>();
        if (!text) return std::nullopt;
        values.push_back(*text);
    }
    return values;
}

std::optional<std::vector<std::string>> read_values(const toml::node& node, OptionKind kind) {
    if (kind == OptionKind::kList) return read_list(node);
    if (kind == OptionKind::kNumber) {
        const auto number = node.value_exact<std::int64_t>();
        return number ? std::optional(std::vector{std::to_string(*number)}) : std::nullopt;
    }
    const auto text = node.value_exact<std::string>();
    return text ? std::optional(std::vector{*text}) : std::nullopt;
}

/// Throws: Error{kUsage} where the value is not of the option's kind.
std::vector<std::string> values_at(const std::string& location, const std::string& name, OptionKind kind,
                                   const toml::node& node) {
    std::optional<std::vector<std::string>> values = read_values(node, kind);
    if (!values) refuse_value_at(location, fmt::format("\"{}\" must be {}", name, expected_type(kind)));
    return std::move(*values);
}

void read_flag(const OptionSpec& spec, const std::string& location, const toml::node& node, Config& config) {
    const auto on = node.value_exact<bool>();
    if (!on) refuse_value_at(location, fmt::format("\"{}\" must be {}", spec.name, expected_type(spec.kind)));
    if (*on) config.options[spec.name] = {location, {}};
}

/// What the file says of the option elsewhere stays.
void add_values(Config& config, const std::string& name, const std::string& location, std::vector<std::string> values) {
    ConfigValue& option = config.options.try_emplace(name, ConfigValue{location, {}}).first->second;
    option.values.insert(option.values.end(), values.begin(), values.end());
}

/// Reads [table."shop.event"].
class TableSettingReader {
  public:
    TableSettingReader(const std::string& path, const std::vector<OptionSpec>& options, Config& config)
        : path_(path), options_(options), config_(config) {}

    void read(const toml::table& tables) {
        for (const auto& [key, node] : tables) {
            const std::string name(key.str());
            const toml::table* settings = node.as_table();
            if (!settings)
                refuse_value_at(location_of(path_, key.source()), fmt::format("\"{}\" must be a table", name));
            TableSetting setting;
            setting.table = name;
            for (const auto& [what, value] : *settings) read(setting, what, value);
            config_.tables.push_back(std::move(setting));
        }
    }

  private:
    void read(TableSetting& setting, const toml::key& key, const toml::node& node) {
        const std::string name(key.str());
        const std::string location = location_of(path_, key.source());
        if (name == "where") {
            setting.where = values_at(location, name, OptionKind::kText, node).front();
        } else if (name == "ranges") {
            setting.ranges = read_ranges(location, values_at(location, name, OptionKind::kNumber, node));
        } else if (name == "key") {
            const std::vector<std::string> columns = values_at(location, name, OptionKind::kList, node);
            add_values(config_, name, location, {fmt::format("{}={}", setting.table, fmt::join(columns, ","))});
        } else if (name == "columns" || name == "exclude-columns") {
            for (const std::string& columns : values_at(location, name, OptionKind::kList, node))
                for (const std::string& column : split_unquoted(columns, ','))
                    add_values(config_, name, location, {fmt::format("{}.{}", setting.table, column_of(name, column))});
        } else if (name == "form" && node.is_table()) {
            for (const auto& [column, form] : *node.as_table())
                add_values(config_, name, location,
                           {fmt::format("{}.{}={}", setting.table, column_of(name, std::string(column.str())),
                                        values_at(location, name, OptionKind::kText, form).front())});
        } else if (name == "form") {
            refuse_value_at(location, "\"form\" must be a table, as in form = { amount = \"decimal\" }");
        } else {
            refuse_key(location, name, {"where", "key", "columns", "exclude-columns", "form", "ranges"});
        }
    }

    /// The text of a column's name, which is a bare one: with more parts, it would be about another table.
    static const std::string& column_of(const std::string& setting, const std::string& column) {
        parse_name(setting, column, 1);
        return column;
    }

    /// As --ranges reads it.
    std::optional<int> read_ranges(const std::string& location, const std::vector<std::string>& values) const {
        Options read;
        try {
            for (const OptionSpec& option : options_)
                if (option.name == "ranges") option.apply(read, values);
        } catch (const Error& error) {
            throw Error(error.kind(), fmt::format("{}: {}", location, error.what()), error.hint());
        }
        return read.ranges;
    }

    const std::string& path_;
    const std::vector<OptionSpec>& options_;
    Config& config_;
};

toml::table parse(const std::string& path) {
    const std::string text = read_file(path);
    try {
        return toml::parse(text, path);
    } catch (const toml::parse_error& error) {
        refuse_value_at(location_of(path, error.source()), fmt::format("syntax error: {}", error.description()));
    }
}

}  // namespace

Config read_config_file(const std::string& path, const std::vector<OptionSpec>& options) {
    Config config;
    const toml::table file = parse(path);
    for (const auto& [key, node] : file) {
        const std::string name(key.str());
        const std::string location = location_of(path, key.source());
        const auto spec =
            std::find_if(options.begin(), options.end(), [&](const OptionSpec& known) { return known.name == name; });
        if (spec == options.end()) refuse_key(location, name, names_of(options));
        if (name == "table" && node.is_table())
            TableSettingReader(path, options, config).read(*node.as_table());
        else if (spec->kind == OptionKind::kFlag)
            read_flag(*spec, location, node, config);
        else
            add_values(config, name, location, values_at(location, name, spec->kind, node));
    }
    return config;
}

}  // namespace parity::driver
