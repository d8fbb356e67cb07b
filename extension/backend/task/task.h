#pragma once

#include "backend/pg.h"

#include <span>

#include "backend/task/owners_code.h"
#include "backend/task/spec.h"
#include "backend/values/type_forms.h"

/// A call of a function that reads a relation: from SQL arguments to something that can be run.
namespace parity::backend {

/// One column that takes part.
struct TaskColumn {
    AttrNumber number;
    NameData name;
    Oid type;
    Oid collation;
    ColumnReader reader;
};

/// What the functions that read a relation have in common. Null pointers are arguments that were NULL.
struct TaskArguments {
    Oid relation;
    ArrayType* key_columns;
    ArrayType* columns;
    Jsonb* forms;
    char* filter;
    std::int64_t seed;
    int width;
    bool keys_only = false;         ///< there may be no column at all: only the key matters, and there may be none
    bool without_children = false;  ///< the relation's own rows alone, as of SQL's ONLY
};

/// Why a relation is not scanned directly.
enum class ScanObstacle {
    kNone,
    kRowSecurity,
    kFilter,
    kSerializable,
    kRelationKind,
    kAccessMethod,
    kVirtualColumn,
    kPlan,  ///< the server's planner reads it otherwise
};

/// A relation opened and checked, with its columns chosen.
struct DigestTask {
    Relation relation;
    std::span<const TaskColumn> key;
    std::span<const TaskColumn> columns;
    /// The relation itself, or what has its rows: partitions, inheritance children. Locked.
    std::span<const Oid> leaves;
    char* filter;  ///< checked; null for none
    ScanObstacle obstacle;
    bool row_security;      ///< applies to the caller
    bool without_children;  ///< its own rows alone
    bool in_heap;           ///< the server's planner reads all rows from the leaves' pages; without it none is read
    const char* why_not_in_heap;    ///< why not, where the planner was asked
    const OwnersCode* owners_code;  ///< what planning would call with the caller's rights; null: nothing
    Oid other_owner;  ///< who could change that while it is planned; InvalidOid: nobody but the caller and superusers
    const char* question;  ///< what the planner was asked
    PlannedStmt* plan;     ///< its answer
    DigestSpec spec;       ///< without bounds and kept ranges
};

/// Why the task's relation is not scanned directly: a phrase for people.
/// Returns: null where it is scanned directly.
const char* describe_obstacle(const DigestTask& task);

/// Whether rows that can be read without a plan are read so whatever it costs: planning would run functions of others,
/// or, of a superuser, could run some that an owner makes meanwhile.
bool avoids_plans(const DigestTask& task);

/// Whether no range and no bucket is left out.
bool reads_all(const DigestTask& task);

/// Opens the relation and checks everything that can be wrong: kind, other sessions' temporary tables, unlogged tables
/// in recovery, unpopulated materialised views, names, forms, SELECT on each column, and that neither it nor any leaf
/// was rewritten, came or went after the active snapshot was taken. In the current context.
/// Errors: the one that names what is wrong.
DigestTask open_task(const TaskArguments& arguments);

/// Checks that nothing of a relation changed after the active snapshot was taken. For relations behind views and in
/// filters, which a query's plan names; one that is gone is no concern here.
/// Errors: 40001 where a relation, a partition or a child of it was rewritten, came or went after the active snapshot
/// was taken.
void check_unchanged(Oid relation);

/// Lets go of the relation; its lock stays.
void close_task(DigestTask& task);

/// Divides the task's key by these bounds.
/// Errors: 22023 for bounds that are malformed or do not ascend.
void set_bounds(DigestTask& task, std::span<const core::ByteView> bounds);

/// Chooses ranges by their numbers, from 1 on (null: all).
/// Requires: set_bounds() was called.
/// Errors: 22023 for numbers of no range.
void keep_only(DigestTask& task, ArrayType* only_ranges);

/// Sets how many buckets each range has.
/// Requires: its bounds are set.
/// Errors: 22023 for a number that is no power of two up to kMaxBuckets, and where there would be more buckets than
/// numbers.
void set_buckets(DigestTask& task, int buckets);

/// Chooses rows by bucket instead of by range (null: all): by numbers from 1 on, counted through all ranges.
/// Requires: set_buckets() has been called.
/// Errors: 22023 for numbers that are none.
void keep_only_buckets(DigestTask& task, ArrayType* only_buckets);

}  // namespace parity::backend
