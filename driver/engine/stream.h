#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "driver/digests/ranges.h"
#include "driver/engine/memory.h"
#include "driver/engine/table_reader.h"
#include "driver/model/inventory.h"
#include "driver/model/plan.h"
#include "driver/postgres/connection/session.h"

namespace parity::driver {

/// What a stream needs to know besides the table.
struct StreamSettings {
    DigestSettings digest;
    MemoryPlan memory;
    ServerInfo server;
    /// Called with the blocks read so far and their number, by several threads.
    std::function<void(std::uint64_t, std::uint64_t)> on_progress;
};

/// The engine that needs nothing installed on a server: rows come by COPY (FORMAT binary) over several connections
/// under the session's snapshot and are hashed here as they arrive. The session's transaction on the table is open; it
/// stays so as long as the reader lives.
///
/// Errors: kUsage with a hint where not even one connection fits into the memory limit.
std::unique_ptr<TableReader> make_stream_reader(Session& session, const TablePlan& table, StreamSettings settings);

}  // namespace parity::driver
