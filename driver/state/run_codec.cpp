#include "driver/state/run_codec.h"

#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include "driver/model/error.h"

/// Nothing is null.
template <typename T>
struct nlohmann::adl_serializer<std::optional<T>> {
    static void to_json(json& to, const std::optional<T>& value) {
        if (value)
            to = *value;
        else
            to = nullptr;
    }
    static void from_json(const json& from, std::optional<T>& value) {
        if (from.is_null())
            value.reset();
        else
            value = from.get<T>();
    }
};

namespace parity::driver {

template <typename T>
void to_json(nlohmann::json& to, const Both<T>& both) {
    to = {{"source", both.source}, {"target", both.target}};
}
template <typename T>
void from_json(const nlohmann::json& from, Both<T>& both) {
    from.at("source").get_to(both.source);
    from.at("target").get_to(both.target);
}

// The members of each type that are kept, by their names.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(QualifiedName, schema, name)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LogSwitch, timeline, end)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ServerIdentity, system_identifier, database_oid, started_us, in_recovery, timeline,
                                   read_us, log_end)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ServerInfo, version, version_num, identity, host, port, database, role, encoding,
                                   lsn, followed_timeline, extension_version, format_version, is_streamed,
                                   engine_reason, checkpointer)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RelationStorage, files, has_unlogged, collations)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TableSetting, table, where, ranges)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RunRequest, given, table_settings, seed, format_version, identity, tables)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SidePosition, lsn, timeline, timeline_began, in_recovery, started_us, checkpointer,
                                   seen_us, on_disk)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Notation, kind, parts, names, digits, point)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ColumnPlan, name, form, in_key, asked_forms, prefilter, type, notation)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TablePlan::Scope, without, key, forms, without_children)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(FindingCounts, mismatch, missing_on_target, missing_on_source,
                                                unresolved_on_target, unresolved_on_source)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DeadLetter, side, relation, block, line, has_key, key_bytes, has_range, lower, upper,
                                   column, sqlstate, message, attempts)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Span, lower, upper)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SpanClaim, span, verdict, as_of_us, rows, lsn, counts)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ColumnCounts, differing, null_to_value, value_to_null)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Concentration::Interval, first_key, last_key, rows, of, ranges)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Concentration::Columns, columns, mismatches, of)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Concentration::Partition, side, name, rows, of, sampled)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Concentration, interval, columns, partition)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SchemaDifference, severity, object, message, lone_kind, only_on)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SequenceValue, last_value, is_called, log_cnt)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SequenceDesc, oid, name, increment, value)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SequenceResult, sequence, verdict, position, reason, notes, next)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ServerFailover, side, at_us, before, after, started_us)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RunHead, server, differences, not_compared, hints, skipped_tables, sequences,
                                   elapsed_seconds, finished, interrupted, ended_by, failovers, continued, tables_kept,
                                   compared_again, compared_twice)

namespace {

using Document = nlohmann::json;

std::string to_bytes(const Document& document) {
    std::string bytes;
    Document::to_cbor(document, bytes);
    return bytes;
}

template <typename T, typename Read>
T from_bytes(std::string_view bytes, Read read) {
    try {
        T value;
        read(Document::from_cbor(bytes.begin(), bytes.end()), value);
        return value;
    } catch (const Document::exception&) {
        throw Error(ErrorKind::kUsage, "the state of the run is damaged: what is kept of it cannot be read",
                    "begin the run anew with another state");
    }
}

template <typename T>
T from_bytes(std::string_view bytes) {
    return from_bytes<T>(bytes, [](const Document& document, T& value) { document.get_to(value); });
}

}  // namespace

std::string encode_request(const RunRequest& request) { return to_bytes(request); }
RunRequest decode_request(std::string_view bytes) { return from_bytes<RunRequest>(bytes); }
std::string encode_position(const Both<SidePosition>& position) { return to_bytes(position); }
Both<SidePosition> decode_position(std::string_view bytes) { return from_bytes<Both<SidePosition>>(bytes); }
std::string encode_span_position(const Both<SidePosition>& position, const Both<std::string>& blocks_read) {
    Document document = position;
    document["blocks_read"] = blocks_read;
    return to_bytes(document);
}
Both<std::string> decode_blocks_read(std::string_view bytes) {
    return from_bytes<Both<std::string>>(
        bytes, [](const Document& document, Both<std::string>& blocks) { document.at("blocks_read").get_to(blocks); });
}
std::string encode_head(const RunHead& head) { return to_bytes(head); }
RunHead decode_head(std::string_view bytes) { return from_bytes<RunHead>(bytes); }

std::string encode_plan(const TablePlan& table) {
    Document document{{"oid", table.oid},
                      {"name", table.name},
                      {"relkind", table.relkind},
                      {"key", table.key},
                      {"key_proven", table.key_proven},
                      {"columns", table.columns},
                      {"ranges", table.ranges},
                      {"visible_rows_only", table.visible_rows_only},
                      {"columns_text", table.columns_text},
                      {"storage", table.storage},
                      {"where", table.where},
                      {"without_children", table.without_children},
                      {"skipped", table.skipped},
                      {"notes", table.notes},
                      {"scope", table.scope}};
    if (table.large_objects) document["large_objects"] = {{"why_unread", table.large_objects->why_unread}};
    return to_bytes(document);
}

TablePlan decode_plan(std::string_view bytes) {
    return from_bytes<TablePlan>(bytes, [](const Document& document, TablePlan& table) {
        document.at("oid").get_to(table.oid);
        document.at("name").get_to(table.name);
        document.at("relkind").get_to(table.relkind);
        document.at("key").get_to(table.key);
        document.at("key_proven").get_to(table.key_proven);
        document.at("columns").get_to(table.columns);
        document.at("ranges").get_to(table.ranges);
        document.at("visible_rows_only").get_to(table.visible_rows_only);
        document.at("columns_text").get_to(table.columns_text);
        document.at("storage").get_to(table.storage);
        document.at("where").get_to(table.where);
        document.at("without_children").get_to(table.without_children);
        document.at("skipped").get_to(table.skipped);
        document.at("notes").get_to(table.notes);
        document.at("scope").get_to(table.scope);
        if (document.contains("large_objects"))
            document["large_objects"].at("why_unread").get_to(table.large_objects.emplace().why_unread);
    });
}

std::string encode_result(const TableResult& result) {
    return to_bytes({{"verdict", result.verdict},
                     {"begun", result.begun},
                     {"incomplete", result.incomplete},
                     {"path", result.path},
                     {"rows", result.rows},
                     {"lsn", result.lsn},
                     {"as_of_us", result.as_of_us},
                     {"spans_planned", result.spans_planned},
                     {"spans", result.spans},
                     {"ranges_compared", result.ranges_compared},
                     {"ranges_divergent", result.ranges_divergent},
                     {"column_divergent", result.column_divergent},
                     {"column_counts", result.column_counts},
                     {"concentration", result.concentration},
                     {"counts", result.counts},
                     {"listed", result.listed},
                     {"dead_letters", result.dead_letters},
                     {"skipped", result.skipped},
                     {"notes", result.notes},
                     {"error", result.error},
                     {"sqlstate", result.sqlstate},
                     {"attempts", result.attempts},
                     {"elapsed_seconds", result.elapsed_seconds}});
}

TableResult decode_result(std::string_view bytes, TablePlan plan) {
    auto result = from_bytes<TableResult>(bytes, [](const Document& document, TableResult& read) {
        document.at("verdict").get_to(read.verdict);
        document.at("begun").get_to(read.begun);
        document.at("incomplete").get_to(read.incomplete);
        document.at("path").get_to(read.path);
        document.at("rows").get_to(read.rows);
        document.at("lsn").get_to(read.lsn);
        document.at("as_of_us").get_to(read.as_of_us);
        document.at("spans_planned").get_to(read.spans_planned);
        document.at("spans").get_to(read.spans);
        document.at("ranges_compared").get_to(read.ranges_compared);
        document.at("ranges_divergent").get_to(read.ranges_divergent);
        document.at("column_divergent").get_to(read.column_divergent);
        document.at("column_counts").get_to(read.column_counts);
        document.at("concentration").get_to(read.concentration);
        document.at("counts").get_to(read.counts);
        document.at("listed").get_to(read.listed);
        if (document.contains("dead_letters")) document["dead_letters"].get_to(read.dead_letters);
        document.at("skipped").get_to(read.skipped);
        document.at("notes").get_to(read.notes);
        document.at("error").get_to(read.error);
        document.at("sqlstate").get_to(read.sqlstate);
        document.at("attempts").get_to(read.attempts);
        document.at("elapsed_seconds").get_to(read.elapsed_seconds);
    });
    result.plan = std::move(plan);
    return result;
}

}  // namespace parity::driver
