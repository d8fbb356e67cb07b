#include "driver/work/fall_back.h"

#include <gtest/gtest.h>

#include "driver/work/failover.h"

namespace parity::driver {
namespace {

Error of_target(const std::string& sqlstate) { return {ErrorKind::kServer, "failed", "", "target", sqlstate}; }

TablePlan scanned() {
    TablePlan table;
    table.path = {"scan", "scan"};
    table.ranges = 64;
    return table;
}

TEST(FallBack, TakesEachStepOnceAndOnTheSideThatFailed) {
    const TablePlan table = scanned();
    FallBack chain;
    const auto now = [&] { return chain.adapted(table, false); };
    EXPECT_TRUE(chain.take_step({}, table, of_target("53200")));
    EXPECT_EQ(now().manner.target.workers, 1);
    EXPECT_FALSE(now().manner.source.workers);
    EXPECT_TRUE(chain.take_step({}, table, of_target("53200")));
    EXPECT_EQ(now().ranges, 8);
    EXPECT_TRUE(chain.take_step({}, table, of_target("53200")));
    EXPECT_EQ(now().manner.target.workers, 0);
    EXPECT_TRUE(chain.take_step({}, table, of_target("53200")));
    EXPECT_TRUE(now().manner.target.by_aggregate);
    EXPECT_FALSE(now().manner.source.by_aggregate);
    EXPECT_FALSE(chain.take_step({}, table, of_target("53200")));
}

TEST(FallBack, StreamsOnlyWhereThatIsAllowed) {
    TablePlan table = scanned();
    table.columns.emplace_back().prefilter = "jsonb_raw";
    Options options;
    options.fall_back_to_stream = true;
    FallBack chain;
    EXPECT_TRUE(chain.take_step(options, table, of_target("0A000")));
    EXPECT_TRUE(has_prefilter(chain.adapted(table, false)));
    EXPECT_TRUE(chain.take_step(options, table, of_target("0A000")));
    const TablePlan streamed = chain.adapted(table, false);
    EXPECT_TRUE(streamed.manner.target.by_stream);
    EXPECT_FALSE(streamed.manner.source.by_stream);
    EXPECT_FALSE(has_prefilter(streamed)) << "a stream has no jsonb_raw, so neither side may be read under it";
}

TEST(FallBack, WhatPlansAsTheCallerRunsNoCodeOfOwners) {
    const TablePlan table = scanned();
    FallBack chain;
    chain.take_step({}, table, of_target("0A000"));
    EXPECT_TRUE(chain.adapted(table, false).must_run_no_code.target);
    EXPECT_FALSE(chain.adapted(table, false).must_run_no_code.source);
    EXPECT_FALSE(chain.adapted(table, true).must_run_no_code.target);
}

TEST(FallBack, FailuresWithoutSuchARemedyTakeNoStep) {
    FallBack chain;
    for (const char* sqlstate : {"XX000", "42501", "57014", "53300", "53100", "40001", "55000", ""})
        EXPECT_FALSE(chain.take_step({}, scanned(), of_target(sqlstate))) << sqlstate;
    for (ErrorKind kind : {ErrorKind::kInternal, ErrorKind::kOtherServer, ErrorKind::kChangedServer, ErrorKind::kUsage})
        EXPECT_FALSE(chain.take_step({}, scanned(), Error(kind, "failed", "", "target", "53200")));
}

ServerInfo server(std::uint32_t timeline, std::string system = "7") {
    ServerInfo info;
    info.identity.system_identifier = std::move(system);
    info.identity.timeline = timeline;
    return info;
}

TEST(Failover, WantsTheSameClusterAndNoOlderTimeline) {
    EXPECT_FALSE(why_no_failover(server(1), server(2)));
    EXPECT_FALSE(why_no_failover(server(2), server(2)));
    EXPECT_FALSE(why_no_failover(server(2), server(0)));
    EXPECT_TRUE(why_no_failover(server(2), server(1)));
    EXPECT_TRUE(why_no_failover(server(1, ""), server(2)));
    EXPECT_TRUE(why_no_failover(server(1), server(2, "")));
}

}  // namespace
}  // namespace parity::driver
