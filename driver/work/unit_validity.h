#pragma once

#include <optional>
#include <string>

#include "driver/model/inventory.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"

/// Whether what was compared earlier in a run still counts when the run is continued.
namespace parity::driver {

/// Where a side is, for later. `lsn` is that of the unit's snapshot, `seen` the server when the unit had been compared,
/// and `server` what was known of it when the unit was begun.
SidePosition position_of(const ServerInfo& server, const ServerIdentity& seen, const std::string& lsn);

/// Whether two looks at a server found the same process that has not crashed between them.
bool is_same_incarnation(const ServerInfo& before, const ServerInfo& now);

/// Whether a side was read on another machine than the one that it is now: that ran already when the side was read. A
/// server that began later may be the same one, restarted.
bool is_another_server(const SidePosition& read, const ServerInfo& now);

/// Why what a snapshot showed may not be part of what a side has now. A server whose process and whose checkpointer are
/// still the same has lost nothing. Of any other one everything that the snapshot showed must have been on disk, and
/// lie on the present history of its log. Rows that are not logged go with a crash. A primary that was running already
/// when the snapshot was taken of another primary shares only what was before their timelines parted.
/// Returns: nothing where it is part of it.
std::optional<std::string> why_lost(Side side, const SidePosition& read, bool has_unlogged, const ServerInfo& now);

/// The same of a table, on either side: what `table` says of it counts.
std::optional<std::string> why_lost(const TablePlan& table, const Both<SidePosition>& read,
                                    const Both<ServerInfo>& now);

/// What is different about a table, or about what of it is compared with what, since a unit of it was compared.
/// Returns: nothing where it is the same.
std::optional<std::string> why_changed(const TablePlan& compared, const TablePlan& now);

/// What of a table was compared and is not looked at any more, so that finding no difference now clears none that was
/// found then.
/// Returns: nothing where all of it is.
std::optional<std::string> what_is_left_out(const TablePlan& compared, const TablePlan& now);

}  // namespace parity::driver
