#include "driver/postgres/queries/partitions.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "driver/postgres/queries/quoting.h"
#include "driver/text/literal.h"

namespace parity::driver {
namespace {

/// Whether values of a type can be elements of an array that unnest() gives. The name of a type outside pg_catalog has
/// a schema; code of others reads it. Of an array, unnest() would give what is inside.
bool can_be_listed(const std::string& type) { return type.find('.') == std::string::npos && !type.ends_with(']'); }

/// Whether a side reads the texts of a column's keys as these keys. The source's type has written them. A text of money
/// is another amount under another lc_monetary, and a text of "char" is another value of any other type. The source's
/// type may be a domain over them; of a domain the target is not asked.
bool reads_back(const ColumnPlan& column, Side side) {
    const auto is_either = [&](std::string_view type, Notation::Kind kind) {
        return column.type.source == type || column.type.target == type || column.notation.kind == kind;
    };
    if (side == Side::kSource) return true;
    if (is_either("money", Notation::Kind::kMoney)) return false;
    return !is_either("\"char\"", Notation::Kind::kChar) || column.type.source == column.type.target;
}

/// A column of a form with a zone holds other values than its keys.
bool can_be_asked_for(const ColumnPlan& column, Side side) {
    return column.asked_forms[side].empty() && can_be_listed(column.type[side]) && reads_back(column, side);
}

}  // namespace

Query partition_bounds_query(std::uint32_t oid) {
    return {R"(WITH RECURSIVE tree(oid) AS (SELECT $1::pg_catalog.oid
    UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i JOIN tree AS t ON i.inhparent = t.oid)
SELECT n.nspname, c.relname, b.condition, pg_catalog.pg_relation_size(c.oid)
    / pg_catalog.current_setting('block_size')::pg_catalog.int8
FROM tree AS t
JOIN pg_catalog.pg_class AS c ON c.oid = t.oid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
CROSS JOIN LATERAL pg_catalog.pg_get_partition_constraintdef(c.oid) AS b(condition)
WHERE c.relkind = 'r' AND c.relispartition AND am.amname = 'heap' AND b.condition IS NOT NULL
AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
AND NOT pg_catalog.row_security_active(c.oid) ORDER BY c.oid)",
            {std::to_string(oid)}};
}

/// An array, because thousands of selects in a UNION would exhaust the stack of the server's parser.
std::string count_misplaced_statement(const std::vector<PartitionBound>& bounds) {
    std::vector<std::string> counts;
    for (const PartitionBound& bound : bounds) {
        const std::string sample =
            bound.percent < 100 ? fmt::format(" TABLESAMPLE SYSTEM ({:.6f}) REPEATABLE (0)", bound.percent) : "";
        counts.push_back(fmt::format("(SELECT pg_catalog.count(*) FROM ONLY {}{} WHERE NOT ({}))",
                                     quote_identifier(bound.name), sample, bound.condition));
    }
    return fmt::format("SELECT pg_catalog.sum(c.rows)::pg_catalog.int8 FROM pg_catalog.unnest(ARRAY[{}]) AS c(rows)",
                       fmt::join(counts, ", "));
}

std::string few_rows_settings_statements() {
    return "SET LOCAL enable_seqscan = off; "
           "SELECT pg_catalog.set_config('statement_timeout', '10s', true) FROM pg_catalog.pg_settings AS s "
           "WHERE s.name = 'statement_timeout' AND s.setting::pg_catalog.int8 NOT BETWEEN 1 AND 10000";
}

/// No partition is foreign, because no key would be proven then.
std::optional<Query> fullest_partition_query(const TablePlan& table, Side side, const std::vector<std::string>& keys) {
    const auto can_be = [&](const ColumnPlan& column) { return can_be_asked_for(column, side); };
    if (!std::all_of(table.key.begin(), table.key.end(), can_be)) return std::nullopt;
    const KeyWriter writer(table.key);
    std::vector<std::vector<std::optional<std::string>>> values(table.key.size());
    for (const std::string& key : keys) {
        std::vector<std::optional<std::string>> row = writer.values(key);
        for (std::size_t i = 0; i < row.size(); ++i) values[i].push_back(std::move(row[i]));
    }
    std::vector<Parameter> parameters{std::to_string(table.oid[side])};
    std::vector<std::string> lists, names, conditions;
    for (std::size_t i = 0; i < table.key.size(); ++i) {
        parameters.emplace_back(array_literal(values[i]));
        lists.push_back(fmt::format("${}::{}[]", parameters.size(), table.key[i].type[side]));
        names.push_back(fmt::format("k{}", i));
        conditions.push_back(fmt::format("r.{} = k.k{}", quote_identifier(table.key[i].name[side]), i));
    }
    return Query{
        fmt::format(R"(SELECT n.nspname, c.relname, f.rows, COALESCE(pg_catalog.pg_table_size(c.oid)::pg_catalog.float8
    / NULLIF((SELECT pg_catalog.sum(pg_catalog.pg_table_size(t.relid)) FROM pg_catalog.pg_partition_tree($1::pg_catalog.oid) AS t
        WHERE t.isleaf), 0), 0)
FROM (SELECT r.tableoid AS leaf, pg_catalog.count(DISTINCT k.no) AS rows
    FROM {} AS r JOIN ROWS FROM ({}) WITH ORDINALITY AS k({}, no) ON {}
    GROUP BY r.tableoid ORDER BY 2 DESC, 1 LIMIT 1) AS f
JOIN pg_catalog.pg_class AS c ON c.oid = f.leaf
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace)",
                    quote_identifier(table.name[side]),
                    fmt::format("pg_catalog.unnest({})", fmt::join(lists, "), pg_catalog.unnest(")),
                    fmt::join(names, ", "), fmt::join(conditions, " AND ")),
        std::move(parameters)};
}

}  // namespace parity::driver
