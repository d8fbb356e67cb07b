#include "driver/planning/sequences.h"

#include <cstdint>

namespace parity::driver {

SequenceRules standby_rules(const Both<ServerInfo>& servers) {
    const ServerIdentity &source = servers.source.identity, &target = servers.target.identity;
    const Both<bool> recovery{source.in_recovery, target.in_recovery};
    const bool told = !source.system_identifier.empty() && !target.system_identifier.empty();
    if (source.database_oid != target.database_oid || (told && source.system_identifier != target.system_identifier))
        return {};
    const Side side = recovery.target ? Side::kTarget : Side::kSource;
    const ServerInfo &standby = servers[side], &other = servers[side == Side::kTarget ? Side::kSource : Side::kTarget];
    const std::uint32_t writes = other.identity.in_recovery ? other.followed_timeline : other.identity.timeline;
    const bool known = standby.followed_timeline != 0 && writes != 0;
    if (known && standby.followed_timeline > writes && recovery.source != recovery.target) return {};
    const bool certain = told && (!known || standby.followed_timeline == writes);
    SequenceRules rules;
    (certain ? rules.standby : rules.may_be_standby) = recovery;
    return rules;
}

}  // namespace parity::driver
