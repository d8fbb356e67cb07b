#include "driver/report/document.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/digest.h"
#include "driver/model/inventory.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/model/version.h"
#include "driver/report/claim_json.h"
#include "driver/text/dead_letter_words.h"
#include "driver/text/display_name.h"
#include "driver/text/literal.h"
#include "driver/text/show.h"
#include "driver/text/utc.h"
#include "driver/text/words.h"

namespace parity::driver {
namespace {

double rounded(double seconds) { return std::round(seconds * 1000) / 1000; }

template <typename Value>
Json json_both(const Both<Value>& values) {
    return {{"source", values.source}, {"target", values.target}};
}

Json json_both_numbers(const Both<std::uint64_t>& values) {
    return {{"source", json_number(values.source)}, {"target", json_number(values.target)}};
}

/// A zero says that there are none: of large objects whose contents were not read to the end, mismatches are not known.
Json json_counts(const TableResult& result) {
    const FindingCounts& counts = result.counts;
    const auto& large_objects = result.plan.large_objects;
    const bool knows_mismatches =
        !large_objects || counts.mismatch > 0 || (result.error.empty() && large_objects->why_unread.empty());
    Json json = Json::object();
    if (knows_mismatches) json["mismatch"] = json_number(counts.mismatch);
    json["missing_on_target"] = json_number(counts.missing_on_target);
    json["missing_on_source"] = json_number(counts.missing_on_source);
    if (counts.unresolved_on_target > 0) json["unresolved_on_target"] = json_number(counts.unresolved_on_target);
    if (counts.unresolved_on_source > 0) json["unresolved_on_source"] = json_number(counts.unresolved_on_source);
    return json;
}

/// What was asked for beside the servers; no connection strings.
Json json_options(const Options& options) {
    Json json = Json::object();
    for (const auto& [name, values] : options.given) json[name] = json_messages(values);
    return json;
}

Json json_record(const RunReport& report) {
    Json record{{"run", report.recorded_run ? Json(*report.recorded_run) : Json(nullptr)}};
    if (!report.record_failure.empty()) record["error"] = clean(report.record_failure);
    return record;
}

void add_names(Json& json, const Both<QualifiedName>& names) {
    for (Side side : kSides)
        if (!names[side].name.empty()) json[std::string(side_name(side))] = exact_name(names[side]);
}

Json json_compared_again(const std::vector<std::pair<Both<QualifiedName>, std::string>>& tables) {
    Json again = Json::array();
    for (const auto& [names, reason] : tables) {
        Json table = Json::object();
        add_names(table, names);
        table["reason"] = clean(reason);
        again.push_back(std::move(table));
    }
    return again;
}

/// What a run that is kept (--state) has from its earlier parts.
Json json_state(const RunReport& report) {
    Json state{{"continued", report.continued ? report.continued->times : 0}};
    if (report.continued) {
        state["tables_kept"] = report.continued->kept;
        state["compared_again"] = json_compared_again(report.continued->voided);
    }
    if (!report.state_failure.empty()) state["error"] = clean(report.state_failure);
    return state;
}

Json json_failover(const RunReport& report) {
    Json servers = Json::array();
    for (const ServerFailover& failover : report.failovers)
        servers.push_back({{"side", side_name(failover.side)},
                           {"at", show_utc(failover.at_us)},
                           {"before", failover.before},
                           {"after", failover.after}});
    return {{"servers", std::move(servers)}, {"compared_again", json_compared_again(report.compared_again)}};
}

Json json_head(const RunReport& report) {
    Json head{{"tool", "pgparity"},
              {"version", kVersion},
              {"schema_version", kReportSchemaVersion},
              {"format_version", core::kFormatVersion},
              {"result", verdict_name(report.outcome.result)},
              {"incomplete", report.outcome.incomplete},
              {"interrupted", report.interrupted},
              {"exit_status", report.outcome.exit_status},
              {"started_at", report.started_at},
              {"elapsed_seconds", rounded(report.elapsed_seconds)},
              {"seed", json_number(report.seed)},
              {"width", report.options->width},
              {"max_divergences", report.options->max_divergences},
              {"strict_schema", report.options->strict_schema},
              {"options", json_options(*report.options)}};
    if (const std::string_view name = run_end_name(report.ended_by); !name.empty()) head["ended_by"] = name;
    if (!report.options->record.empty()) head["record"] = json_record(report);
    if (!report.options->state.empty()) head["state"] = json_state(report);
    if (!report.failovers.empty()) head["failover"] = json_failover(report);
    head["source"] = json_server(report.server.source);
    head["target"] = json_server(report.server.target);
    return head;
}

Json json_differences(const Plan& plan) {
    Json list = Json::array();
    for (const SchemaDifference& difference : plan.differences) {
        Json json{{"severity", severity_name(difference.severity)},
                  {"object", clean(difference.object)},
                  {"message", clean(difference.message)}};
        if (difference.only_on) {
            json["kind"] = difference.lone_kind;
            json["only_on"] = side_name(*difference.only_on);
        }
        list.push_back(std::move(json));
    }
    return list;
}

void add_measures(Json& json, const TableResult& result) {
    json["path"] = json_both(result.path);
    json["rows"] = json_both_numbers(result.rows);
    json["lsn"] = json_both(result.lsn);
    json["ranges"] = {{"compared", result.ranges_compared}, {"divergent", result.ranges_divergent}};
}

/// Of rows that both sides have.
void add_column_counts(Json& json, const TableResult& result, const ColumnCounts& counts) {
    json["compared"] = json_number(result.rows.source - std::min(result.counts.missing_on_target, result.rows.source));
    json["differing"] = json_number(counts.differing);
    json["null_to_value"] = json_number(counts.null_to_value);
    json["value_to_null"] = json_number(counts.value_to_null);
}

void add_concentration(Json& json, const TableResult& result) {
    const Concentration& found = result.concentration;
    if (!found.interval && !found.columns && !found.partition) return;
    Json where = Json::object();
    if (found.interval) {
        const KeyWriter keys(result.plan.key);
        where["key"] = {{"first", json_row(result.plan.key, keys.values(found.interval->first_key))},
                        {"last", json_row(result.plan.key, keys.values(found.interval->last_key))},
                        {"rows", json_number(found.interval->rows)},
                        {"of", json_number(found.interval->of)},
                        {"ranges", found.interval->ranges}};
    }
    if (found.columns) {
        Json names = Json::array();
        for (int column : found.columns->columns)
            names.push_back(bare_name(result.plan.columns.at(static_cast<std::size_t>(column)).name.source));
        where["columns"] = {{"names", std::move(names)},
                            {"mismatches", json_number(found.columns->mismatches)},
                            {"of", json_number(found.columns->of)}};
    }
    if (found.partition) {
        where["partition"] = {{"side", side_name(found.partition->side)},
                              {"name", exact_name(found.partition->name)},
                              {"rows", json_number(found.partition->rows)},
                              {"of", json_number(found.partition->of)}};
        if (found.partition->sampled) where["partition"]["sampled"] = true;
    }
    json["concentration"] = std::move(where);
}

/// Whether the differing rows were counted, so that a zero says that there are none.
bool has_counts(const TableResult& result) { return result.error.empty() || result.counts.total() > 0; }

void add_columns(Json& json, const TableResult& result) {
    if (result.plan.scope.without_children) json["without_children"] = true;
    Json key = Json::array(), forms = Json::array();
    for (const ColumnPlan& column : result.plan.key) {
        key.push_back(bare_name(column.name.source));
        forms.push_back(column.form);
    }
    json["key"] = std::move(key);
    json["key_forms"] = std::move(forms);
    json["key_proven"] = result.plan.key_proven;
    if (!result.plan.where.empty()) json["where"] = clean(result.plan.where);
    if (result.plan.visible_rows_only) json["visible_rows_only"] = true;
    Json columns = Json::array();
    for (std::size_t i = 0; i < result.plan.columns.size(); ++i) {
        const ColumnPlan& column = result.plan.columns[i];
        Json entry{{"name", bare_name(column.name.source)}};
        if (column.name.target != column.name.source) entry["target_name"] = bare_name(column.name.target);
        entry["form"] = column.form;
        if (column.type.source != column.type.target) entry["types"] = json_both(column.type);
        if (result.counts.total() > 0 && i < result.column_counts.size())
            add_column_counts(entry, result, result.column_counts[i]);
        if (i < result.column_divergent.size() && has_counts(result))
            entry["divergent"] = static_cast<bool>(result.column_divergent[i]);
        columns.push_back(std::move(entry));
    }
    json["columns"] = std::move(columns);
}

Json json_dead_letter(const TablePlan& plan, const DeadLetter& letter) {
    Json json{{"side", side_name(letter.side)}, {"place", clean(place_words(plan, letter))}};
    if (!letter.relation.empty()) json["relation"] = letter.relation;
    if (letter.block >= 0) json["block"] = letter.block;
    if (letter.line > 0) json["line"] = letter.line;
    if (letter.has_key) json["key"] = json_row(plan.key, KeyWriter(plan.key).values(letter.key_bytes));
    if (letter.has_range)
        json["keys"] = {{"from", json_bound(plan.key, letter.lower)}, {"below", json_bound(plan.key, letter.upper)}};
    if (!letter.column.empty()) json["column"] = bare_name(letter.column);
    json["sqlstate"] = letter.sqlstate;
    json["message"] = clean(letter.message);
    json["attempts"] = letter.attempts;
    return json;
}

void add_dead_letters(Json& json, const TableResult& result) {
    if (result.dead_letters.empty()) return;
    Json letters = Json::array();
    for (const DeadLetter& letter : result.dead_letters) letters.push_back(json_dead_letter(result.plan, letter));
    json["dead_letters"] = std::move(letters);
}

void add_end(Json& json, const TableResult& result) {
    if (has_counts(result)) json["counts"] = json_counts(result);
    if (result.listed < result.counts.total()) json["not_listed"] = json_number(result.counts.total() - result.listed);
    add_dead_letters(json, result);
    json["skipped"] = json_messages(result.skipped);
    json["notes"] = json_messages(result.notes);
    if (!result.begun) json["never_begun"] = true;
    if (result.attempts > 1) json["attempts"] = result.attempts;
    if (!result.error.empty()) json["error"] = clean(result.error);
    if (!result.sqlstate.empty()) json["sqlstate"] = result.sqlstate;
    json["elapsed_seconds"] = rounded(result.elapsed_seconds);
}

/// A table that could not be compared at all: nothing is known but why.
Json json_skipped_table(const Both<QualifiedName>& names, const std::string& reason) {
    Json json = Json::object();
    add_names(json, names);
    json["result"] = verdict_name(Verdict::kIncomplete);
    json["incomplete"] = true;
    json["not_compared"] = clean(reason);
    json["columns"] = Json::array();
    json["divergences"] = Json::array();
    json["skipped"] = json_messages({reason});
    json["notes"] = Json::array();
    return json;
}

Json json_large_objects(const TableResult& result) {
    Json json{{"result", verdict_name(result.verdict)}, {"incomplete", result.incomplete}};
    if (result.ranges_compared > 0) {
        json["objects"] = json_both_numbers(result.rows);
        json["lsn"] = json_both(result.lsn);
    }
    json["contents_read"] = result.plan.large_objects->why_unread.empty();
    json["divergences"] = Json::array();
    add_end(json, result);
    return json;
}

Json json_large_object(const TablePlan& plan, const Finding& finding) {
    Json json{{"kind", finding_name(finding.kind)}, {"oid", *KeyWriter(plan.key).values(finding.key_bytes).front()}};
    if (finding.kind != FindingKind::kMismatch) return json;
    const LargeObjectFinding found = large_object_finding(finding);
    json["first_difference"] = found.first_difference;
    json["length"] = json_both(found.length);
    return json;
}

/// Nothing known is null.
Json json_sequence_value(const SequenceResult& result, Side side) {
    const SequenceDesc& sequence = result.sequence[side];
    if (!sequence.value) return nullptr;
    const std::optional<std::string>& next = result.next[side];
    return {{"last_value", std::to_string(sequence.value->last_value)},
            {"is_called", sequence.value->is_called},
            {"next_value", next ? Json(*next) : Json(nullptr)},
            {"increment", std::to_string(sequence.increment)}};
}

Json json_sequences(const std::vector<SequenceResult>& results) {
    Json list = Json::array();
    for (const SequenceResult& result : results) {
        Json json{{"source", exact_name(result.sequence.source.name)},
                  {"target", exact_name(result.sequence.target.name)},
                  {"result", verdict_name(result.verdict)}};
        json["value"] = {{"source", json_sequence_value(result, Side::kSource)},
                         {"target", json_sequence_value(result, Side::kTarget)}};
        if (const std::string_view position = position_name(result.position); !position.empty())
            json["position"] = position;
        if (!result.reason.empty()) json["reason"] = clean(result.reason);
        if (!result.notes.empty()) json["notes"] = json_messages(result.notes);
        list.push_back(std::move(json));
    }
    return list;
}

Json json_errors(const std::vector<RunError>& errors) {
    Json list = Json::array();
    for (const RunError& error : errors) {
        Json json = Json::object();
        if (!error.object.empty()) json["table"] = clean(error.object);
        json["message"] = clean(error.message);
        if (!error.sqlstate.empty()) json["sqlstate"] = error.sqlstate;
        list.push_back(std::move(json));
    }
    return list;
}

}  // namespace

Json json_server(const ServerInfo& server) {
    Json json{{"server_version", server.version},
              {"system_identifier",
               server.identity.system_identifier.empty() ? Json(nullptr) : Json(server.identity.system_identifier)}};
    if (!server.host.empty()) json["host"] = clean(server.host);
    if (!server.port.empty()) json["port"] = clean(server.port);
    json["database"] = json_text(server.database);
    json["role"] = json_text(server.role);
    json["encoding"] = server.encoding;
    json["in_recovery"] = server.identity.in_recovery;
    json["lsn"] = server.lsn;
    json["extension_version"] = server.extension_version;
    return json;
}

Json json_table(const TableResult& result) {
    Json json = Json::object();
    add_names(json, result.plan.name);
    json["result"] = verdict_name(result.verdict);
    json["incomplete"] = result.incomplete;
    if (result.ranges_compared > 0) {
        add_measures(json, result);
        add_claim(json, result);
    }
    add_columns(json, result);
    add_concentration(json, result);
    json["divergences"] = Json::array();
    add_end(json, result);
    return json;
}

Json beginning_of(const RunReport& report) {
    Json head = json_head(report);
    for (const char* member :
         {"result", "incomplete", "interrupted", "exit_status", "elapsed_seconds", "record", "failover"})
        head.erase(member);
    head["schema_differences"] = json_differences(report.plan);
    return head;
}

RunDocument::RunDocument(const RunReport& report, FindingStore& findings)
    : report_(report), findings_(findings), head_(json_head(report)) {
    head_["schema_differences"] = json_differences(report.plan);
    add_tables();
    add_large_objects();
    head_["sequences"] = json_sequences(report.sequences);
    head_["not_compared"] = json_messages(report.plan.not_compared);
    head_["errors"] = json_errors(report.errors);
    if (!report.plan.hints.empty()) head_["hints"] = json_messages(report.plan.hints);
}

void RunDocument::add_tables() {
    Json tables = Json::array();
    for (std::size_t position : report_order(report_)) {
        const TableResult& result = report_.tables[position];
        if (result.plan.large_objects) {
            large_objects_ = position;
            continue;
        }
        tables.push_back(json_table(result));
        positions_.emplace_back(position);
    }
    for (const auto& [names, reason] : report_.plan.skipped_tables) {
        tables.push_back(json_skipped_table(names, reason));
        positions_.emplace_back();
    }
    head_["tables"] = std::move(tables);
}

void RunDocument::add_large_objects() {
    if (large_objects_) head_["large_objects"] = json_large_objects(report_.tables[*large_objects_]);
}

void RunDocument::for_each_divergence(std::optional<std::size_t> table,
                                      const std::function<void(const Json&)>& take) const {
    const std::optional<std::size_t> position = table ? positions_.at(*table) : large_objects_;
    if (!position || report_.tables[*position].listed == 0) return;
    const TablePlan& plan = report_.tables[*position].plan;
    const int number = static_cast<int>(*position);
    if (plan.large_objects) {
        findings_.for_each(number, [&](const Finding& finding) { take(json_large_object(plan, finding)); });
        return;
    }
    const FindingWriter writer(plan);
    findings_.for_each(number, [&](const Finding& finding) { take(writer.json(finding)); });
}

}  // namespace parity::driver
