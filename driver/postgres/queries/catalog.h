#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "driver/model/sides.h"
#include "driver/options/name_map.h"
#include "driver/options/name_pattern.h"
#include "driver/postgres/queries/query.h"

/// The queries of the catalogs: what the inventory reads.
namespace parity::driver {

/// extversion of pg_parity in this database, USAGE on its schema; no row: not installed.
Query extension_query();
Query format_version_query();
/// server_version, server_version_num, database, encoding, LSN, session_user.
Query server_query();
/// lc_monetary, the digits that it puts behind the point of an amount of money, and that point.
Query money_query();

/// One text that is another one as soon as a relation came, went, or got another name, schema or parent.
Query relations_mark_query();

/// The first pattern whose database part does not match the current database: text; no row: none.
Query other_database_query(const Selection& selection);

/// The relations that the selection, or on the target a map, reaches, and those that `named` names, in the order of
/// their names, with the inheritance children of what the patterns choose. Result: oid, schema, name, relkind,
/// ancestors' oids (joined by ','), populated, row security active, selected, excluded, named, numbers (from 1, joined
/// by ',') of the table patterns that match, numbers of the schema patterns that match, is a partition, an inheritance
/// child's parents' oids, whether it has columns of its own, SELECT on the whole and USAGE on its schema, its CHECK
/// constraints, has inheritance children.
Query relations_query(const Selection& selection, const NameMap& maps, const std::vector<TableScope>& named, Side side);

/// Which exclusions match a table, whether chosen or not: number (from 1), each once.
Query matched_exclusions_query(const Selection& selection, const NameMap& maps, Side side);

/// The tables that patterns without a schema of the system could name: schema, name, as on the source; at most 10,000.
Query table_names_query(const Selection& selection, const NameMap& maps, Side side);

/// Estimates and privileges of relations with their descendants: oid, rows (-1: unknown), bytes, has foreign parts,
/// SELECT on the whole, its columns with their types as one text, what of it is unlogged on a server in recovery
/// ("nothing", "parts", "whole"). Of those in `without_children`, without their descendants.
Query relation_sizes_query(const std::vector<std::uint32_t>& oids, const std::vector<std::uint32_t>& without_children);
/// oid, column, type, not null, form, other forms (joined by ','), reason, collation, generated, readable; in the order
/// of oid, attnum.
Query columns_query(const std::vector<std::uint32_t>& oids);
/// oid, key column, proven; no row for a relation without a key.
Query keys_query(const std::vector<std::uint32_t>& oids);
/// Which of these somebody has locked in ACCESS EXCLUSIVE mode, or waits to lock so, and who: oid, pid (NULL: a
/// prepared transaction), role, application, seconds of its transaction, the beginning of its query (each NULL or empty
/// where it is not shown to this role).
Query exclusively_locked_query(const std::vector<std::uint32_t>& oids);
/// The same for a relation with its partitions, children, indexes and TOAST tables, and for what a view reads.
Query exclusively_locked_below_query(std::uint32_t oid);

/// oid, schema, name, definition, readable, whether the schema patterns select it, increment, minimum, maximum, whether
/// it cycles, whether it is unlogged on a side in recovery; in the order of names.
Query sequences_query(const Selection& selection, const NameMap& maps, Side side);
/// Which tables own these sequences or take defaults from them: sequence's oid, table's oid, owns it, table's schema
/// and name.
/// Requires: it is asked for some hundred at a time: joined for all of them it is planned badly where the catalogs were
/// never analysed, as in a database just restored.
Query sequence_uses_query(const std::vector<std::uint32_t>& oids);
/// For each of the sequences, by its index: index, last_value, is_called, log_cnt.
Query sequence_values_query(const std::vector<QualifiedName>& names);
/// What enabled subscriptions of this database feed: oid.
Query subscribed_relations_query();
/// Where WAL ends, on a primary: LSN.
Query wal_end_query();
/// Whether a standby has replayed all that ends at `lsn` or before.
Query has_replayed_query(const std::string& lsn);
/// The tables of extensions that pg_dump carries rows of, with pg_parity's left out, as far as the schema patterns
/// choose and no exclusion matches: oid, schema, name, relkind, row security active, extension, condition, readable,
/// its columns with their types as one text, the names of those whose type is none of PostgreSQL's own (joined by line
/// ends); in the order of names.
Query extension_tables_query(const Selection& selection, const NameMap& maps, Side side);
/// How many rows of a table meet a condition: one bigint. `only`: without its children.
Query extension_row_count_query(const QualifiedName& name, bool only, const std::string& condition);
/// kind, count: what a comparison never covers.
Query other_objects_query();

}  // namespace parity::driver
