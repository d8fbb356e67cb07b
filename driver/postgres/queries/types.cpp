#include "driver/postgres/queries/types.h"

#include <fmt/core.h>

#include <string_view>

#include "driver/model/error.h"
#include "driver/postgres/queries/quoting.h"

namespace parity::driver {
namespace {

/// The version from which on there are multirange types.
constexpr int kMultirangeVersion = 140000;

/// A schema's name with a dot behind it; nothing for a schema that is not there.
constexpr std::string_view kInSchema = "COALESCE(pg_catalog.quote_ident(n.nspname) || '.', '')";

/// The name of a type with its schema, its number where there is none of that OID.
std::string type_name(std::string_view oid) {
    return fmt::format(
        "COALESCE((SELECT {0} || pg_catalog.quote_ident(t.typname) FROM pg_catalog.pg_type AS t"
        " LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace WHERE t.oid = {1}), {1}::pg_catalog.text)",
        kInSchema, oid);
}

/// Objects with a schema: alias o, the schema's n. `suffix` is an SQL expression.
std::string named_in_schema(std::string_view catalog, std::string_view prefix, std::string_view name,
                            const std::string& suffix) {
    return fmt::format(
        "SELECT o.oid, {} || {} || {} FROM pg_catalog.{} AS o LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = o.{}",
        kInSchema, name, suffix, catalog, std::string(prefix) + "namespace");
}

std::string quoted_in_schema(std::string_view catalog, std::string_view prefix) {
    return named_in_schema(catalog, prefix, fmt::format("pg_catalog.quote_ident(o.{}name)", prefix), "''");
}

std::string procedure_arguments() {
    return fmt::format(
        "'(' || pg_catalog.array_to_string(ARRAY(SELECT {} FROM pg_catalog.unnest(o.proargtypes) WITH ORDINALITY AS "
        "a(oid,"
        " no) ORDER BY a.no), ',') || ')'",
        type_name("a.oid"));
}

std::string operand(std::string_view oid) {
    return fmt::format("CASE {0} WHEN 0 THEN 'NONE' ELSE {1} END", oid, type_name(oid));
}

std::string operands() {
    return fmt::format("'(' || {} || ',' || {} || ')'", operand("o.oprleft"), operand("o.oprright"));
}

}  // namespace

/// Whether a type is the true array of its element type is told by the element's typarray: pg_type.typsubscript, which
/// the server goes by, is not there before PostgreSQL 14. int2vector and oidvector count as arrays too. hstore's send
/// function writes lengths that are wrong where the client's encoding is not the database's.
Query types_query(const std::vector<std::uint32_t>& oids, int server_version) {
    const std::string_view multirange = server_version >= kMultirangeVersion ? " OR r.rngmultitypid = t.oid" : "";
    return {fmt::format(R"(SELECT t.oid, n.nspname, t.typname, pg_catalog.format_type(t.oid, NULL), t.typtype,
    CASE WHEN e.oid IS NOT NULL THEN e.oid
        WHEN t.oid IN ('pg_catalog.int2vector'::pg_catalog.regtype, 'pg_catalog.oidvector'::pg_catalog.regtype) THEN t.typelem
        ELSE 0::pg_catalog.oid END,
    t.typbasetype, COALESCE(r.rngsubtype, 0::pg_catalog.oid), t.typrelid, x.extname,
    t.typsend <> 0::pg_catalog.oid AND NOT (x.extname IS NOT DISTINCT FROM 'hstore' AND t.typname = 'hstore'
        AND pg_catalog.current_setting('server_encoding') NOT IN ('UTF8', 'SQL_ASCII'))
FROM pg_catalog.pg_type AS t
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_type AS e ON e.oid = t.typelem AND e.typarray = t.oid
LEFT JOIN pg_catalog.pg_range AS r ON r.rngtypid = t.oid{}
LEFT JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = t.oid
    AND d.objsubid = 0 AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
LEFT JOIN pg_catalog.pg_extension AS x ON x.oid = d.refobjid
WHERE t.oid = ANY ($1::pg_catalog.oid[]))",
                        multirange),
            {array_literal(oids)}};
}

Query attributes_query(const std::vector<std::uint32_t>& relations) {
    return {R"(SELECT a.attrelid, a.attname, a.atttypid
FROM pg_catalog.pg_attribute AS a
WHERE a.attrelid = ANY ($1::pg_catalog.oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum)",
            {array_literal(relations)}};
}

Query object_names_query(const std::string& catalog) {
    const auto unqualified = [](std::string_view name, std::string_view from) {
        return fmt::format("SELECT o.oid, pg_catalog.quote_ident(o.{}) FROM pg_catalog.{} AS o", name, from);
    };
    if (catalog == "pg_class") return {quoted_in_schema("pg_class", "rel"), {}};
    if (catalog == "pg_type") return {quoted_in_schema("pg_type", "typ"), {}};
    if (catalog == "pg_proc") return {quoted_in_schema("pg_proc", "pro"), {}};
    if (catalog == "pg_proc()")
        return {named_in_schema("pg_proc", "pro", "pg_catalog.quote_ident(o.proname)", procedure_arguments()), {}};
    // the names of operators are not quoted
    if (catalog == "pg_operator") return {named_in_schema("pg_operator", "opr", "o.oprname", "''"), {}};
    if (catalog == "pg_operator()") return {named_in_schema("pg_operator", "opr", "o.oprname", operands()), {}};
    if (catalog == "pg_ts_config") return {quoted_in_schema("pg_ts_config", "cfg"), {}};
    if (catalog == "pg_ts_dict") return {quoted_in_schema("pg_ts_dict", "dict"), {}};
    if (catalog == "pg_collation") return {quoted_in_schema("pg_collation", "coll"), {}};
    if (catalog == "pg_roles") return {unqualified("rolname", "pg_roles"), {}};
    if (catalog == "pg_namespace") return {unqualified("nspname", "pg_namespace"), {}};
    throw Error(ErrorKind::kInternal, "unexpected catalog " + catalog);
}

std::string cast_expression(const std::string& column, const std::string& type) {
    return fmt::format("({})::{}", column, type);
}

std::string zone_expression(const std::string& column, const std::string& type, const std::string& zone) {
    return fmt::format("pg_catalog.timezone({}::pg_catalog.text, {})", quote_literal(zone),
                       cast_expression(column, type));
}

}  // namespace parity::driver
