#include "driver/planning/money_notes.h"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "driver/text/display_name.h"

namespace parity::driver {
namespace {

/// A locale without its encoding, which says nothing about currencies.
std::string currency_locale(const std::string& locale) {
    std::string name = locale.substr(0, locale.find('.'));
    return name == "POSIX" ? "C" : name;
}

std::string describe(const ServerInfo& server) {
    return fmt::format("\"{}\" with {} digits behind the point", server.lc_monetary, server.money_digits);
}

}  // namespace

std::optional<std::string> note_money(const TablePlan& table, const Both<ServerInfo>& servers) {
    const auto& [source, target] = servers;
    const bool same_digits = source.money_digits == target.money_digits;
    if (same_digits && currency_locale(source.lc_monetary) == currency_locale(target.lc_monetary)) return std::nullopt;
    std::vector<std::string> columns;
    for (const auto* list : {&table.key, &table.columns})
        for (const ColumnPlan& column : *list)
            if (column.form.find("money") != std::string::npos) columns.push_back(display_name(column.name.source));
    if (columns.empty()) return std::nullopt;
    return fmt::format(
        "money is compared as the stored number ({} {}), but lc_monetary is {} on source, {} on target: {}",
        columns.size() == 1 ? "column" : "columns", fmt::join(columns, ", "), describe(source), describe(target),
        same_digits ? "equal numbers may be amounts of other currencies" : "equal numbers are other amounts");
}

}  // namespace parity::driver
