#pragma once

#include <cstddef>
#include <functional>

#include "driver/engine/server.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"
#include "driver/monitor/observer.h"

namespace parity::driver {

/// Opens both sides' transactions on `table`, source first, runs `work` under them, proves that both servers are still
/// the named ones, and ends the transactions, however that ends. The observer hears of each snapshot, and of their end.
/// Returns: the servers as they were when the work was done.
/// Throws: any error of `work` or of a session.
Both<ServerIdentity> with_table_snapshots(const Both<ServerSession*>& sessions, const TablePlan& table,
                                          Observer& observer, std::size_t table_no,
                                          const std::function<void(const Both<TableSnapshot>&)>& work);

}  // namespace parity::driver
