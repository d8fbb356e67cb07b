#include "driver/compare/extension_tables.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "driver/model/error.h"
#include "driver/model/inventory.h"
#include "driver/text/display_name.h"
#include "driver/waiting/both_sides.h"
#include "driver/waiting/interrupt.h"
#include "driver/waiting/shared_failure.h"

namespace parity::driver {
namespace {

/// Why a table is not counted whatever the server says; empty: it is.
std::string obstacle(const ExtensionTable& table, const Options& options) {
    if (!table.why_not_evaluated.empty())
        return fmt::format("the condition of extension {} for it is not evaluated: {}", display_name(table.extension),
                           table.why_not_evaluated);
    if (!table.readable) return "no SELECT privilege";
    if (table.row_security_active && !options.enable_row_security) return "row security applies";
    return {};
}

/// What is known of one side of a table.
struct TableCount {
    std::uint64_t rows = 0;
    std::string reason;  ///< why they were not counted; empty: they were
};

/// One side's tables, over one connection.
std::vector<TableCount> count_side(const Options& options, Server& server, const Plan& plan,
                                   const SharedFailure* failure) {
    std::vector<TableCount> counts(plan.extension_tables.size());
    std::unique_ptr<ServerSession> session;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const std::optional<ExtensionTable>& table = plan.extension_tables[i].sides[server.side()];
        if (!table) continue;
        counts[i].reason = obstacle(*table, options);
        if (!counts[i].reason.empty()) continue;
        try {
            if (!session || !session->alive())
                session = server.open_session(
                    "extension tables", [](NoticeLevel, std::string_view) {}, failure);
            counts[i].rows = session->count_rows(*table);
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::kCancelled || error.kind() == ErrorKind::kOtherServer) throw;
            counts[i].reason = error.what();
        }
    }
    return counts;
}

std::string rows_of(std::uint64_t rows) { return fmt::format("{} {}", rows, rows == 1 ? "row" : "rows"); }

void report_counts(Plan& plan, const ExtensionTablePlan& table, const Both<TableCount>& counts) {
    const std::string name = display_name(name_of(table, Side::kSource));
    const std::string way = fmt::format("--table {} compares them", name);
    std::vector<std::string> parts;
    for (Side side : kSides) {
        if (!counts[side].reason.empty())
            parts.push_back(
                fmt::format("rows of users are not counted on {}: {}", side_name(side), counts[side].reason));
        else if (table.sides[side])
            parts.push_back(fmt::format("{} of users on {}", rows_of(counts[side].rows), side_name(side)));
        else
            parts.push_back(
                fmt::format("no such table of extension {} on {}", display_name(table.extension), side_name(side)));
    }
    const bool counted = counts.source.reason.empty() && counts.target.reason.empty();
    if (counted && counts.source.rows == counts.target.rows && !table.why_not_compared.empty() &&
        counts.source.rows > 0)
        parts.insert(parts.begin(), table.why_not_compared);
    else if (counted && counts.source.rows == counts.target.rows) {
        if (counts.source.rows > 0)
            plan.not_compared.push_back(fmt::format("{} of {} ({})", rows_of(counts.source.rows), name, way));
        return;
    }
    plan.skipped_tables.push_back({{name_of(table, Side::kSource), name_of(table, Side::kTarget)},
                                   fmt::format("{}; {}", fmt::join(parts, ", "), way)});
}

}  // namespace

bool count_extension_tables(const Options& options, const Both<Server*>& servers, Plan& plan) {
    if (plan.extension_tables.empty()) return true;
    if (interrupted()) return false;
    Both<std::vector<TableCount>> counts;
    try {
        on_both_sides([&](Side side, const SharedFailure* failure) {
            counts[side] = count_side(options, *servers[side], plan, failure);
        });
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::kOtherServer) throw;
        return false;
    }
    for (std::size_t i = 0; i < plan.extension_tables.size(); ++i)
        report_counts(plan, plan.extension_tables[i], {counts.source[i], counts.target[i]});
    return true;
}

}  // namespace parity::driver
