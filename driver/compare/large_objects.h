#pragma once

#include "driver/compare/table.h"
#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/postgres/connection/session.h"

/// Large objects: all of a database, in runs that are about a whole database.
///
/// Which ones there are is read of pg_largeobject_metadata, as any table is. Their contents are in pg_largeobject:
/// where the role may read it, its pages are digested like a table's rows, and objects whose pages differ as they are
/// stored are read and compared byte by byte, because the same contents may be stored otherwise
/// (postgres/feed/large_object_bytes.h).
namespace parity::driver {

/// The columns that a mismatch of contents tells: where they begin to differ, and how long each side's are.
inline constexpr const char* kFirstDifference = "first_difference";
inline constexpr const char* kLength = "length";

/// What a mismatch tells of one object.
struct LargeObjectFinding {
    std::string first_difference;  ///< in bytes from the start
    Both<std::string> length;
};
LargeObjectFinding large_object_finding(const Finding& finding);

/// Adds what is to be done about large objects to a plan: an entry of its tables, or why they are not compared. Where
/// neither side has any, nothing.
void plan_large_objects(Plan& plan, const Options& options, const Both<Inventory>& inventories);

/// Compares them under the open snapshots, for compare_table(): fills `result` and the spool as for a table, whose rows
/// are the objects. Throws Error.
void compare_large_objects(const RunContext& context, const TablePlan& plan, int table_no,
                           const Both<Session*>& sessions, TableResult& result);

}  // namespace parity::driver
