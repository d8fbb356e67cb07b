#include <cmath>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/digest.h"
#include "driver/model/inventory.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/model/version.h"
#include "driver/report/finding_json.h"
#include "driver/report/report.h"
#include "driver/state/findings.h"
#include "driver/text/display_name.h"
#include "driver/text/show.h"
#include "driver/text/words.h"
#include "driver/waiting/interrupt.h"

namespace parity::driver {
namespace {

constexpr int kSchemaVersion = 1;

/// Writes a JSON document member by member, so that it need not be held. Keeps track of commas and indentation; small
/// values go on one line.
class JsonWriter {
  public:
    explicit JsonWriter(Output& output) : output_(output) {}

    void open(char bracket) {
        output_.write(std::string(1, bracket));
        ++depth_;
        empty_ = true;
    }
    void open(std::string_view name, char bracket) {
        next_member(name);
        open(bracket);
    }
    void close(char bracket) {
        --depth_;
        if (!empty_) new_line();
        output_.write(std::string(1, bracket));
        empty_ = false;
    }
    void member(std::string_view name, const Json& value) {
        next_member(name);
        output_.write_json(dumped(value));
        empty_ = false;
    }
    void element(const Json& value) {
        next();
        output_.write_json(dumped(value));
        empty_ = false;
    }
    void open_element(char bracket) {
        next();
        open(bracket);
    }
    void end() { output_.write("\n"); }

  private:
    void next() {
        if (!empty_) output_.write(",");
        new_line();
    }
    void next_member(std::string_view name) {
        next();
        output_.write_json(dumped(name) + ": ");
    }
    void new_line() { output_.write("\n" + std::string(static_cast<std::size_t>(2 * depth_), ' ')); }

    Output& output_;
    int depth_ = 0;
    bool empty_ = true;
};

double rounded(double seconds) { return std::round(seconds * 1000) / 1000; }

Json json_counts(const FindingCounts& counts) {
    return {{"mismatch", json_number(counts.mismatch)},
            {"missing_on_target", json_number(counts.missing_on_target)},
            {"missing_on_source", json_number(counts.missing_on_source)}};
}

Json json_server(const ServerInfo& server) {
    return {{"server_version", server.version},
            {"system_identifier",
             server.identity.system_identifier.empty() ? Json(nullptr) : Json(server.identity.system_identifier)},
            {"database", json_text(server.database)},
            {"encoding", server.encoding},
            {"in_recovery", server.identity.in_recovery},
            {"lsn", server.lsn},
            {"extension_version", server.extension_version}};
}

class JsonReport {
  public:
    JsonReport(const RunReport& report, FindingStore& findings, Output& output)
        : report_(report), findings_(findings), writer_(output) {}

    void write() {
        writer_.open('{');
        write_head();
        write_differences();
        write_tables();
        write_large_objects();
        write_sequences();
        writer_.member("not_compared", json_messages(report_.plan.not_compared));
        write_errors();
        writer_.close('}');
        writer_.end();
    }

  private:
    void write_head() {
        writer_.member("tool", "pgparity");
        writer_.member("version", kVersion);
        writer_.member("schema_version", kSchemaVersion);
        writer_.member("format_version", core::kFormatVersion);
        writer_.member("result", verdict_name(report_.outcome.result));
        writer_.member("incomplete", report_.outcome.incomplete);
        writer_.member("interrupted", report_.interrupted);
        writer_.member("exit_status", report_.outcome.exit_status);
        writer_.member("started_at", report_.started_at);
        writer_.member("elapsed_seconds", rounded(report_.elapsed_seconds));
        writer_.member("seed", json_number(report_.seed));
        writer_.member("width", report_.options->width);
        if (!report_.options->record.empty()) write_record();
        writer_.member("source", json_server(report_.server.source));
        writer_.member("target", json_server(report_.server.target));
    }

    void write_record() {
        Json record{{"run", report_.recorded_run ? Json(*report_.recorded_run) : Json(nullptr)}};
        if (!report_.record_failure.empty()) record["error"] = clean(report_.record_failure);
        writer_.member("record", record);
    }

    void write_differences() {
        writer_.open("schema_differences", '[');
        for (const SchemaDifference& difference : report_.plan.differences)
            writer_.element({{"severity", severity_name(difference.severity)},
                             {"object", clean(difference.object)},
                             {"message", clean(difference.message)}});
        writer_.close(']');
    }

    void write_tables() {
        writer_.open("tables", '[');
        for (std::size_t position : report_order(report_))
            if (!report_.tables[position].plan.large_objects) write_table(position);
        for (const auto& [names, reason] : report_.plan.skipped_tables) write_skipped_table(names, reason);
        writer_.close(']');
    }

    void write_table(std::size_t position) {
        const TableResult& result = report_.tables[position];
        writer_.open_element('{');
        write_names(result.plan.name);
        writer_.member("result", verdict_name(result.verdict));
        writer_.member("incomplete", result.incomplete);
        if (result.ranges_compared > 0) write_measures(result);
        write_columns(result);
        write_divergences(static_cast<int>(position), result);
        write_end_of_result(result);
    }

    void write_end_of_result(const TableResult& result) {
        writer_.member("counts", json_counts(result.counts));
        if (result.listed < result.counts.total())
            writer_.member("not_listed", json_number(result.counts.total() - result.listed));
        writer_.member("skipped", json_messages(result.skipped));
        writer_.member("notes", json_messages(result.notes));
        if (!result.error.empty()) writer_.member("error", clean(result.error));
        writer_.member("elapsed_seconds", rounded(result.elapsed_seconds));
        writer_.close('}');
    }

    void write_names(const Both<QualifiedName>& names) {
        for (Side side : kSides)
            if (!names[side].name.empty()) writer_.member(side_name(side), exact_name(names[side]));
    }

    void write_measures(const TableResult& result) {
        writer_.member("path", {{"source", result.path.source}, {"target", result.path.target}});
        writer_.member("rows",
                       {{"source", json_number(result.rows.source)}, {"target", json_number(result.rows.target)}});
        writer_.member("lsn", {{"source", result.lsn.source}, {"target", result.lsn.target}});
        writer_.member("ranges", {{"compared", result.ranges_compared}, {"divergent", result.ranges_divergent}});
    }

    void write_columns(const TableResult& result) {
        Json key = Json::array();
        for (const ColumnPlan& column : result.plan.key) key.push_back(bare_name(column.name.source));
        if (result.plan.scope.without_children) writer_.member("without_children", true);
        writer_.member("key", key);
        writer_.member("key_proven", result.plan.key_proven);
        if (!result.plan.where.empty()) writer_.member("where", clean(result.plan.where));
        writer_.open("columns", '[');
        for (std::size_t i = 0; i < result.plan.columns.size(); ++i) {
            const ColumnPlan& column = result.plan.columns[i];
            Json json{{"name", bare_name(column.name.source)}};
            if (column.name.target != column.name.source) json["target_name"] = bare_name(column.name.target);
            json["form"] = column.form;
            if (i < result.column_divergent.size()) json["divergent"] = static_cast<bool>(result.column_divergent[i]);
            writer_.element(json);
        }
        writer_.close(']');
    }

    void write_divergences(int table_no, const TableResult& result) {
        writer_.open("divergences", '[');
        if (result.listed > 0) {
            const FindingWriter findings(result.plan);
            findings_.for_each(table_no, [&](const Finding& finding) { writer_.element(findings.json(finding)); });
        }
        writer_.close(']');
    }

    void write_large_objects() {
        for (std::size_t position = 0; position < report_.tables.size(); ++position)
            if (report_.tables[position].plan.large_objects) write_large_objects(position);
    }

    void write_large_objects(std::size_t position) {
        const TableResult& result = report_.tables[position];
        writer_.open("large_objects", '{');
        writer_.member("result", verdict_name(result.verdict));
        writer_.member("incomplete", result.incomplete);
        if (result.ranges_compared > 0) {
            writer_.member("objects",
                           {{"source", json_number(result.rows.source)}, {"target", json_number(result.rows.target)}});
            writer_.member("lsn", {{"source", result.lsn.source}, {"target", result.lsn.target}});
        }
        writer_.member("contents_read", result.plan.large_objects->why_unread.empty());
        writer_.open("divergences", '[');
        if (result.listed > 0)
            findings_.for_each(static_cast<int>(position), [&](const Finding& finding) {
                writer_.element(json_large_object(result.plan, finding));
            });
        writer_.close(']');
        write_end_of_result(result);
    }

    static Json json_large_object(const TablePlan& plan, const Finding& finding) {
        Json json{{"kind", finding_name(finding.kind)},
                  {"oid", *render_key_values(forms_of(plan.key), finding.key_bytes).front()}};
        if (finding.kind != FindingKind::kMismatch) return json;
        const LargeObjectFinding found = large_object_finding(finding);
        json["first_difference"] = found.first_difference;
        json["length"] = {{"source", found.length.source}, {"target", found.length.target}};
        return json;
    }

    /// A table that could not be compared at all: nothing is known but why.
    void write_skipped_table(const Both<QualifiedName>& names, const std::string& reason) {
        writer_.open_element('{');
        write_names(names);
        writer_.member("result", verdict_name(Verdict::kIncomplete));
        writer_.member("incomplete", true);
        writer_.member("columns", Json::array());
        writer_.member("divergences", Json::array());
        writer_.member("counts", json_counts({}));
        writer_.member("skipped", json_messages({reason}));
        writer_.member("notes", Json::array());
        writer_.close('}');
    }

    void write_sequences() {
        writer_.open("sequences", '[');
        for (const SequenceResult& result : report_.sequences) {
            Json json{{"source", exact_name(result.sequence.source.name)},
                      {"target", exact_name(result.sequence.target.name)},
                      {"result", verdict_name(result.verdict)}};
            json["value"] = {{"source", json_sequence(result, Side::kSource)},
                             {"target", json_sequence(result, Side::kTarget)}};
            if (const std::string_view position = position_name(result.position); !position.empty())
                json["position"] = position;
            if (!result.reason.empty()) json["reason"] = clean(result.reason);
            if (!result.notes.empty()) json["notes"] = json_messages(result.notes);
            writer_.element(json);
        }
        writer_.close(']');
    }

    /// Nothing known is null.
    static Json json_sequence(const SequenceResult& result, Side side) {
        const SequenceDesc& sequence = result.sequence[side];
        if (!sequence.value) return nullptr;
        const std::optional<std::string>& next = result.next[side];
        return {{"last_value", std::to_string(sequence.value->last_value)},
                {"is_called", sequence.value->is_called},
                {"next_value", next ? Json(*next) : Json(nullptr)},
                {"increment", std::to_string(sequence.increment)}};
    }

    void write_errors() {
        writer_.open("errors", '[');
        for (const RunError& error : report_.errors) {
            Json json = Json::object();
            if (!error.object.empty()) json["table"] = clean(error.object);
            json["message"] = clean(error.message);
            writer_.element(json);
        }
        writer_.close(']');
    }

    const RunReport& report_;
    FindingStore& findings_;
    JsonWriter writer_;
};

}  // namespace

void write_json_report(const RunReport& report, FindingStore& findings, Output& output) {
    JsonReport(report, findings, output).write();
}

}  // namespace parity::driver
