#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The plain data that the driver's modules hand to each other. Nothing here does anything.
///
/// The course of a run: options → inventory (what each side has) → plan (what is compared with what, and how)
/// → digests → divergent ranges → findings in the spool → report.
namespace parity::driver {

enum class Side { kSource = 0, kTarget = 1 };

/// "source" or "target".
constexpr std::string_view side_name(Side side) { return side == Side::kSource ? "source" : "target"; }

/// A pair of values, one a side; indexed by Side.
template <typename T>
struct Both {
    T source;
    T target;
    T& operator[](Side side) { return side == Side::kSource ? source : target; }
    const T& operator[](Side side) const { return side == Side::kSource ? source : target; }
};

struct QualifiedName {
    std::string schema;
    std::string name;
    auto operator<=>(const QualifiedName&) const = default;
};

// ---- options -------------------------------------------------------------------------------------------------

enum class ReportFormat { kText, kJson };

/// How a side's rows become digests: inside the server, or from a stream of rows. kAuto: the former where it can be.
enum class Engine { kAuto, kExtension, kStream };

/// What the command line and the configuration file say, checked for form but not against any server.
struct Options {
    Both<std::string> conninfo;
    std::vector<std::string> tables;          ///< psql patterns; empty: every ordinary table that both sides have
    std::vector<std::string> exclude_tables;  ///< psql patterns
    std::vector<std::string> schemas;         ///< psql patterns of schema names
    std::vector<std::string> maps;         ///< "old=new": source name = target name; "old.*=new.*" for a whole schema
    std::vector<std::string> map_columns;  ///< "[[schema.]table.]old=new"
    std::vector<std::string> keys;         ///< "[[schema.]table=]column[,column]…"
    std::vector<std::string> columns;      ///< source's names
    std::vector<std::string> exclude_columns;  ///< "[[schema.]table.]column"
    std::vector<std::string> forms;            ///< "[[schema.]table.]column=form"
    std::string where;                         ///< one SQL expression for every chosen table, both sides
    std::optional<int> ranges;                 ///< 1 … ; unset: chosen from the row estimate
    int jobs = 1;                              ///< tables compared at once
    Engine engine = Engine::kAuto;
    /// Parallel workers a table and side; unset: the server's rule. Of a stream, its connections; unset: by its size.
    std::optional<int> workers;
    std::optional<std::uint64_t> memory_limit;  ///< of this process, in bytes; unset: a quarter of what there is
    std::int64_t max_divergences = 1000;        ///< listed per table; 0: all of them
    ReportFormat format = ReportFormat::kText;
    std::string output;  ///< file for the report; empty: standard output
    bool dry_run = false;
    std::string record;          ///< connection string of the database that the run is recorded in; empty: nowhere
    bool record_values = false;  ///< record values, too, and not only keys and names of columns
    bool strict_schema = false;
    bool sequences = true;
    bool sequences_may_be_ahead = false;  ///< a target's sequence that is ahead counts as equal
    bool large_objects = true;
    bool enable_row_security = false;
    bool run_owners_code = false;  ///< plan queries over tables whose owners' functions would run with our rights
    bool allow_same_server = false;
    bool progress = true;
    bool verbose = false;
    int connect_timeout_s = 10;
    std::string statement_timeout;  ///< PostgreSQL's notation ("30min"); empty: none
    std::string lock_timeout = "10s";
    std::optional<std::uint64_t> seed;  ///< unset: drawn at random
    int width = 64;                     ///< 64 or 128
    /// What was given, by the options' names, without connection strings; a flag has no values.
    std::map<std::string, std::vector<std::string>> given;
};

// ---- what a side has -----------------------------------------------------------------------------------------

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
};

struct ServerInfo {
    std::string version;  ///< server_version, as in "15.18"
    int version_num = 0;
    ServerIdentity identity;
    std::string database;
    std::string encoding;
    std::string lc_monetary;        ///< of the role in this database
    int money_digits = 2;           ///< behind the point of an amount of money, by it
    std::string lsn;                ///< insert LSN, on a standby the replay LSN
    std::uint32_t follows = 0;      ///< in recovery: the timeline that is received or was replayed last; 0: not told
    std::string extension_version;  ///< empty: not installed
    int format_version = 0;         ///< of what computes this side's digests
    Engine engine = Engine::kExtension;
    std::string engine_reason;  ///< why an installed extension is not used; empty: it is, or was not wanted
};

struct ColumnDesc {
    std::string name;
    std::string type;  ///< format_type()
    bool not_null = false;
    std::string form;  ///< default form; empty: not comparable
    std::vector<std::string> other_forms;
    std::vector<std::string> lossy_forms;  ///< only when asked for: values that differ may be equal under them
    std::string reason;                    ///< why not comparable
    std::string collation;                 ///< empty for types without
    std::string generated;                 ///< pg_attribute.attgenerated
};

struct KeyDesc {
    std::vector<std::string> columns;  ///< empty: none
    bool proven = false;
};

/// How much of a relation is unlogged on a server in recovery, which does not have the rows of that.
enum class Unlogged { kNothing, kParts, kWhole };

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
    bool readable_alone = true;            ///< SELECT on the whole of it and USAGE on its schema
    /// The root of a tree of inheritance: why its rows may not be those of its members; empty: they are.
    std::string elsewhere;
    std::string checks;      ///< CHECK constraints of an inheritance child, as one text
    bool selected = false;   ///< the table and schema patterns choose it and no exclusion matches
    bool excluded = false;   ///< an exclusion matches it
    bool named = false;      ///< a table pattern without wildcards names it
    bool locked = false;     ///< somebody keeps it in ACCESS EXCLUSIVE mode: it could not be described
    std::string unreadable;  ///< why it could not be described; empty: it could, or is locked
    Unlogged unlogged = Unlogged::kNothing;
    bool foreign_parts = false;                   ///< a foreign table, or one is among its partitions or children
    bool populated = true;                        ///< false: materialised view without data
    bool row_security_active = false;             ///< row_security_active(oid) for this role
    bool readable = true;                         ///< SELECT on the table or on every column
    std::vector<std::string> unreadable_columns;  ///< no SELECT on these
    /// Queries of ours read it on this side, planned with our rights: it is streamed, or there is a condition.
    bool planned_as_caller = false;
    /// What planning such a query may run with these rights that others chose, for people; empty: nothing.
    std::string owners_code;
    double estimated_rows = -1;       ///< reltuples of it or its leaves; -1: unknown
    std::int64_t bytes = 0;           ///< pg_table_size of it or its leaves
    std::string columns_text;         ///< all columns' names and types, to see whether they change during the run
    std::vector<ColumnDesc> columns;  ///< empty until it is described
    KeyDesc key;
    std::vector<std::string>
        better_key;         ///< what would be the key, had all of its columns a form; empty: the key is it
    std::string extension;  ///< whose table it is, where its rows of users are compared
    std::string condition;  ///< which rows those are; empty: all
};

/// A table of an extension that users put rows into: pg_dump carries them.
struct ExtensionTable {
    std::uint32_t oid = 0;
    QualifiedName name;
    char relkind = 'r';
    std::string extension;
    std::string condition;  ///< which rows those are, an expression; empty: all
    std::string refusal;    ///< why the condition is not evaluated; empty: it is
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
    std::optional<SequenceValue> first;  ///< of a primary beside its standby: what it was before the standby was read
    std::string unreadable;              ///< why there is no value
    bool left_out = false;               ///< unlogged, and the side is in recovery, where it cannot be read
    bool fed = false;                    ///< an enabled subscription of this database feeds its tables, but not itself
    QualifiedName owner;                 ///< the table whose column owns it; empty where none does
    std::vector<std::uint32_t> users;    ///< oids of the tables whose columns own it or take their default from it
    bool selected = false;               ///< the schema patterns choose it
};

/// The large objects of a database.
struct LargeObjects {
    bool listed = false;    ///< the role may read pg_largeobject_metadata; what follows is known then
    bool readable = false;  ///< and pg_largeobject
    std::uint64_t count = 0;
    std::int64_t page_bytes = 0;  ///< of a stored page: LOBLKSIZE
    std::int64_t bytes = 0;       ///< of pg_largeobject
    double pages = -1;            ///< about so many of them are stored; -1: unknown
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
    std::map<std::string, std::int64_t>
        other_objects;  ///< what is never compared, by kind: "view" → 12, "trigger" → 3 …
};

// ---- the plan ------------------------------------------------------------------------------------------------

struct SchemaDifference {
    enum class Severity {
        kNote,        ///< does not touch the data; divergence only under --strict-schema
        kDivergence,  ///< a table or column that only one side has
        kSkipped,     ///< something asked for cannot be compared: the run is incomplete
    };
    Severity severity = Severity::kNote;
    std::string object;   ///< "public.orders" or "public.orders.amount"
    std::string message;  ///< "type integer on source, bigint on target"
};

struct ColumnPlan {
    Both<std::string> name;
    std::string form;  ///< of both sides, as digests name it
    bool in_key = false;
    /// What a side is asked for where that is more than `form`: "timestamptz@Europe/Berlin" of a column without a zone.
    /// Empty: `form`. Use asked_form().
    Both<std::string> asked{};
    /// The cheaper form of the first pass: what is equal under it is equal under `form`, what differs may be equal.
    /// Empty: none.
    std::string prefilter{};
};

/// What goes into `forms` of a function of the extension, and into make_wire_reader(), for a column of one side.
inline const std::string& asked_form(const ColumnPlan& column, Side side) {
    return column.asked[side].empty() ? column.form : column.asked[side];
}

/// What a plan about large objects has that a table's has not.
struct LargeObjectPlan {
    Both<LargeObjects> sides;
    std::string unread;  ///< why their contents are not read; empty: they are
};

/// What is compared with what, and how. With `large_objects`, instead of a table all objects of both databases: the
/// relation is then pg_largeobject_metadata, which is read first, and the columns are what findings tell about
/// contents; see compare/large_objects.h.
struct TablePlan {
    Both<std::uint32_t> oid;
    Both<QualifiedName> name;
    Both<char> relkind;
    std::vector<ColumnPlan> key;      ///< empty: keyless
    bool key_proven = false;          ///< on both sides
    std::vector<ColumnPlan> columns;  ///< compared, without the key's, in the agreed order (source's names by bytes)
    int ranges = 1;
    double estimated_rows = -1;  ///< the larger side's
    std::int64_t estimated_bytes = 0;
    bool visible_rows_only = false;          ///< row security applies on a side
    Both<std::string> columns_text;          ///< RelationDesc::columns_text when the plan was made
    Both<bool> foreign_parts{false, false};  ///< a foreign table, or one is among its partitions or children
    /// RelationDesc::planned_as_caller where no owner's code may run for it.
    Both<bool> must_run_no_code{false, false};
    Both<std::string> path;  ///< expected: "scan" or "aggregate"
    std::string where;
    Both<bool> without_children{false, false};  ///< of an inheritance parent its own rows alone
    bool unpopulated = false;                   ///< materialized views without data on both sides: nothing to read
    std::vector<std::string>
        skipped;  ///< reasons why part of it is not compared ("column doc: type tsvector is not comparable")
    std::vector<std::string> notes;  ///< for TableResult::notes, known before any data is read: lossy forms in use
    /// What the options make of it that is not the whole table as it is by itself.
    struct Scope {
        std::vector<std::string> without;          ///< columns that --columns or --exclude-columns leave out
        std::vector<std::string> key;              ///< of --key, where it is not both sides' own
        std::map<std::string, std::string> forms;  ///< of --form, by column
        bool without_children = false;             ///< its children are compared by themselves
    } scope;
    std::optional<LargeObjectPlan> large_objects;  ///< none: it is about a table
};

/// A table of an extension of which rows are counted.
struct ExtensionTablePlan {
    std::string extension;
    Both<std::optional<ExtensionTable>> sides;
    std::string obstacle;  ///< why rows are not compared that should be; empty: they need not be
};

/// What holds for all sequences of a run.
struct SequenceRules {
    /// Which sides are standbys of one and the same primary, which is the other side where only one of them is.
    Both<bool> standby{false, false};
    Both<bool> perhaps{false, false};  ///< the same of sides of which it cannot be told
    bool lags = false;                 ///< a standby had not replayed what the primary had written when it was read
    bool may_be_ahead = false;         ///< --sequences-may-be-ahead
};

struct Plan {
    std::vector<TablePlan> tables;  ///< largest first
    std::vector<SchemaDifference> differences;
    std::vector<Both<SequenceDesc>> sequences;
    SequenceRules sequence_rules;
    std::vector<ExtensionTablePlan> extension_tables;
    std::vector<std::string> not_compared;  ///< sentences for the report
    /// Tables asked for that cannot be compared at all, with the reason; each makes the run incomplete.
    std::vector<std::pair<Both<QualifiedName>, std::string>> skipped_tables;
};

// ---- what was found ------------------------------------------------------------------------------------------

enum class FindingKind { kMismatch, kMissingOnTarget, kMissingOnSource };

/// A value as text for people, as the server prints it. Of a long one only the beginning is fetched.
struct ShownValue {
    ShownValue(std::string whole) : text(std::move(whole)), bytes(text.size()) {}
    ShownValue(const char* whole) : ShownValue(std::string(whole)) {}
    ShownValue(std::string beginning, std::uint64_t whole_bytes) : text(std::move(beginning)), bytes(whole_bytes) {}
    bool is_cut() const { return bytes > text.size(); }
    bool operator==(const ShownValue&) const = default;

    std::string text;
    std::uint64_t bytes;  ///< of the whole
};

/// Values of several columns; nothing is SQL's NULL.
using ShownValues = std::vector<std::optional<ShownValue>>;

/// One divergence. Values are texts as the server prints them; an absent optional is SQL's NULL.
struct Finding {
    FindingKind kind = FindingKind::kMismatch;
    std::string key_bytes;          ///< framed key; keyless: the framed row
    std::vector<int> columns;       ///< mismatch: indexes into TablePlan::columns
    std::uint64_t occurrences = 1;  ///< missing: how many rows of this key; keyless: of this row
    Both<ShownValues> values;       ///< mismatch: parallel to `columns`; empty: not fetched
};

struct FindingCounts {
    std::uint64_t mismatch = 0;
    std::uint64_t missing_on_target = 0;
    std::uint64_t missing_on_source = 0;
    std::uint64_t total() const { return mismatch + missing_on_target + missing_on_source; }
    bool operator==(const FindingCounts&) const = default;
};

enum class Verdict { kIdentical, kDivergent, kIncomplete, kError };

struct TableResult {
    TablePlan plan;
    Verdict verdict = Verdict::kError;
    bool incomplete = false;  ///< also true for a divergent table of which part was skipped
    Both<std::string> path;   ///< the path that really ran
    Both<std::uint64_t> rows{0, 0};
    Both<std::string> lsn;
    std::uint64_t ranges_compared = 0;
    std::uint64_t ranges_divergent = 0;
    std::vector<bool> column_divergent;  ///< parallel to plan.columns
    FindingCounts counts;
    std::uint64_t listed = 0;  ///< rows that the findings in the spool stand for
    std::vector<std::string> skipped;
    std::vector<std::string> notes;  ///< what a reader should know that takes nothing from the verdict
    std::string error;               ///< why it failed; empty: it did not
    std::string sqlstate;            ///< of the error, where a server raised it
    double elapsed_seconds = 0;
};

/// How the target's sequence stands to the source's, in the direction of the increment.
enum class SequencePosition {
    kUnknown,  ///< a side's value is not known
    kEqual,    ///< the same next value and increment
    kWal,      ///< as far apart as a standby and its primary are by design: WAL is ahead by some values
    kBehind,   ///< the target would give values again that the source has given
    kAhead,    ///< the target leaves values out
    kApart,    ///< another increment, or a side is exhausted, or it cycles so that neither is known to be ahead
};

struct SequenceResult {
    Both<SequenceDesc> sequence;
    Verdict verdict = Verdict::kError;
    SequencePosition position = SequencePosition::kUnknown;
    std::string reason;                ///< empty where identical
    std::vector<std::string> notes{};  ///< what a reader should know that takes nothing from the verdict
};

}  // namespace parity::driver
