#include "driver/postgres/queries/digests.h"

#include <fmt/core.h>

#include "driver/postgres/queries/quoting.h"
#include "driver/postgres/queries/shown.h"

namespace parity::driver {
namespace {

/// Parameters $1 … of every call of the extension: the relation, its key, columns and their forms as two parallel
/// lists. A keyless table has an empty list of key columns, which is not the same as none (NULL: the relation's own
/// key).
std::vector<Parameter> relation_parameters(const TablePlan& table, Side side) {
    std::vector<std::string> key, columns, named, forms;
    for (const ColumnPlan& column : table.key) key.push_back(column.name[side]);
    for (const ColumnPlan& column : table.columns) columns.push_back(column.name[side]);
    for (const auto* list : {&table.key, &table.columns}) {
        for (const ColumnPlan& column : *list) {
            named.push_back(column.name[side]);
            forms.push_back(asked_form(column, side));
        }
    }
    return {std::to_string(table.oid[side]), array_literal(key), array_literal(columns), array_literal(named),
            array_literal(forms)};
}

constexpr const char* kRelationArguments =
    "relation => $1::pg_catalog.oid::pg_catalog.regclass, key_columns => $2::pg_catalog.text[], "
    "columns => $3::pg_catalog.text[], "
    "forms => pg_catalog.jsonb_object($4::pg_catalog.text[], $5::pg_catalog.text[])";

constexpr const char* kDigestArguments =
    "filter => $6::pg_catalog.text, seed => $7::pg_catalog.int8, width => $8::pg_catalog.int4";

std::vector<Parameter> digest_parameters(const TablePlan& table, Side side, const DigestSettings& settings) {
    std::vector<Parameter> parameters = relation_parameters(table, side);
    parameters.push_back(table.where.empty() ? Parameter{} : Parameter{table.where});
    parameters.push_back(std::to_string(static_cast<std::int64_t>(settings.seed)));
    parameters.push_back(std::to_string(settings.width));
    return parameters;
}

/// Ends the arguments of a call of the extension.
std::string_view without_children(const TablePlan& table, Side side) {
    return table.without_children[side] ? ", without_children => true" : "";
}

/// Ends those of a call that digests.
std::string path_argument(const TablePlan& table, Side side) {
    return fmt::format("{}{}", without_children(table, side),
                       table.manner[side].by_aggregate ? ", path => 'aggregate'" : "");
}

/// The table with some of its columns; none: all.
TablePlan with_columns(TablePlan table, const std::vector<int>& indexes) {
    if (indexes.empty()) return table;
    std::vector<ColumnPlan> columns;
    for (int index : indexes) columns.push_back(table.columns[static_cast<std::size_t>(index)]);
    table.columns = std::move(columns);
    return table;
}

void append_ranges(std::vector<Parameter>& parameters, const DigestSettings& settings, const RangeList& ranges) {
    parameters.push_back(bytea_array(ranges.bounds));
    parameters.push_back(ranges.only.empty() ? Parameter{} : integer_array(ranges.only));
    parameters.push_back(settings.workers ? Parameter{std::to_string(*settings.workers)} : Parameter{});
    parameters.push_back(std::to_string(ranges.buckets));
}

constexpr const char* kRangeArguments =
    "bounds => $9::pg_catalog.bytea[], only_ranges => $10::pg_catalog.int4[], workers => $11::pg_catalog.int4, "
    "buckets => $12::pg_catalog.int4";

/// Parameters $1 … $4 of calls that are about the key alone.
std::vector<Parameter> key_parameters(const TablePlan& table, Side side) {
    std::vector<Parameter> parameters = relation_parameters(table, side);
    parameters.erase(parameters.begin() + 2);
    return parameters;
}

constexpr const char* kKeyArguments =
    "relation => $1::pg_catalog.oid::pg_catalog.regclass, key_columns => $2::pg_catalog.text[], "
    "forms => pg_catalog.jsonb_object($3::pg_catalog.text[], $4::pg_catalog.text[])";

}  // namespace

Query split_keys_call(const TablePlan& table, Side side, int ranges) {
    std::vector<Parameter> parameters = key_parameters(table, side);
    parameters.push_back(std::to_string(ranges));
    return {fmt::format("SELECT ARRAY(SELECT bound FROM parity.split_keys({}, ranges => $5::pg_catalog.int4{}))",
                        kKeyArguments, without_children(table, side)),
            std::move(parameters)};
}

Query span_obstacle_call(const TablePlan& table, Side side) {
    return {fmt::format("SELECT parity_internal.why_not_by_blocks({}{})", kKeyArguments, without_children(table, side)),
            key_parameters(table, side)};
}

Query read_by_blocks_call(const std::string& blocks_read_before) {
    return {"SELECT parity_internal.read_by_blocks($1::pg_catalog.bytea)", {Parameter::binary(blocks_read_before)}};
}

Query last_blocks_call() { return {"SELECT parity_internal.last_blocks()", {}}; }

Query check_other_blocks_call(const TablePlan& table, Side side, const std::string& blocks_read) {
    std::vector<Parameter> parameters = key_parameters(table, side);
    parameters.push_back(Parameter::binary(blocks_read));
    return {fmt::format("SELECT blocks, rows FROM parity_internal.check_other_blocks({}, "
                        "blocks_read => $5::pg_catalog.bytea{})",
                        kKeyArguments, without_children(table, side)),
            std::move(parameters)};
}

Query range_digests_call(const TablePlan& table, Side side, const DigestSettings& settings, const RangeList& ranges) {
    std::vector<Parameter> parameters = digest_parameters(table, side, settings);
    append_ranges(parameters, settings, ranges);
    return {fmt::format("SELECT range_no, row_count, key_digest, row_digest, column_digests, path_taken "
                        "FROM parity.range_digests({}, {}, {}{}) ORDER BY range_no",
                        kRelationArguments, kDigestArguments, kRangeArguments, path_argument(table, side)),
            std::move(parameters)};
}

Query range_totals_call(const TablePlan& table, Side side, const DigestSettings& settings, const RangeList& ranges) {
    std::vector<Parameter> parameters = digest_parameters(with_columns(table, ranges.columns), side, settings);
    append_ranges(parameters, settings, ranges);
    return {fmt::format("SELECT range_numbers, row_counts, key_digests, row_digests, path_taken "
                        "FROM parity.range_totals({}, {}, {}{})",
                        kRelationArguments, kDigestArguments, kRangeArguments, path_argument(table, side)),
            std::move(parameters)};
}

Query last_buckets_call(const std::vector<std::int32_t>& ranges) {
    return {"SELECT range_no, buckets, sums FROM parity.last_buckets($1::pg_catalog.int4[])", {integer_array(ranges)}};
}

Query last_digest_call() {
    return {
        "SELECT pg_catalog.format('%s%s, %s of %s workers, %s pages, %s rows, %s s', path, "
        "CASE WHEN obstacle IS NOT NULL THEN pg_catalog.format(' (%s)', obstacle) END, "
        "COALESCE(workers_launched::pg_catalog.text, '?'), "
        "COALESCE(workers_requested::pg_catalog.text, '?'), COALESCE(pages::pg_catalog.text, '?'), rows, "
        "pg_catalog.round((milliseconds / 1000)::pg_catalog.numeric, 3)) FROM parity.last_digest()",
        {}};
}

Query row_records_call(const TablePlan& table, Side side, const DigestSettings& settings, const RangeList& ranges) {
    std::vector<Parameter> parameters = digest_parameters(table, side, settings);
    append_ranges(parameters, settings, ranges);
    return {fmt::format("SELECT row_count, records FROM parity.row_records({}, {}, {}{})", kRelationArguments,
                        kDigestArguments, kRangeArguments, without_children(table, side)),
            std::move(parameters)};
}

Query row_values_call(const TablePlan& table, Side side, const DigestSettings& settings,
                      const std::vector<std::string>& keys) {
    std::vector<Parameter> parameters = digest_parameters(table, side, settings);
    parameters.push_back(bytea_array(keys));
    return {
        fmt::format("SELECT key, row_hash, COALESCE((SELECT pg_catalog.array_agg({} "
                    "ORDER BY v.no) FROM pg_catalog.unnest(column_values) WITH ORDINALITY AS v(shown, no)), "
                    "'{{}}'::pg_catalog.text[]) FROM parity.row_digests({}, {}, "
                    "keys => $9::pg_catalog.bytea[], with_values => true{})",
                    shown_expression("v.shown"), kRelationArguments, kDigestArguments, without_children(table, side)),
        std::move(parameters)};
}

}  // namespace parity::driver
