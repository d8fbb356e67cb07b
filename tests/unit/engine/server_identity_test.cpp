#include "driver/engine/server_identity.h"

#include <functional>

#include <gtest/gtest.h>

#include "driver/model/error.h"

namespace parity::driver {
namespace {

/// A primary that began at 1000 and was asked at 5000.
ServerIdentity primary() {
    ServerIdentity made;
    made.system_identifier = "7";
    made.database_oid = 5;
    made.started_us = 1000;
    made.timeline = 1;
    made.read_us = 5000;
    made.backend = 100;
    return made;
}

ServerIdentity standby() {
    ServerIdentity made = primary();
    made.started_us = 2000;
    made.in_recovery = true;
    made.timeline = 0;
    return made;
}

ServerIdentity with(ServerIdentity identity, const std::function<void(ServerIdentity&)>& change) {
    change(identity);
    return identity;
}

Error thrown(const std::function<void()>& act) {
    try {
        act();
    } catch (const Error& error) {
        return error;
    }
    return {ErrorKind::kInternal, "nothing was thrown"};
}

TEST(ServerChange, TheSameServerIsNoChange) {
    EXPECT_EQ(server_change(primary(), primary()), ServerChange::kNone);
    EXPECT_EQ(server_change(standby(), standby()), ServerChange::kNone);
    const ServerIdentity later = with(primary(), [](ServerIdentity& met) {
        met.read_us = 9000;
        met.backend = 101;
    });
    EXPECT_EQ(server_change(primary(), later), ServerChange::kNone);
}

TEST(ServerChange, AnotherSystemOrDatabaseIsAnotherServer) {
    const ServerIdentity system = with(primary(), [](ServerIdentity& met) { met.system_identifier = "8"; });
    const ServerIdentity database = with(primary(), [](ServerIdentity& met) { met.database_oid = 6; });
    EXPECT_EQ(server_change(primary(), system), ServerChange::kOtherServer);
    EXPECT_EQ(server_change(primary(), database), ServerChange::kOtherServer);
}

TEST(ServerChange, AnIdentifierThatCannotBeReadIsNoChange) {
    const ServerIdentity unknown = with(primary(), [](ServerIdentity& met) { met.system_identifier = ""; });
    EXPECT_EQ(server_change(primary(), unknown), ServerChange::kNone);
    EXPECT_EQ(server_change(unknown, primary()), ServerChange::kNone);
}

TEST(ServerChange, ATimelineThatCannotBeReadIsNoChange) {
    const ServerIdentity unknown = with(primary(), [](ServerIdentity& met) { met.timeline = 0; });
    EXPECT_EQ(server_change(primary(), unknown), ServerChange::kNone);
    EXPECT_EQ(server_change(unknown, primary()), ServerChange::kNone);
}

TEST(ServerChange, ALaterStartInTheSameRoleIsARestart) {
    const ServerIdentity later = with(primary(), [](ServerIdentity& met) { met.started_us = 6000; });
    EXPECT_EQ(server_change(primary(), later), ServerChange::kRestarted);
}

TEST(ServerChange, AServerThatRanBesideTheExpectedOneIsNotThatOne) {
    for (std::int64_t started : {500, 4000, 5000}) {
        const ServerIdentity beside = with(primary(), [&](ServerIdentity& met) { met.started_us = started; });
        EXPECT_EQ(server_change(primary(), beside), ServerChange::kOtherOfCluster) << started;
    }
}

TEST(ServerChange, TheSameProcessOutOfRecoveryWasPromoted) {
    const ServerIdentity promoted = with(standby(), [](ServerIdentity& met) {
        met.in_recovery = false;
        met.timeline = 2;
    });
    EXPECT_EQ(server_change(standby(), promoted), ServerChange::kPromoted);
    EXPECT_EQ(server_change(promoted, standby()), ServerChange::kOtherOfCluster);  // of two clones
}

TEST(ServerChange, AStandbyAndItsPrimaryAreTwoServers) {
    EXPECT_EQ(server_change(primary(), standby()), ServerChange::kOtherOfCluster);
    EXPECT_EQ(server_change(standby(), primary()), ServerChange::kOtherOfCluster);
}

TEST(ServerChange, AnotherTimelineIsAnotherServer) {
    const ServerIdentity same_start = with(primary(), [](ServerIdentity& met) { met.timeline = 2; });
    const ServerIdentity later_start = with(same_start, [](ServerIdentity& met) { met.started_us = 6000; });
    EXPECT_EQ(server_change(primary(), same_start), ServerChange::kOtherOfCluster);
    EXPECT_EQ(server_change(primary(), later_start), ServerChange::kOtherOfCluster);
}

TEST(RequireSameServer, NamesBoth) {
    const ServerIdentity other = with(primary(), [](ServerIdentity& met) { met.system_identifier = "8"; });
    const Error error = thrown([&] { require_same_server(Side::kTarget, primary(), other); });
    EXPECT_EQ(error.kind(), ErrorKind::kOtherServer);
    EXPECT_STREQ(error.what(),
                 "target is another server now: system identifier 8, database OID 5; when the run began: system "
                 "identifier 7, database OID 5");
    EXPECT_NE(error.hint(), "");
}

TEST(RequireSameServer, TellsWhatChanged) {
    const ServerIdentity later = with(primary(), [](ServerIdentity& met) { met.started_us = 1'700'000'000'000'006; });
    const Error error = thrown([&] { require_same_server(Side::kSource, primary(), later); });
    EXPECT_EQ(error.kind(), ErrorKind::kChangedServer);
    EXPECT_STREQ(error.what(),
                 "source was restarted: started 2023-11-14 22:13:20.000006Z, primary on timeline 1; when the run "
                 "began: started 1970-01-01 00:00:00.001000Z, primary on timeline 1");
    EXPECT_EQ(std::string(thrown([&] { require_same_server(Side::kSource, primary(), standby()); }).what())
                  .substr(0, std::string("source is another server of the same cluster now").size()),
              "source is another server of the same cluster now");
}

TEST(RequireSameBackend, ASessionHasOne) {
    EXPECT_NO_THROW(require_same_backend(Side::kSource, primary().backend, primary()));
    const ServerIdentity other = with(primary(), [](ServerIdentity& met) { met.backend = 101; });
    const Error error = thrown([&] { require_same_backend(Side::kSource, primary().backend, other); });
    EXPECT_EQ(error.kind(), ErrorKind::kOtherServer);
    EXPECT_NE(std::string(error.what()).find("a pooler in transaction or statement mode"), std::string::npos);
    EXPECT_NE(error.hint().find("session mode"), std::string::npos);
}

ServerInfo info(const ServerIdentity& identity) {
    ServerInfo made;
    made.identity = identity;
    made.database = "shop";
    return made;
}

TEST(NamedServers, ASideThatBecomesTheOtherEndsTheRun) {
    const Both<ServerInfo> servers{info(primary()), info(standby())};
    NamedServers named(servers, false);
    EXPECT_NO_THROW(named.require(Side::kSource, primary()));
    EXPECT_NO_THROW(named.require(Side::kTarget, standby()));
    for (const bool reads : {false, true}) {
        const Error error = thrown([&] {
            if (reads)
                named.require(Side::kTarget, primary());
            else
                named.store_met(Side::kTarget, primary());
        });
        EXPECT_EQ(error.kind(), ErrorKind::kOtherServer);
        EXPECT_NE(std::string(error.what()).find("are the same database \"shop\""), std::string::npos);
    }
}

TEST(NamedServers, BothSidesMayBecomeAThirdServer) {
    const ServerIdentity third = with(primary(), [](ServerIdentity& met) { met.started_us = 3000; });
    NamedServers named({info(primary()), info(standby())}, false);
    EXPECT_EQ(thrown([&] { named.require(Side::kSource, third); }).kind(), ErrorKind::kChangedServer);
    EXPECT_EQ(thrown([&] { named.store_met(Side::kTarget, third); }).kind(), ErrorKind::kOtherServer);
}

TEST(NamedServers, OneServerOnBothSidesMayBeAllowed) {
    NamedServers named({info(primary()), info(primary())}, true);
    EXPECT_NO_THROW(named.require(Side::kTarget, primary()));
    NamedServers two({info(primary()), info(standby())}, true);
    EXPECT_EQ(thrown([&] { two.require(Side::kTarget, primary()); }).kind(), ErrorKind::kChangedServer);
}

/// The primary after a restart, asked at 7000.
ServerIdentity restarted() {
    return with(primary(), [](ServerIdentity& met) {
        met.started_us = 6000;
        met.read_us = 7000;
    });
}

TEST(NamedServers, ARestartedServerIsTheNamedOne) {
    NamedServers named({info(primary()), info(standby())}, false);
    EXPECT_EQ(named.store_met(Side::kSource, restarted()), ServerChange::kRestarted);
    EXPECT_EQ(named.store_met(Side::kSource, restarted()), ServerChange::kNone);
    EXPECT_NO_THROW(named.require(Side::kSource, restarted()));
    EXPECT_NO_THROW(named.require(Side::kTarget, standby()));
    const ServerIdentity again = with(restarted(), [](ServerIdentity& met) { met.started_us = met.read_us = 8000; });
    EXPECT_NO_THROW(named.require(Side::kSource, again));
}

TEST(NamedServers, WhatWasReadBeforeARestartMayBeHeardOfAfterIt) {
    NamedServers named({info(primary()), info(standby())}, false);
    named.require(Side::kSource, restarted());
    EXPECT_NO_THROW(named.require(Side::kSource, primary()));
    const ServerIdentity beside = with(primary(), [](ServerIdentity& met) { met.read_us = 7500; });
    EXPECT_EQ(thrown([&] { named.require(Side::kSource, beside); }).kind(), ErrorKind::kChangedServer);
}

TEST(NamedServers, AServerThatBeganBeforeTheLastAnswerIsAnotherOne) {
    NamedServers named({info(primary()), info(standby())}, false);
    named.require(Side::kSource, with(primary(), [](ServerIdentity& met) { met.read_us = 6500; }));
    EXPECT_EQ(thrown([&] { named.require(Side::kSource, restarted()); }).kind(), ErrorKind::kChangedServer);
}

TEST(NamedServers, AServerWhoseLogLacksWhatWasOnDiskIsAnotherOne) {
    const auto with_log = [](ServerIdentity identity, std::uint64_t end) {
        return with(identity, [&](ServerIdentity& met) { met.log_end = end; });
    };
    NamedServers named({info(with_log(primary(), 50)), info(standby())}, false);
    named.require(Side::kSource, with_log(primary(), 100));
    const Error error = thrown([&] { named.require(Side::kSource, with_log(restarted(), 99)); });
    EXPECT_EQ(error.kind(), ErrorKind::kChangedServer);
    EXPECT_NE(std::string(error.what()).find("log to 0/63"), std::string::npos) << error.what();
    EXPECT_NO_THROW(named.require(Side::kSource, with_log(restarted(), 100)));
}

TEST(NamedServers, AStandbyMayReplayAgainWhatItHadReplayed) {
    NamedServers named({info(primary()), info(standby())}, false);
    named.require(Side::kTarget, with(standby(), [](ServerIdentity& met) { met.log_end = 100; }));
    EXPECT_NO_THROW(named.require(Side::kTarget, with(standby(), [](ServerIdentity& met) {
                                      met.started_us = met.read_us = 9000;
                                      met.log_end = 50;
                                  })));
}

}  // namespace
}  // namespace parity::driver
