#include "driver/dry_run.h"

#include <unordered_map>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "driver/column_options.h"
#include "driver/display_name.h"
#include "driver/finding_json.h"
#include "driver/report.h"
#include "driver/version.h"

namespace parity::driver {

namespace {

/// The planned tables' relations, for what the plan does not repeat of them.
class Relations {
  public:
    explicit Relations(const Both<Inventory>& inventories) {
        for (Side side : {Side::kSource, Side::kTarget}) {
            for (const RelationDesc& relation : inventories[side].relations) by_oid_[side][relation.oid] = &relation;
        }
    }
    const RelationDesc& of(const TablePlan& table, Side side) const { return *by_oid_[side].at(table.oid[side]); }
    Both<const ColumnDesc*> columns(const TablePlan& table, const ColumnPlan& column) const {
        return {find_column(of(table, Side::kSource), column.name.source),
                find_column(of(table, Side::kTarget), column.name.target)};
    }

  private:
    Both<std::unordered_map<std::uint32_t, const RelationDesc*>> by_oid_;
};

// ---- text ----------------------------------------------------------------------------------------------------

std::string show_bytes(std::int64_t bytes) {
    static constexpr const char* kUnits[] = {"bytes", "kB", "MB", "GB", "TB"};
    auto size = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; size >= 10240 && unit + 1 < std::size(kUnits); ++unit) size /= 1024;
    return fmt::format("{:.0f} {}", size, kUnits[unit]);
}

std::string show_rows(double rows) { return rows < 0 ? "unknown" : fmt::format("about {:.0f}", rows); }

std::string show_estimate(const RelationDesc& relation) {
    return fmt::format("{}, {}", show_rows(relation.estimated_rows), show_bytes(relation.bytes));
}

/// "x" where both sides have it, else "x on source, y on target".
std::string show_both(const std::string& source, const std::string& target) {
    return source == target ? source : fmt::format("{} on source; {} on target", source, target);
}

std::string show_column(const ColumnPlan& column) {
    std::string name = display_name(column.name.source);
    if (column.name.source != column.name.target) name += " → " + display_name(column.name.target);
    return fmt::format("{} {}", name, column.form);
}

std::string show_columns(const std::vector<ColumnPlan>& columns) {
    std::vector<std::string> shown;
    for (const ColumnPlan& column : columns) shown.push_back(show_column(column));
    return fmt::format("{}", fmt::join(shown, ", "));
}

/// "money (by default money)": how one side's column comes to the form.
std::string show_side(const ColumnPlan& column, Side side, const ColumnDesc& described) {
    const std::string& asked = asked_form(column, side);
    std::vector<std::string> remarks;
    if (asked != column.form) remarks.push_back("as " + asked);
    if (described.form != column.form) remarks.push_back("by default " + described.form);
    return remarks.empty() ? described.type : fmt::format("{} ({})", described.type, fmt::join(remarks, ", "));
}

/// A line for each column whose form is not the default of both sides.
std::string show_forms(const TablePlan& table, const Relations& relations) {
    std::string text;
    for (const auto* columns : {&table.key, &table.columns}) {
        for (const ColumnPlan& column : *columns) {
            const Both<const ColumnDesc*> described = relations.columns(table, column);
            if (described.source->form == column.form && described.target->form == column.form) continue;
            text += fmt::format("  form     {} as {}: {}\n", display_name(column.name.source), column.form,
                                show_both(show_side(column, Side::kSource, *described.source),
                                          show_side(column, Side::kTarget, *described.target)));
        }
    }
    return text;
}

std::string show_table(const TablePlan& table, const Relations& relations) {
    std::string text = display_name(table.name) + "\n";
    text += table.key.empty() ? "  key      none: rows are compared as a multiset\n"
                              : fmt::format("  key      {} ({})\n", show_columns(table.key),
                                            table.key_proven ? "proven" : "not proven");
    text +=
        fmt::format("  columns  {}\n", table.columns.empty() ? "none besides the key" : show_columns(table.columns));
    text += show_forms(table, relations);
    text += fmt::format("  path     {}\n", show_both(table.path.source, table.path.target));
    text += fmt::format("  ranges   {}\n", table.ranges);
    text += fmt::format("  rows     {}\n", show_both(show_estimate(relations.of(table, Side::kSource)),
                                                     show_estimate(relations.of(table, Side::kTarget))));
    if (!table.where.empty()) text += fmt::format("  where    {}\n", table.where);
    if (table.visible_rows_only) text += "  visible rows only\n";
    for (const std::string& note : table.notes) text += fmt::format("  note     {}\n", note);
    for (const std::string& reason : table.skipped) text += fmt::format("  skipped  {}\n", reason);
    return text;
}

std::string show_large_objects(const TablePlan& plan) {
    const auto& [source, target] = plan.large_objects->sides;
    const auto show = [](const LargeObjects& side) {
        return fmt::format("{}, {}", side.count, show_bytes(side.bytes));
    };
    std::string text = display_name(plan) + "\n";
    text += fmt::format("  objects  {}\n", show_both(show(source), show(target)));
    text += plan.skipped.empty() ? "  contents would be compared\n" : "";
    for (const std::string& reason : plan.skipped) text += fmt::format("  skipped  {}\n", reason);
    return text;
}

std::string show_server(Side side, const ServerInfo& server) {
    return fmt::format("{}: PostgreSQL {}, database {}, pg_parity {}\n", side_name(side), server.version,
                       display_name(server.database), server.extension_version);
}

std::string text_report(const Both<Inventory>& inventories, const Plan& plan) {
    std::string text =
        show_server(Side::kSource, inventories.source.server) + show_server(Side::kTarget, inventories.target.server);
    const Relations relations(inventories);
    std::size_t tables = 0;
    bool with_large_objects = false;
    for (const TablePlan& table : plan.tables) {
        text += "\n" + (table.large_objects ? show_large_objects(table) : show_table(table, relations));
        tables += !table.large_objects;
        with_large_objects |= table.large_objects.has_value();
    }
    text += "\n";
    for (const auto& [names, reason] : plan.skipped_tables) {
        text += fmt::format("skipped: {}: {}\n", display_name(names), reason);
    }
    for (const SchemaDifference& difference : plan.differences) {
        text += fmt::format("{}: {}: {}\n", severity_name(difference.severity), difference.object, difference.message);
    }
    for (const std::string& sentence : plan.not_compared) text += fmt::format("not compared: {}\n", sentence);
    return text + fmt::format("{} tables{} and {} sequences would be compared\n", tables,
                              with_large_objects ? ", large objects" : "", plan.sequences.size());
}

// ---- JSON ----------------------------------------------------------------------------------------------------

Json to_json(const ServerInfo& server) {
    return {{"server_version", server.version}, {"system_identifier", server.system_identifier}, {"lsn", server.lsn}};
}

Json form_to_json(const ColumnPlan& column, Side side, const ColumnDesc& described) {
    return {{"type", described.type}, {"default", described.form}, {"asked", asked_form(column, side)}};
}

Json to_json(const TablePlan& table, const std::vector<ColumnPlan>& columns, const Relations& relations) {
    Json list = Json::array();
    for (const ColumnPlan& column : columns) {
        const Both<const ColumnDesc*> described = relations.columns(table, column);
        Json entry = {{"name", column.name.source},
                      {"form", column.form},
                      {"source", form_to_json(column, Side::kSource, *described.source)},
                      {"target", form_to_json(column, Side::kTarget, *described.target)}};
        if (column.name.source != column.name.target) entry["target_name"] = column.name.target;
        list.push_back(std::move(entry));
    }
    return list;
}

Json estimate_to_json(const RelationDesc& relation) {
    Json entry = {{"bytes", std::to_string(relation.bytes)}};
    if (relation.estimated_rows >= 0) entry["rows"] = fmt::format("{:.0f}", relation.estimated_rows);
    return entry;
}

Json large_objects_to_json(const TablePlan& plan) {
    const auto side = [](const LargeObjects& objects) {
        return Json{{"objects", std::to_string(objects.count)}, {"bytes", std::to_string(objects.bytes)}};
    };
    const auto& [source, target] = plan.large_objects->sides;
    return {{"source", side(source)},
            {"target", side(target)},
            {"contents_read", plan.large_objects->unread.empty()},
            {"skipped", plan.skipped}};
}

Json to_json(const TablePlan& table, const Relations& relations) {
    Json entry = {{"source", display_name(table.name.source)},
                  {"target", display_name(table.name.target)},
                  {"path", {{"source", table.path.source}, {"target", table.path.target}}},
                  {"key", to_json(table, table.key, relations)},
                  {"key_proven", table.key_proven},
                  {"columns", to_json(table, table.columns, relations)},
                  {"ranges", table.ranges},
                  {"estimate",
                   {{"source", estimate_to_json(relations.of(table, Side::kSource))},
                    {"target", estimate_to_json(relations.of(table, Side::kTarget))}}},
                  {"skipped", table.skipped},
                  {"notes", table.notes}};
    if (!table.where.empty()) entry["where"] = table.where;
    if (table.visible_rows_only) entry["visible_rows_only"] = true;
    return entry;
}

std::string json_report(const Both<Inventory>& inventories, const Plan& plan) {
    Json report = {{"tool", "pgparity"},
                   {"version", kVersion},
                   {"schema_version", 1},
                   {"format_version", kFormatVersion},
                   {"dry_run", true},
                   {"source", to_json(inventories.source.server)},
                   {"target", to_json(inventories.target.server)},
                   {"tables", Json::array()},
                   {"skipped_tables", Json::array()},
                   {"differences", Json::array()},
                   {"sequences", Json::array()},
                   {"not_compared", plan.not_compared}};
    const Relations relations(inventories);
    for (const TablePlan& table : plan.tables) {
        if (table.large_objects)
            report["large_objects"] = large_objects_to_json(table);
        else
            report["tables"].push_back(to_json(table, relations));
    }
    for (const auto& [names, reason] : plan.skipped_tables) {
        report["skipped_tables"].push_back(
            {{"source", display_name(names.source)}, {"target", display_name(names.target)}, {"reason", reason}});
    }
    for (const SchemaDifference& difference : plan.differences) {
        report["differences"].push_back({{"severity", severity_name(difference.severity)},
                                         {"object", difference.object},
                                         {"message", difference.message}});
    }
    for (const Both<SequenceDesc>& sequence : plan.sequences) {
        report["sequences"].push_back(
            {{"source", display_name(sequence.source.name)}, {"target", display_name(sequence.target.name)}});
    }
    return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string dry_run_report(const Options& options, const Both<Inventory>& inventories, const Plan& plan) {
    return options.format == ReportFormat::kJson ? json_report(inventories, plan) : text_report(inventories, plan);
}

}  // namespace parity::driver
