#include "driver/report/plan.h"

#include <unordered_map>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "core/digest.h"
#include "driver/model/version.h"
#include "driver/report/document.h"
#include "driver/report/wording.h"
#include "driver/text/display_name.h"
#include "driver/text/words.h"

namespace parity::driver {

namespace {

/// The planned tables' relations, for what the plan does not repeat of them.
class Relations {
  public:
    explicit Relations(const Both<Inventory>& inventories) {
        for (Side side : kSides) {
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
void show_forms(const TablePlan& table, const Relations& relations, Output& output) {
    for (const auto* columns : {&table.key, &table.columns}) {
        for (const ColumnPlan& column : *columns) {
            const Both<const ColumnDesc*> described = relations.columns(table, column);
            if (described.source->form == column.form && described.target->form == column.form) continue;
            output.write_line(fmt::format("  form     {} as {}: {}", display_name(column.name.source), column.form,
                                          show_both(show_side(column, Side::kSource, *described.source),
                                                    show_side(column, Side::kTarget, *described.target))));
        }
    }
}

void show_table(const TablePlan& table, const Relations& relations, Output& output) {
    const auto line = [&](std::string_view what, const std::string& text) {
        output.write_line(fmt::format("  {:<7}  {}", what, text));
    };
    output.write_line(display_name(table.name));
    line("key", table.key.empty()
                    ? "none: rows are compared as a multiset"
                    : fmt::format("{} ({})", show_columns(table.key), table.key_proven ? "proven" : "not proven"));
    line("columns", table.columns.empty() ? "none besides the key" : show_columns(table.columns));
    show_forms(table, relations, output);
    line("path", show_both(table.path.source, table.path.target));
    line("ranges", std::to_string(table.ranges));
    line("rows", show_both(show_estimate(relations.of(table, Side::kSource)),
                           show_estimate(relations.of(table, Side::kTarget))));
    if (!table.where.empty()) line("where", table.where);
    if (table.visible_rows_only) output.write_line("  visible rows only");
    for (const std::string& note : table.notes) line("note", note);
    for (const std::string& reason : table.skipped) line("skipped", reason);
}

void show_large_objects(const TablePlan& plan, Output& output) {
    const auto& [source, target] = plan.large_objects->sides;
    const auto show = [](const LargeObjects& side) {
        return fmt::format("{}, {}", side.count, show_bytes(side.bytes));
    };
    output.write_line(display_name(plan));
    output.write_line("  objects  " + show_both(show(source), show(target)));
    if (plan.skipped.empty()) output.write_line("  contents would be compared");
    for (const std::string& reason : plan.skipped) output.write_line("  skipped  " + reason);
}

void write_text(const Both<Inventory>& inventories, const Plan& plan, Output& output) {
    for (Side side : kSides)
        output.write_line(fmt::format("{}: {}", side_name(side), server_words(json_server(inventories[side].server))));
    const Relations relations(inventories);
    std::size_t tables = 0;
    for (const TablePlan& table : plan.tables) {
        output.write_line({});
        if (table.large_objects)
            show_large_objects(table, output);
        else
            show_table(table, relations, output);
        tables += !table.large_objects;
    }
    output.write_line({});
    for (const auto& [names, reason] : plan.skipped_tables)
        output.write_line(fmt::format("skipped: {}: {}", display_name(names), reason));
    for (const SchemaDifference& difference : plan.differences)
        output.write_line(fmt::format("{}: {}: {}", severity_name(difference.severity), displayed(difference.object),
                                      difference.message));
    for (const std::string& sentence : plan.not_compared) output.write_line("not compared: " + sentence);
    for (const std::string& hint : plan.hints) output.write_line("hint: " + hint);
    output.write_line(fmt::format("{}{} and {} would be compared", counted(tables, "table", "tables"),
                                  tables < plan.tables.size() ? ", large objects" : "",
                                  counted(plan.sequences.size(), "sequence", "sequences")));
}

// ---- JSON ----------------------------------------------------------------------------------------------------

Json form_to_json(const ColumnPlan& column, Side side, const ColumnDesc& described) {
    return {{"type", described.type}, {"default", described.form}, {"asked", asked_form(column, side)}};
}

Json to_json(const TablePlan& table, const std::vector<ColumnPlan>& columns, const Relations& relations) {
    Json list = Json::array();
    for (const ColumnPlan& column : columns) {
        const Both<const ColumnDesc*> described = relations.columns(table, column);
        Json entry = {{"name", bare_name(column.name.source)},
                      {"form", column.form},
                      {"source", form_to_json(column, Side::kSource, *described.source)},
                      {"target", form_to_json(column, Side::kTarget, *described.target)}};
        if (column.name.source != column.name.target) entry["target_name"] = bare_name(column.name.target);
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
            {"contents_read", plan.large_objects->why_unread.empty()},
            {"skipped", json_messages(plan.skipped)}};
}

Json to_json(const TablePlan& table, const Relations& relations) {
    Json entry = {{"source", exact_name(table.name.source)},
                  {"target", exact_name(table.name.target)},
                  {"path", {{"source", table.path.source}, {"target", table.path.target}}},
                  {"key", to_json(table, table.key, relations)},
                  {"key_proven", table.key_proven},
                  {"columns", to_json(table, table.columns, relations)},
                  {"ranges", table.ranges},
                  {"estimate",
                   {{"source", estimate_to_json(relations.of(table, Side::kSource))},
                    {"target", estimate_to_json(relations.of(table, Side::kTarget))}}},
                  {"skipped", json_messages(table.skipped)},
                  {"notes", json_messages(table.notes)}};
    if (!table.where.empty()) entry["where"] = clean(table.where);
    if (table.visible_rows_only) entry["visible_rows_only"] = true;
    if (table.scope.without_children) entry["without_children"] = true;
    return entry;
}

void write_json(const Both<Inventory>& inventories, const Plan& plan, Output& output) {
    Json report = {{"tool", "pgparity"},
                   {"version", kVersion},
                   {"schema_version", kReportSchemaVersion},
                   {"format_version", core::kFormatVersion},
                   {"dry_run", true},
                   {"source", json_server(inventories.source.server)},
                   {"target", json_server(inventories.target.server)},
                   {"tables", Json::array()},
                   {"skipped_tables", Json::array()},
                   {"differences", Json::array()},
                   {"sequences", Json::array()},
                   {"not_compared", json_messages(plan.not_compared)}};
    if (!plan.hints.empty()) report["hints"] = json_messages(plan.hints);
    const Relations relations(inventories);
    for (const TablePlan& table : plan.tables) {
        if (table.large_objects)
            report["large_objects"] = large_objects_to_json(table);
        else
            report["tables"].push_back(to_json(table, relations));
    }
    for (const auto& [names, reason] : plan.skipped_tables) {
        report["skipped_tables"].push_back(
            {{"source", exact_name(names.source)}, {"target", exact_name(names.target)}, {"reason", clean(reason)}});
    }
    for (const SchemaDifference& difference : plan.differences) {
        report["differences"].push_back({{"severity", severity_name(difference.severity)},
                                         {"object", clean(difference.object)},
                                         {"message", clean(difference.message)}});
    }
    for (const Both<SequenceDesc>& sequence : plan.sequences) {
        report["sequences"].push_back(
            {{"source", exact_name(sequence.source.name)}, {"target", exact_name(sequence.target.name)}});
    }
    output.write_json(report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace

void write_dry_run(const Options& options, const Both<Inventory>& inventories, const Plan& plan, Output& output) {
    if (options.format == ReportFormat::kJson)
        write_json(inventories, plan, output);
    else
        write_text(inventories, plan, output);
}

}  // namespace parity::driver
