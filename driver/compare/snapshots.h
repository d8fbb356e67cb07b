#pragma once

#include <functional>

#include "driver/engine/server.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// Opens both sides' transactions on `table`, source first, runs `work` under them, and ends them. Where that fails
/// with a snapshot failure, both transactions are given up and everything starts again, at most kSnapshotAttempts
/// times. Where it fails with an error that passes (ServerSession::explain_passing), it is tried again after a pause,
/// at most kPassingAttempts times.
/// Requires: `work` starts from nothing each time it is called.
/// Throws: an Error that names the table after the last snapshot; the Error that explains an error that passes after
/// the last attempt; any other error of `work` or of a session at once.
void with_table_snapshots(const Both<ServerSession*>& sessions, const TablePlan& table,
                          const std::function<void(const Both<TableSnapshot>&)>& work);

}  // namespace parity::driver
