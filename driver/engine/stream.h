#pragma once

#include <memory>

#include "driver/digests/ranges.h"
#include "driver/engine/memory.h"
#include "driver/engine/row_feed.h"
#include "driver/engine/table_reader.h"
#include "driver/model/plan.h"

namespace parity::driver {

/// What a stream needs to know besides the table.
struct StreamSettings {
    DigestSettings digest;
    MemoryPlan memory;
};

/// The engine that needs nothing installed on a server: rows come from a feed and are hashed here as they arrive.
/// Throws: Error{kUsage} with a hint where not even one connection fits into the memory limit.
std::unique_ptr<TableReader> make_stream_reader(std::unique_ptr<RowFeed> feed, const TablePlan& table,
                                                StreamSettings settings);

}  // namespace parity::driver
