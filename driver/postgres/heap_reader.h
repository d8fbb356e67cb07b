#pragma once

#include <functional>
#include <memory>

#include "driver/engine/heap.h"
#include "driver/engine/table_reader.h"
#include "driver/model/inventory.h"
#include "driver/model/plan.h"
#include "driver/postgres/connection/session.h"

namespace parity::driver {

/// Makes the reader of a table of the session's open transaction.
using MakeTableReader = std::function<std::unique_ptr<TableReader>(const TablePlan& table)>;

/// Reads a table of the session's open transaction place by place, each by a reader of its own.
/// Requires: `session`, `table` and `server` outlive it.
std::unique_ptr<HeapReader> make_heap_reader(Session& session, const TablePlan& table, const ServerInfo& server,
                                             MakeTableReader make_reader);

}  // namespace parity::driver
