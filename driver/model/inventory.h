#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "driver/model/notation.h"
#include "driver/model/sides.h"

/// What a side has, as its catalogs show it.
namespace parity::driver {

/// Where a timeline of a server's log ended, and the next one began.
struct LogSwitch {
    std::uint32_t timeline = 0;
    std::uint64_t end = 0;
    bool operator==(const LogSwitch&) const = default;
};

/// Which server answers, and in which state it is. The system identifier and the database say which data these are;
/// copies of a cluster share them, and are told apart by the rest.
struct ServerIdentity {
    std::string system_identifier;  ///< empty where this role may not read it
    std::uint32_t database_oid = 0;
    std::int64_t started_us = 0;  ///< pg_postmaster_start_time(), microseconds since 1970
    bool in_recovery = false;
    std::uint32_t timeline = 0;  ///< of what a primary writes; 0 where the role may not read it, and in recovery
    std::int64_t read_us = 0;    ///< when this was read, by the server's clock
    std::int32_t backend = 0;    ///< pg_backend_pid()
    std::uint64_t log_end = 0;   ///< of a primary: to where its WAL is on disk; in recovery: to where it was replayed
};

struct ServerInfo {
    std::string version;  ///< server_version, as in "15.18"
    int version_num = 0;
    ServerIdentity identity;
    std::string host;  ///< as libpq has it: a name, an address, or the directory of a socket
    std::string port;
    std::string database;
    std::string role;  ///< session_user
    std::string encoding;
    std::string lc_monetary;  ///< of the role in this database
    int money_digits = 2;     ///< behind the point of an amount of money, by it
    std::string money_point;  ///< of an amount of money with such digits
    std::string lsn;          ///< insert LSN, on a standby the replay LSN
    std::uint32_t followed_timeline =
        0;  ///< in recovery: the timeline that is received or was replayed last; 0: not told
    /// The timelines before the present one. Unset: the role may not read them.
    std::optional<std::vector<LogSwitch>> log_history{};
    std::int32_t checkpointer = 0;  ///< its process, which is another one after a crash; 0: the role may not see it
    std::string hides_damage{};     ///< settings that are on and hide what is damaged, by name; empty: none
    std::string extension_version;  ///< empty: not installed
    int format_version = 0;         ///< of what computes this side's digests
    bool is_streamed = false;       ///< rows are hashed here as they arrive; else the server digests them
    std::string engine_reason;      ///< why an installed extension is not used; empty: it is, or was not wanted
};

/// The timeline that the server writes or follows; 0: not told.
inline std::uint32_t timeline_of(const ServerInfo& server) {
    return server.identity.in_recovery ? server.followed_timeline : server.identity.timeline;
}

/// Where a side was when a snapshot was taken, and what tells later whether all that the snapshot showed is still part
/// of what the side has.
struct SidePosition {
    std::uint64_t lsn = 0;  ///< everything that the snapshot showed was written before this
    std::uint32_t timeline = 0;
    std::uint64_t timeline_began = 0;  ///< where the log left the timeline before that one; 0: not known, or the first
    bool in_recovery = false;
    std::int64_t started_us = 0;    ///< of the server's process
    std::int32_t checkpointer = 0;  ///< ServerInfo::checkpointer
    std::int64_t seen_us = 0;       ///< when it answered last under the snapshot, by the server's clock
    std::uint64_t on_disk = 0;      ///< what was before this was known to be on disk then
};

struct ColumnDesc {
    std::string name;
    std::string type;  ///< format_type()
    bool not_null = false;
    std::string form;  ///< default form; empty: not comparable
    std::vector<std::string> other_forms;
    std::vector<std::string> lossy_forms;  ///< only when asked for: values that differ may be equal under them
    Notation notation;                     ///< how its values are written
    std::string reason;                    ///< why not comparable
    std::string collation;                 ///< empty for types without
    std::string generated;                 ///< pg_attribute.attgenerated
};

struct KeyDesc {
    std::vector<std::string> columns;  ///< empty: none
    bool proven = false;
};

/// How much of a relation is unlogged on a server in recovery, which does not have the rows of that.
enum class UnloggedExtent { kNothing, kParts, kWhole };

/// Where a relation's rows are kept. What changes it changes more than rows, or rows without writing them one by one.
struct RelationStorage {
    std::string files;          ///< "16385=16390 16400=16401": it, its partitions and children, and their files
    bool has_unlogged = false;  ///< a crash empties some of these
    std::string collations;     ///< those of its columns, with the versions that the libraries have now
    bool operator==(const RelationStorage&) const = default;
};

/// A relation as the catalogs show it.
struct RelationDesc {
    std::uint32_t oid = 0;
    QualifiedName name;
    char relkind = 'r';                    ///< pg_class.relkind
    bool is_partition = false;             ///< reached through its parent
    std::vector<std::uint32_t> ancestors;  ///< of a partition or an inheritance child: its parents, their parents …
    std::vector<std::uint32_t> parents;    ///< of an inheritance child; of a partition none
    bool has_children = false;             ///< inheritance children
    bool has_own_columns = false;          ///< an inheritance child: none of its parents has some of its columns
    bool readable_by_itself = true;        ///< SELECT on the whole of it and USAGE on its schema
    /// The root of a tree of inheritance: why its rows may not be those of its members; empty: they are.
    std::string why_elsewhere;
    std::string checks;          ///< CHECK constraints of an inheritance child, as one text
    bool selected = false;       ///< the table and schema patterns choose it and no exclusion matches
    bool excluded = false;       ///< an exclusion matches it
    bool named = false;          ///< a table pattern without wildcards names it
    bool locked = false;         ///< somebody keeps it in ACCESS EXCLUSIVE mode: it could not be described
    std::string locker;          ///< who, as describe_locker() tells it
    std::string why_unreadable;  ///< why it could not be described; empty: it could, or is locked
    UnloggedExtent unlogged = UnloggedExtent::kNothing;
    bool foreign_parts = false;                   ///< a foreign table, or one is among its partitions or children
    bool populated = true;                        ///< false: materialised view without data
    bool row_security_active = false;             ///< row_security_active(oid) for this role
    bool readable = true;                         ///< SELECT on the table or on every column
    std::vector<std::string> unreadable_columns;  ///< no SELECT on these
    /// Queries of ours read it on this side, planned with our rights: it is streamed, or there is a condition.
    bool planned_as_caller = false;
    /// Why such a query is not planned: it may run with these rights what others chose. Empty: it is planned.
    std::string why_not_planned;
    double estimated_rows = -1;  ///< reltuples of it or its leaves; -1: unknown
    std::int64_t bytes = 0;      ///< pg_table_size of it or its leaves
    std::string columns_text;    ///< all columns' names and types, to see whether they change during the run
    RelationStorage storage;
    std::vector<ColumnDesc> columns;  ///< empty until it is described
    KeyDesc key;
    std::vector<std::string>
        better_key;             ///< what would be the key, had all of its columns a form; empty: the key is it
    std::string filter;         ///< --where, or what the configuration file says of it or of its tree's root
    std::optional<int> ranges;  ///< what the configuration file says of it; unset: nothing
    std::string extension;      ///< whose table it is, where its rows of users are compared
    std::string condition;      ///< which rows those are; empty: all
};

/// A described relation's column.
/// Returns: null where the relation has none of this name.
inline const ColumnDesc* find_column(const RelationDesc& relation, const std::string& name) {
    for (const ColumnDesc& column : relation.columns)
        if (column.name == name) return &column;
    return nullptr;
}

/// A table of an extension that users put rows into: pg_dump carries them.
struct ExtensionTable {
    std::uint32_t oid = 0;
    QualifiedName name;
    char relkind = 'r';
    std::string extension;
    std::string condition;          ///< which rows those are, an expression; empty: all
    std::string why_not_evaluated;  ///< why the condition is not evaluated; empty: it is
    bool readable = false;
    bool row_security_active = false;
    std::string columns_text;
};

/// What a sequence's only row holds.
struct SequenceValue {
    std::int64_t last_value = 0;
    bool is_called = true;
    std::int64_t log_cnt = 0;  ///< how many more values WAL has as given already
    bool operator==(const SequenceValue&) const = default;
};

struct SequenceDesc {
    std::uint32_t oid = 0;
    QualifiedName name;
    std::string definition;  ///< type, start, increment, limits, cycle, cache in words, for the schema check
    std::int64_t increment = 1;
    std::int64_t minimum = 1;
    std::int64_t maximum = std::numeric_limits<std::int64_t>::max();
    bool cycles = false;
    std::optional<SequenceValue> value;  ///< unset: not readable
    std::optional<SequenceValue>
        value_before_standby;          ///< of a primary beside its standby: what it was before the standby was read
    std::string why_unreadable;        ///< why there is no value
    bool lacks_rights = false;         ///< there is none because the role may not read it
    bool left_out = false;             ///< unlogged, and the side is in recovery, where it cannot be read
    bool fed_by_subscription = false;  ///< an enabled subscription of this database feeds its tables, but not itself
    QualifiedName owner;               ///< the table whose column owns it; empty where none does
    std::vector<std::uint32_t> users;  ///< oids of the tables whose columns own it or take their default from it
    bool selected = false;             ///< the schema patterns choose it
};

/// The large objects of a database.
struct LargeObjects {
    bool listed = false;    ///< the role may read pg_largeobject_metadata; what follows is known then
    bool readable = false;  ///< and pg_largeobject
    std::uint64_t count = 0;
    std::int64_t page_bytes = 0;  ///< of a stored page: LOBLKSIZE
    std::int64_t bytes = 0;       ///< of pg_largeobject
    double pages = -1;            ///< about so many of them are stored; -1: unknown
    std::uint32_t list_oid = 0;   ///< of pg_largeobject_metadata
    std::uint32_t pages_oid = 0;  ///< of pg_largeobject
    std::string list_columns;     ///< RelationDesc::columns_text of pg_largeobject_metadata
    std::string page_columns;     ///< of pg_largeobject
};

struct Inventory {
    ServerInfo server;
    std::vector<RelationDesc> relations;  ///< candidates and everything named, sorted by name
    std::vector<SequenceDesc> sequences;
    bool replay_lags = false;  ///< a standby that had not replayed, within some time, what its primary had written
    LargeObjects large_objects;
    std::vector<ExtensionTable> extension_tables;
    std::vector<bool> table_patterns_matched;   ///< parallel to Options::tables
    std::vector<bool> schema_patterns_matched;  ///< parallel to Options::schemas
    std::vector<bool> exclusions_matched;       ///< parallel to Options::exclude_tables
    /// All tables that could be named, where a pattern, an exclusion or a map matched none: one may have been meant.
    std::vector<QualifiedName> all_names;
    std::map<std::string, std::int64_t>
        other_objects;  ///< what is never compared, by kind: "view" → 12, "trigger" → 3 …
};

}  // namespace parity::driver
