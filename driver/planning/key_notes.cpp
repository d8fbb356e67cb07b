#include "driver/planning/key_notes.h"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "driver/text/display_name.h"

namespace parity::driver {
namespace {

std::string list_of(const std::vector<std::string>& columns) {
    std::vector<std::string> shown;
    for (const std::string& column : columns) shown.push_back(display_name(column));
    return fmt::format("({})", fmt::join(shown, ", "));
}

std::string describe(const KeyDesc& key) { return key.columns.empty() ? "none" : list_of(key.columns); }

/// A primary key is all that is ever taken without proof.
std::string_view why_unproven(bool has_children) {
    return has_children ? "its primary key holds for each of its children and itself alone"
                        : "its primary key is deferrable";
}

}  // namespace

KeyRemark explain_unproven(const Both<KeyDesc>& keys, const Both<bool>& has_children) {
    if (keys.source.columns != keys.target.columns)
        return {fmt::format("key {} on source, {} on target", describe(keys.source), describe(keys.target)), true};
    const std::string key = list_of(keys.source.columns);
    const std::string_view source = why_unproven(has_children.source), target = why_unproven(has_children.target);
    if (keys.source.proven != keys.target.proven) {
        const Side side = keys.source.proven ? Side::kTarget : Side::kSource;
        return {fmt::format("key {} is not proven on {}: {}", key, side_name(side),
                            side == Side::kSource ? source : target),
                true};
    }
    if (source != target)
        return {fmt::format("key {} is not proven: on source {}, on target {}", key, source, target), true};
    return {fmt::format("key {} is not proven: {}", key, source), false};
}

std::optional<std::string> explain_unused(Side side, const RelationDesc& relation, const std::string& used) {
    if (relation.better_key.empty()) return std::nullopt;
    std::vector<std::string> reasons;
    for (const std::string& name : relation.better_key) {
        const ColumnDesc* column = find_column(relation, name);
        if (!column || !column->form.empty()) continue;
        reasons.push_back(fmt::format(
            "column {}: {}", display_name(name),
            column->reason.empty() ? fmt::format("type {} is not comparable", column->type) : column->reason));
    }
    if (reasons.empty()) return std::nullopt;
    return fmt::format("key {} on {} is not used ({}); rows are compared {}", list_of(relation.better_key),
                       side_name(side), fmt::join(reasons, ", "), used.empty() ? "without a key" : "by " + used);
}

}  // namespace parity::driver
