#pragma once

#include <functional>

#include "driver/engine/server.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// Opens both sides' transactions on `table`, source first, runs `work` under them, and ends them. Where that fails
/// with a snapshot failure, both transactions are given up and everything starts again, at most kSnapshotAttempts
/// times; then an Error that names the table. Where it fails with one that passes (ServerSession::explain_passing), it
/// is tried again after a pause, kPassingAttempts times; then the Error that explains it. So `work` must start from
/// nothing each time it is called.
void with_table_snapshots(const Both<ServerSession*>& sessions, const TablePlan& table,
                          const std::function<void(const Both<TableSnapshot>&)>& work);

}  // namespace parity::driver
