#include "driver/display_name.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/ascii.h"

namespace parity::driver {
namespace {

bool needs_quotes(std::string_view identifier) {
    const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || core::is_digit(c) || c == '_' || c == '$'; };
    if (identifier.empty() || !std::all_of(identifier.begin(), identifier.end(), is_plain)) return true;
    return identifier[0] == '$' || core::is_digit(identifier[0]);
}

}  // namespace

std::string display_name(std::string_view identifier) {
    if (!needs_quotes(identifier)) return std::string(identifier);
    std::string shown = "\"";
    for (char c : identifier) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) {
            shown += fmt::format("\\x{:02x}", byte);
        } else {
            if (c == '"') shown += c;
            shown += c;
        }
    }
    return shown + '"';
}

std::string display_name(const QualifiedName& name) {
    return display_name(name.schema) + "." + display_name(name.name);
}

std::string display_name(const Both<QualifiedName>& names) {
    if (names.source == names.target) return display_name(names.source);
    if (names.source.name.empty()) return display_name(names.target);
    if (names.target.name.empty()) return display_name(names.source);
    return display_name(names.source) + " → " + display_name(names.target);
}

std::string display_name(const TablePlan& plan) {
    return plan.large_objects ? "large objects" : display_name(plan.name);
}

std::string display_name(const TablePlan& plan, Side side) {
    return plan.large_objects ? "large objects" : display_name(plan.name[side]);
}

}  // namespace parity::driver
