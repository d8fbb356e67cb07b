#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "driver/engine/server_identity.h"
#include "driver/model/inventory.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// Why a run must not go on with a server of a side's cluster in the place of another one: it cannot be shown to be of
/// the same cluster, or its log is older.
/// Returns: nothing where it may.
std::optional<std::string> why_no_failover(const ServerInfo& left, const ServerInfo& met);

/// The failovers of a run, where --allow-failover allows them. They happen here alone: where a connection is made anew,
/// and never within a transaction. What was compared before counts by the rules of work/unit_validity.h.
/// Requires: one thread uses it at a time.
class Failovers {
  public:
    explicit Failovers(NamedServers& named) : named_(named) {}

    /// Takes what a connection met that was made anew. Where that is another server of the side's cluster than `left`,
    /// it is the side's server from now on.
    /// Returns: whether it is that.
    /// Throws: Error{kChangedServer} where it is another one that the run must not go on with, such as one that was
    /// left before: then an address leads to several servers in turn. Error{kOtherServer} where the run must end.
    bool follow(Side side, const ServerInfo& left, const ServerInfo& met);

    /// In their order.
    const std::vector<ServerFailover>& list() const { return list_; }

  private:
    NamedServers& named_;
    std::set<std::pair<Side, std::int64_t>> left_;  ///< when they began
    std::vector<ServerFailover> list_;
};

}  // namespace parity::driver
