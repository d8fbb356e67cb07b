#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "driver/model/sides.h"
#include "driver/postgres/queries/query.h"

/// The statements of a session: what is pinned, snapshots, locks, and which server answers.
namespace parity::driver {

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

/// Which server answers: for read_identity(). One row.
/// Reads with the transaction's snapshot, and takes it where there is none.
std::string identity_query(const IdentityRights& rights);
/// How many columns it has.
inline constexpr int kIdentityColumns = 8;

/// Pins the search path, and that nothing is compiled.
/// Requires: they are sent once a connection, before anything else.
std::string pin_session_statements();
/// Settings that count outside of transactions. `available` is what optional_settings_query gave.
/// Requires: they are sent once a connection.
std::string session_settings_statements(const std::vector<std::string>& available);

/// A scalar subquery: the names and types of a relation's columns as one text. `oid` is an SQL expression.
std::string columns_text_of(std::string_view oid);

/// BEGIN and everything pinned with SET LOCAL, as one string of several statements. Takes no snapshot.
std::string begin_statements(const TransactionSettings& settings, const std::vector<std::string>& available);
/// Whether the server is in recovery, whether it streams WAL, max_standby_streaming_delay, max_standby_archive_delay,
/// hot_standby_feedback.
Query standby_settings_query();
/// Whether the role may call pg_control_checkpoint(), which standby_timeline_query() needs to know.
Query checkpoint_right_query();
Query standby_timeline_query(bool checkpoint);
/// The checkpointer's process, or 0 where the role may not see it; whether the role may call log_history_query().
Query incarnation_query();
/// The history file of a timeline, NULL where there is none. Result: one text.
Query log_history_query(std::uint32_t timeline);

std::string savepoint_statement();
std::string rollback_to_savepoint_statement();
std::string release_savepoint_statement();
std::string rollback_statement();
/// Makes the server send the bytes of its texts as they are.
std::string raw_encoding_statement();
/// The open transaction's snapshot as a name for set_snapshot_statement. Result: text.
Query export_snapshot_query();
/// Makes the transaction see what `snapshot` shows.
/// Requires: it is sent as the first thing in a transaction that needs a snapshot.
std::string set_snapshot_statement(std::string_view snapshot);
/// The same and identity_query(), as one string.
std::string set_snapshot_and_identify(std::string_view snapshot, const IdentityRights& rights);
/// begin_statements() and identity_query(), as one string.
std::string begin_and_identify(const TransactionSettings& settings, const std::vector<std::string>& available,
                               const IdentityRights& rights);
/// For the rest of the transaction: rows are read from the tables themselves and not through indexes.
std::string avoid_indexes_statements();
/// Settings of a transaction that reads through an index wherever a condition allows it.
std::string prefer_indexes_statements();
/// The same: rows are read by their locations alone, and nothing else of a table is.
std::string only_locations_statements();
/// The same: rows are read through indexes alone.
std::string only_indexes_statements();
/// The bytes of a block. Result: one text.
Query block_size_query();

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

/// When the server began (microseconds since 1970), and of a session of ours with that backend whether it is there, its
/// state, and the type and name of what it waits for.
Query backend_state_query(std::int32_t backend);

/// A tablespace's name, and the folder that it is in. One row; none where there is no such tablespace.
Query tablespace_query(std::uint32_t oid);

/// Whom that backend waits for, in the columns of exclusively_locked_query() without a relation.
Query blockers_query(std::int32_t backend);

/// Who these processes are that are not ours, in the same columns.
Query processes_query(const std::vector<std::int32_t>& processes);

/// Ends sessions of ours, where the server is the one that began then.
Query end_backends_query(const std::vector<std::int32_t>& backends, std::int64_t server_started_us);

}  // namespace parity::driver
