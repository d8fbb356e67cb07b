#pragma once

#include "driver/compare/context.h"
#include "driver/engine/server.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"

/// Large objects: all of a database, in runs that are about a whole database.
///
/// Which ones there are is read of pg_largeobject_metadata, as any table is. Their contents are in pg_largeobject:
/// where the role may read it, its pages are digested like a table's rows, and objects whose pages differ as they are
/// stored are read and compared byte by byte, because the same contents may be stored otherwise
/// (compare/object_bytes.h).
namespace parity::driver {

/// Compares large objects for compare_table(): fills `result` and the store as for a table, whose rows are the objects.
/// Requires: the snapshots are open.
/// Throws: Error.
void compare_large_objects(const RunContext& context, const TablePlan& plan, std::size_t table_no,
                           const Both<ServerSession*>& sessions, TableResult& result);

}  // namespace parity::driver
