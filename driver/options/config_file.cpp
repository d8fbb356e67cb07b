#include "driver/options/config_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

#include <fmt/core.h>
#include <toml++/toml.h>

#include "driver/model/error.h"

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

[[noreturn]] void refuse_value_at(const std::string& location, const std::string& what) {
    throw Error(ErrorKind::kUsage, fmt::format("{}: {}", location, what));
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

toml::table parse(const std::string& path) {
    const std::string text = read_file(path);
    try {
        return toml::parse(text, path);
    } catch (const toml::parse_error& error) {
        refuse_value_at(location_of(path, error.source()), fmt::format("syntax error: {}", error.description()));
    }
}

}  // namespace

std::map<std::string, ConfigValue> read_config_file(const std::string& path, const std::vector<OptionSpec>& options) {
    std::map<std::string, ConfigValue> config;
    const toml::table file = parse(path);
    for (const auto& [key, node] : file) {
        const std::string name(key.str());
        const std::string location = location_of(path, key.source());
        const auto spec =
            std::find_if(options.begin(), options.end(), [&](const OptionSpec& known) { return known.name == name; });
        if (spec == options.end()) refuse_value_at(location, fmt::format("unknown key \"{}\"", name));
        const auto wrong_type = [&] {
            refuse_value_at(location, fmt::format("\"{}\" must be {}", name, expected_type(spec->kind)));
        };
        if (spec->kind == OptionKind::kFlag) {
            const auto on = node.value_exact<bool>();
            if (!on) wrong_type();
            if (*on) config[name] = {location, {}};
            continue;
        }
        std::optional<std::vector<std::string>> values = read_values(node, spec->kind);
        if (!values) wrong_type();
        config[name] = {location, std::move(*values)};
    }
    return config;
}

}  // namespace parity::driver
