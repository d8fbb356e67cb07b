#pragma once

#include <memory>

#include "driver/engine/row_feed.h"
#include "driver/engine/table_reader.h"
#include "driver/model/plan.h"

namespace parity::driver {

/// The engine that needs nothing installed on a server: rows come from a feed and are hashed here as they arrive.
/// Throws: Error{kUsage} with a hint where not even one connection fits into the memory limit.
std::unique_ptr<TableReader> make_stream_reader(std::unique_ptr<RowFeed> feed, const TablePlan& table,
                                                TableReaderSettings settings);

}  // namespace parity::driver
