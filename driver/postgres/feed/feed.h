#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "driver/engine/row_feed.h"
#include "driver/model/inventory.h"
#include "driver/model/plan.h"
#include "driver/postgres/connection/session.h"

namespace parity::driver {

/// Called with the blocks read so far and their number, by several threads.
using FeedProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// A table's rows by COPY (FORMAT binary), over several connections under the session's snapshot.
/// Requires: the session's transaction on the table is open, and stays so as long as the feed lives.
std::unique_ptr<RowFeed> make_copy_feed(Session& session, const TablePlan& table, const ServerInfo& server,
                                        FeedProgress on_progress);

}  // namespace parity::driver
