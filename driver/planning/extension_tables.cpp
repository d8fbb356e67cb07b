#include "driver/planning/extension_tables.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "driver/model/error.h"
#include "driver/options/name_map.h"
#include "driver/options/scope.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/connection/session.h"
#include "driver/postgres/queries/catalog.h"
#include "driver/postgres/queries/query.h"
#include "driver/text/display_name.h"
#include "driver/waiting/both_sides.h"
#include "driver/waiting/interrupt.h"

namespace parity::driver {
namespace {

constexpr Side kSides[] = {Side::kSource, Side::kTarget};

Side other_side(Side side) { return side == Side::kSource ? Side::kTarget : Side::kSource; }

// ---- pairing -------------------------------------------------------------------------------------------------

using Tables = std::vector<const ExtensionTable*>;

/// Those of a side that are not compared.
Tables uncompared(const Plan& plan, const Inventory& inventory, Side side) {
    std::set<std::uint32_t> compared;
    for (const TablePlan& table : plan.tables) compared.insert(table.oid[side]);
    for (const auto& [names, reason] : plan.skipped_tables)
        for (const RelationDesc& relation : inventory.relations)
            if (relation.name == names[side]) compared.insert(relation.oid);
    Tables tables;
    for (const ExtensionTable& table : inventory.extension_tables)
        if (!compared.contains(table.oid)) tables.push_back(&table);
    return tables;
}

/// The table of the other side with the same part in the same extension: its namesake, or where an extension is in
/// another schema, the one of the same name.
const ExtensionTable* counterpart(const ExtensionTable& table, const QualifiedName& name, const Tables& others) {
    const ExtensionTable* alike = nullptr;
    std::size_t found = 0;
    for (const ExtensionTable* other : others) {
        if (other->extension != table.extension) continue;
        if (other->name == name) return other;
        if (other->name.name != name.name) continue;
        alike = other;
        ++found;
    }
    return found == 1 ? alike : nullptr;
}

// ---- counting ------------------------------------------------------------------------------------------------

/// What begin_table() asks of a plan. Rows are counted by a query with the session's rights.
TablePlan plan_of(const ExtensionTable& table, Side side, const Options& options) {
    TablePlan plan;
    plan.must_run_no_code[side] = !options.run_owners_code;
    plan.oid[side] = table.oid;
    plan.name[side] = table.name;
    plan.relkind[side] = table.relkind;
    plan.columns_text[side] = table.columns_text;
    return plan;
}

std::uint64_t count_once(Session& session, const ExtensionTable& table, const Options& options) {
    session.begin_table(plan_of(table, session.side(), options));
    const Query query = extension_row_count_query(table.name, table.relkind != 'p', table.condition);
    const Result result = session.connection().query(query.sql, query.parameters);
    const std::uint64_t rows = result.number<std::uint64_t>(0, 0);
    session.require_named_server();
    session.end();
    return rows;
}

std::uint64_t count(Session& session, const ExtensionTable& table, const Options& options) {
    for (int attempt = 1;; ++attempt) {
        try {
            return count_once(session, table, options);
        } catch (const Error& error) {
            session.end();
            if (!is_snapshot_failure(error) || attempt == kSnapshotAttempts) throw;
        }
    }
}

/// Why a table is not counted whatever the server says; empty: it is.
std::string obstacle(const ExtensionTable& table, const Options& options) {
    if (!table.refusal.empty())
        return fmt::format("the condition of extension {} for it is not evaluated: {}", display_name(table.extension),
                           table.refusal);
    if (!table.readable) return "no SELECT privilege";
    if (table.row_security_active && !options.enable_row_security) return "row security applies";
    return {};
}

/// What is known of one side of a table.
struct Counted {
    std::uint64_t rows = 0;
    std::string reason;  ///< why they were not counted; empty: they were
};

/// One side's tables, over one connection.
std::vector<Counted> count_side(const Options& options, NamedServers& named, const Plan& plan, Side side,
                                const SharedFailure* failure) {
    std::vector<Counted> counts(plan.extension_tables.size());
    std::optional<Session> session;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const std::optional<ExtensionTable>& table = plan.extension_tables[i].sides[side];
        if (!table) continue;
        counts[i].reason = obstacle(*table, options);
        if (!counts[i].reason.empty()) continue;
        try {
            if (!session || !session->connection().alive())
                session.emplace(Session::open(side, options, "extension tables", &named, failure));
            counts[i].rows = count(*session, *table, options);
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::kCancelled || error.kind() == ErrorKind::kOtherServer) throw;
            counts[i].reason = error.what();
        }
    }
    return counts;
}

// ---- what it says --------------------------------------------------------------------------------------------

std::string rows_of(std::uint64_t rows) { return fmt::format("{} {}", rows, rows == 1 ? "row" : "rows"); }

QualifiedName name_of(const ExtensionTablePlan& table, Side side) {
    return table.sides[side] ? table.sides[side]->name : table.sides[other_side(side)]->name;
}

void settle(Plan& plan, const ExtensionTablePlan& table, const Both<Counted>& counts) {
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
    if (counted && counts.source.rows == counts.target.rows && !table.obstacle.empty() && counts.source.rows > 0)
        parts.insert(parts.begin(), table.obstacle);
    else if (counted && counts.source.rows == counts.target.rows) {
        if (counts.source.rows > 0)
            plan.not_compared.push_back(fmt::format("{} of {} ({})", rows_of(counts.source.rows), name, way));
        return;
    }
    plan.skipped_tables.push_back({{name_of(table, Side::kSource), name_of(table, Side::kTarget)},
                                   fmt::format("{}; {}", fmt::join(parts, ", "), way)});
}

}  // namespace

void plan_extension_tables(Plan& plan, const Options& options, const Both<Inventory>& inventories) {
    const NameMap maps(options.maps);
    const Tables sources = uncompared(plan, inventories.source, Side::kSource);
    Tables targets = uncompared(plan, inventories.target, Side::kTarget);
    for (const ExtensionTable* source : sources) {
        ExtensionTablePlan& table = plan.extension_tables.emplace_back();
        table.extension = source->extension;
        table.sides.source = *source;
        const ExtensionTable* target = counterpart(*source, maps.to_target(source->name), targets);
        if (!target) continue;
        table.sides.target = *target;
        std::erase(targets, target);
        if (is_compared_by_default(source->extension, source->name.name))
            table.obstacle = "the extension's conditions for its rows of users differ between the sides";
    }
    for (const ExtensionTable* target : targets)
        plan.extension_tables.push_back({target->extension, {{}, *target}, {}});
    if (!options.dry_run) return;
    for (const ExtensionTablePlan& table : plan.extension_tables)
        plan.not_compared.push_back(fmt::format("rows of {}, a table of extension {}, would be counted",
                                                display_name(name_of(table, Side::kSource)),
                                                display_name(table.extension)));
}

bool count_extension_rows(const Options& options, NamedServers& named, spdlog::logger& log, Plan& plan) {
    if (plan.extension_tables.empty()) return true;
    if (interrupted()) return false;
    Both<std::vector<Counted>> counts;
    try {
        on_both_sides([&](Side side, const SharedFailure* failure) {
            counts[side] = count_side(options, named, plan, side, failure);
        });
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::kOtherServer) throw;
        return false;
    }
    for (std::size_t i = 0; i < plan.extension_tables.size(); ++i) {
        const std::size_t skipped = plan.skipped_tables.size();
        settle(plan, plan.extension_tables[i], {counts.source[i], counts.target[i]});
        if (plan.skipped_tables.size() > skipped)
            log.warn("{}: not compared: {}", display_name(plan.skipped_tables.back().first),
                     plan.skipped_tables.back().second);
    }
    return true;
}

}  // namespace parity::driver
