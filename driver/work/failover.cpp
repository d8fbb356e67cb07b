#include "driver/work/failover.h"

#include <fmt/format.h>

#include "driver/model/error.h"
#include "driver/waiting/wall_clock.h"

namespace parity::driver {

std::optional<std::string> why_no_failover(const ServerInfo& left, const ServerInfo& met) {
    if (left.identity.system_identifier.empty() || met.identity.system_identifier.empty())
        return "this role may not read its system identifier (pg_control_system), so nothing shows that it is of the "
               "same cluster";
    const std::uint32_t before = timeline_of(left), now = timeline_of(met);
    if (before != 0 && now != 0 && now < before)
        return fmt::format("it is on timeline {}, which is older than {}", now, before);
    return std::nullopt;
}

bool Failovers::follow(Side side, const ServerInfo& left, const ServerInfo& met) {
    const ServerChange change = named_.change_to(side, met.identity);
    if (change != ServerChange::kPromoted && change != ServerChange::kOtherOfCluster) return false;
    std::optional<std::string> reason = why_no_failover(left, met);
    if (!reason && left_.contains({side, met.identity.started_us}))
        reason = "the run has left it before, so the address leads to several servers in turn";
    if (reason)
        throw Error(
            ErrorKind::kChangedServer,
            fmt::format("the run does not go on with another server of the {}: {}; it: {}; before: {}", side_name(side),
                        *reason, describe_incarnation(met.identity), describe_incarnation(left.identity)),
            {}, std::string(side_name(side)), {});
    named_.fail_over(side, met.identity);
    if (left.identity.started_us != met.identity.started_us) left_.emplace(side, left.identity.started_us);
    list_.push_back({side, wall_clock_us(), describe_incarnation(left.identity), describe_incarnation(met.identity),
                     met.identity.started_us});
    return true;
}

}  // namespace parity::driver
