#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/model/inventory.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/options/name_map.h"
#include "driver/options/name_pattern.h"
#include "driver/postgres/connection/connection.h"

/// All SQL that the driver sends. Nothing here runs anything.
///
/// Every relation, function and type is qualified, and values travel as parameters. Operators are found through
/// search_path, which pin_session_statements pins before anything else runs. What a statement cannot take as a
/// parameter (the names in LOCK TABLE, the values in SET) is quoted by quote_identifier and quote_literal.
namespace parity::driver {

/// A statement and its parameters, as Connection::query and Connection::stream take them.
struct Query {
    std::string sql;
    std::vector<Parameter> parameters;
};

// ---- quoting -------------------------------------------------------------------------------------------------

std::string quote_identifier(std::string_view name);
std::string quote_identifier(const QualifiedName& name);

/// An SQL literal under any setting of standard_conforming_strings.
std::string quote_literal(std::string_view text);

/// An array in PostgreSQL's text form, for a parameter of type text[].
std::string array_literal(const std::vector<std::string>& elements);
std::string array_literal(const std::vector<std::optional<std::string>>& elements);
/// The same for oid[].
std::string array_literal(const std::vector<std::uint32_t>& elements);

/// Parameters of type bytea[] and integer[], in binary: they are long, and their texts would be longer.
Parameter bytea_array(const std::vector<std::string>& elements);
Parameter integer_array(const std::vector<std::int32_t>& elements);

// ---- values for people ---------------------------------------------------------------------------------------

/// Values of more bytes are cut: a report is no place for megabytes, and nobody has to hold them.
inline constexpr std::size_t kMostShownBytes = 64 * 1024;

/// An SQL expression of a text as it is sent to be shown: ":" and the whole text, or of a long one its length in bytes,
/// ":" and its beginning. `text` is a name.
std::string shown_expression(std::string_view text);

/// What such an expression sent; nothing for NULL. Throws Error{kInternal} for anything else.
std::optional<ShownValue> read_shown(std::optional<std::string_view> sent);

// ---- digests -------------------------------------------------------------------------------------------------

/// What both sides' digests of one run share.
struct DigestSettings {
    std::uint64_t seed = 0;
    int width = 64;
    std::optional<int> workers;  ///< unset: the server's rule
};

/// A division of a table by bounds (docs/digest-format.md, section 7), and which of its ranges are asked for.
struct RangeList {
    std::vector<std::string> bounds;  ///< ascending, as bytes; none: one range
    std::vector<std::int32_t> only;   ///< range numbers, from 1, ascending; empty: all
    bool totals_only = false;         ///< digests of keys and rows are wanted, none of columns
    std::vector<int> columns{};       ///< with totals_only: what rows are, as places in TablePlan::columns; empty: all
    /// Into how many buckets each range is divided by its keys' hashes, for last_buckets_call(): a power of two. Rows
    /// are asked for by bucket: `only` then has the numbers of buckets, see bucket_number() in digests/lockstep.h.
    int buckets = 1;
};

/// Bounds that divide the table on this side into at most `ranges` ranges.
/// Result: one row with a bytea[], ascending as the function gives them.
Query split_keys_call(const TablePlan& table, Side side, int ranges);

/// One row a range, ascending: range_no integer, row_count bigint, key_digest, row_digest parity.digest,
/// column_digests parity.digest[] (parallel to table.columns), path_taken text.
Query range_digests_call(const TablePlan& table, Side side, const DigestSettings& settings, const RangeList& ranges);

/// One row for several ranges, ascending: range_numbers integer[], row_counts bigint[], key_digests, row_digests
/// parity.digest[], path_taken text. Rows have the columns of the list only.
Query range_totals_call(const TablePlan& table, Side side, const DigestSettings& settings, const RangeList& ranges);

/// The buckets into which the transaction's last digests divided these ranges. One row a range, in their order:
/// range_no integer, buckets integer, and sums bytea: those of rows of each bucket in turn, big endian. No row where
/// the server has none.
Query last_buckets_call(const std::vector<std::int32_t>& ranges);

/// What the last range_digests of the session took, as one text for people.
Query last_digest_call();

/// The rows of the chosen ranges in the order of range, key bytes and row hash, several together: row_count integer,
/// records bytea, as take_record() takes them. Of buckets there is one more row with a row_count of 0, whose records
/// are read_keys_read()'s.
Query row_records_call(const TablePlan& table, Side side, const DigestSettings& settings, const RangeList& ranges);

/// The rows with these framed keys, in the order of key bytes and row hash: key bytea, row_hash bytea and column_values
/// text[], parallel to table.columns, each as read_shown() takes it.
Query row_values_call(const TablePlan& table, Side side, const DigestSettings& settings,
                      const std::vector<std::string>& keys);

// ---- sessions ------------------------------------------------------------------------------------------------

/// How a transaction is pinned; see postgres/connection/session.h.
struct TransactionSettings {
    bool row_security = false;
    bool allow_views = false;           ///< the relation is a view that the user named
    bool allow_foreign_tables = false;  ///< it is a foreign table, or has such partitions, and the user named it
    std::string lock_timeout;
    std::string statement_timeout;  ///< empty: none
    std::string application_name;
};

/// The settings that not every server version has, of those that we pin. Result: name.
Query optional_settings_query();
/// What identity_query() may ask: every role may, unless somebody revoked it.
struct IdentityRights {
    bool system_identifier = false;  ///< pg_control_system()
    bool timeline = false;           ///< pg_walfile_name()
    std::int32_t backend = 0;        ///< that told so
};
Query identity_rights_query();
IdentityRights read_identity_rights(const Result& result);

/// Which server answers: for read_identity(). One row.
/// Reads with the transaction's snapshot, and takes it where there is none.
std::string identity_query(const IdentityRights& rights);
/// How many columns it has.
inline constexpr int kIdentityColumns = 7;
/// What such a query gave in `row`, from column `first` on.
ServerIdentity read_identity(const Result& result, int row, int first);

/// Once a connection, before anything else: the search path, and that nothing is compiled.
std::string pin_session_statements();
/// Once a connection: settings that count outside of transactions. `available` is what optional_settings_query gave.
std::string session_settings_statements(const std::vector<std::string>& available);

/// A scalar subquery: the names and types of a relation's columns as one text. `oid` is an SQL expression.
std::string columns_text(std::string_view oid);

/// BEGIN and everything pinned with SET LOCAL, as one string of several statements. Takes no snapshot.
std::string begin_statements(const TransactionSettings& settings, const std::vector<std::string>& available);
/// Whether the server is in recovery, whether it streams WAL, max_standby_streaming_delay, max_standby_archive_delay,
/// hot_standby_feedback.
Query standby_settings_query();
/// Whether the role may call pg_control_checkpoint(), which standby_timeline_query() needs to know.
Query checkpoint_right_query();
Query standby_timeline_query(bool checkpoint);

std::string savepoint_statement();
std::string rollback_to_savepoint_statement();
std::string release_savepoint_statement();
std::string rollback_statement();
/// Makes the server send the bytes of its texts as they are.
std::string raw_encoding_statement();
/// The open transaction's snapshot as a name for set_snapshot_statement. Result: text.
Query export_snapshot_query();
/// Must be the first thing in a transaction that needs a snapshot.
std::string set_snapshot_statement(std::string_view snapshot);
/// The same and identity_query(), as one string.
std::string set_snapshot_and_identify(std::string_view snapshot, const IdentityRights& rights);
/// begin_statements() and identity_query(), as one string.
std::string begin_and_identify(const TransactionSettings& settings, const std::vector<std::string>& available,
                               const IdentityRights& rights);
/// For the rest of the transaction: rows are read from the tables themselves and not through indexes.
std::string avoid_indexes_statements();

/// LOCK TABLE … IN ACCESS SHARE MODE; with its partitions and children, unless without the latter. Takes no snapshot.
/// Under a savepoint, which is released again, as a subtransaction could not export its snapshot; where it fails the
/// savepoint is still there.
std::string lock_statements(const QualifiedName& name, bool without_children = false);

/// What stands under a name now: oid, relkind, LSN, columns as relation_sizes_query gives them, all NULL for nothing;
/// then the columns of identity_query(). One row. Takes the transaction's snapshot.
Query relation_state_query(const QualifiedName& name, const IdentityRights& rights);

/// How many of the relation and its descendants are not stored now where the snapshot saw them: rewritten, truncated or
/// dropped meanwhile. Result: one bigint.
Query stale_relations_query(std::uint32_t oid, bool without_children = false);

// ---- inventory -----------------------------------------------------------------------------------------------

/// extversion of pg_parity in this database, USAGE on its schema; no row: not installed.
Query extension_query();
Query format_version_query();
/// server_version, server_version_num, database, encoding, LSN.
Query server_query();
/// lc_monetary, the digits that it puts behind the point of an amount of money.
Query money_query();

/// The first pattern whose database part does not match the current database: text; no row: none.
Query other_database_query(const Selection& selection);

/// The relations that the selection, or on the target a map, reaches, and those that `named` names, in the order of
/// their names, with the inheritance children of what the patterns choose. Result: oid, schema, name, relkind,
/// ancestors' oids (joined by ','), populated, row security active, selected, excluded, named, numbers (from 1, joined
/// by ',') of the table patterns that match, numbers of the schema patterns that match, is a partition, an inheritance
/// child's parents' oids, whether it has columns of its own, SELECT on the whole and USAGE on its schema, its CHECK
/// constraints, has inheritance children.
Query relations_query(const Selection& selection, const NameMap& maps, const std::vector<TableScope>& named, Side side);

/// Estimates and privileges of relations with their descendants: oid, rows (-1: unknown), bytes, has foreign parts,
/// SELECT on the whole, its columns with their types as one text, what of it is unlogged on a server in recovery
/// ("nothing", "parts", "whole"). Of those in `alone`, without their descendants.
Query relation_sizes_query(const std::vector<std::uint32_t>& oids, const std::vector<std::uint32_t>& alone);
/// oid, column, type, not null, form, other forms (joined by ','), reason, collation, generated, readable; in the order
/// of oid, attnum.
Query columns_query(const std::vector<std::uint32_t>& oids);
/// oid, key column, proven; no row for a relation without a key.
Query keys_query(const std::vector<std::uint32_t>& oids);
/// Functions that the planner of a query over these relations may run, with the rights of whoever asks, although a role
/// that has fewer can make them do anything; nothing where this session's role has no rights that would matter to that
/// (owner.cpp). One row a relation at most: oid, function, its owner, what uses it.
Query owners_code_query(const std::vector<std::uint32_t>& oids);
/// Which of these are locked in ACCESS EXCLUSIVE mode by somebody: oid.
Query exclusively_locked_query(const std::vector<std::uint32_t>& oids);

/// oid, schema, name, definition, readable, whether the schema patterns select it, increment, minimum, maximum, whether
/// it cycles, whether it is unlogged on a side in recovery; in the order of names.
Query sequences_query(const Selection& selection, const NameMap& maps, Side side);
/// Which tables own these sequences or take defaults from them: sequence's oid, table's oid, owns it, table's schema
/// and name. To be asked for some hundred at a time: joined for all of them it is planned badly where the catalogs were
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
