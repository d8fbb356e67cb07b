#include "driver/planning/sequences.h"

#include <gtest/gtest.h>

#include <tuple>
#include <utility>

namespace parity::driver {
namespace {

TEST(Standbys, AreOfOnePrimary) {
    ServerInfo primary, standby;
    primary.identity.system_identifier = standby.identity.system_identifier = "7000";
    primary.identity.database_oid = standby.identity.database_oid = 5;
    standby.identity.in_recovery = true;
    const auto both = [](const ServerInfo& source, const ServerInfo& target) {
        const Both<bool> found = standby_rules({source, target}).standby;
        return std::pair(found.source, found.target);
    };
    EXPECT_EQ(both(primary, standby), std::pair(false, true));
    EXPECT_EQ(both(standby, primary), std::pair(true, false));
    EXPECT_EQ(both(standby, standby), std::pair(true, true));
    EXPECT_EQ(both(primary, primary), std::pair(false, false));
    ServerInfo other = standby;
    other.identity.system_identifier = "7001";
    EXPECT_EQ(both(primary, other), std::pair(false, false));
    other = standby;
    other.identity.database_oid = 6;
    EXPECT_EQ(both(primary, other), std::pair(false, false));
    primary.identity.system_identifier = standby.identity.system_identifier = "";  // neither may be read
    EXPECT_EQ(both(primary, standby), std::pair(false, false));
    EXPECT_TRUE(standby_rules({primary, standby}).may_be_standby.target);
}

TEST(Standbys, FollowTheTimelineOfTheirPrimary) {
    ServerInfo primary, standby;
    primary.identity.system_identifier = standby.identity.system_identifier = "7000";
    standby.identity.in_recovery = true;
    primary.identity.timeline = 2;
    for (const auto& [follows, is, may_be] :
         {std::tuple(2u, true, false), {1u, false, true}, {3u, false, false}, {0u, true, false}}) {
        standby.followed_timeline = follows;
        for (const SequenceRules& rules : {standby_rules({primary, standby}), standby_rules({standby, primary})}) {
            EXPECT_EQ(rules.standby.source || rules.standby.target, is) << follows;
            EXPECT_EQ(rules.may_be_standby.source || rules.may_be_standby.target, may_be) << follows;
        }
    }
}

}  // namespace
}  // namespace parity::driver
