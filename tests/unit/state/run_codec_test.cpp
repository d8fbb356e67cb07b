#include "driver/state/run_codec.h"

#include <gtest/gtest.h>

#include "driver/model/error.h"

namespace parity::driver {
namespace {

/// No UTF-8, as names in a database of SQL_ASCII may be.
const std::string kOdd("a\0\xff", 3);

TEST(RunCodec, GivesBackARequest) {
    RunRequest request;
    request.given = {{"table", {kOdd, "b"}}, {"strict-schema", {}}};
    request.seed = UINT64_MAX;
    request.format_version = 1;
    request.identity.target.system_identifier = "7";
    request.tables.push_back({{{"s", kOdd}, {}}, {UINT32_MAX, 0}});
    const RunRequest read = decode_request(encode_request(request));
    EXPECT_EQ(read.given, request.given);
    EXPECT_EQ(read.seed, UINT64_MAX);
    EXPECT_EQ(read.identity.target.system_identifier, "7");
    ASSERT_EQ(read.tables.size(), 1u);
    EXPECT_EQ(read.tables[0].first.source.name, kOdd);
    EXPECT_EQ(read.tables[0].second.source, UINT32_MAX);
}

TEST(RunCodec, GivesBackAResult) {
    TablePlan plan;
    plan.columns.resize(2);
    TableResult result;
    result.plan = plan;
    result.verdict = Verdict::kDivergent;
    result.rows = {UINT64_MAX, 3};
    result.counts.missing_on_source = 4;
    result.column_divergent = {true, false};
    result.column_counts = {{1, 2, 3}, {4, 5, 6}};
    result.error = kOdd;
    result.attempts = 5;
    result.counts.unresolved_on_target = 6;
    result.dead_letters.push_back({.side = Side::kTarget,
                                   .relation = kOdd,
                                   .block = 7,
                                   .line = 8,
                                   .has_key = true,
                                   .key_bytes = kOdd,
                                   .has_range = true,
                                   .lower = "k" + kOdd,
                                   .upper = kOdd,
                                   .column = kOdd,
                                   .sqlstate = "XX001",
                                   .message = kOdd,
                                   .attempts = 9});
    const TableResult read = decode_result(encode_result(result), decode_plan(encode_plan(plan)));
    EXPECT_EQ(read.verdict, Verdict::kDivergent);
    EXPECT_EQ(read.rows.source, UINT64_MAX);
    EXPECT_EQ(read.counts, result.counts);
    EXPECT_EQ(read.column_divergent, result.column_divergent);
    EXPECT_EQ(read.column_counts, result.column_counts);
    EXPECT_EQ(read.error, kOdd);
    EXPECT_EQ(read.attempts, 5);
    EXPECT_EQ(read.dead_letters, result.dead_letters);
    EXPECT_EQ(read.plan.columns.size(), 2u);
}

TEST(RunCodec, GivesBackAPosition) {
    Both<SidePosition> position;
    position.source = {UINT64_MAX, 3, 4, true, -5, 77, 9, 6};
    const SidePosition read = decode_position(encode_position(position)).source;
    EXPECT_EQ(read.lsn, UINT64_MAX);
    EXPECT_EQ(read.timeline, 3u);
    EXPECT_EQ(read.timeline_began, 4u);
    EXPECT_TRUE(read.in_recovery);
    EXPECT_EQ(read.started_us, -5);
    EXPECT_EQ(read.checkpointer, 77);
    EXPECT_EQ(read.seen_us, 9);
    EXPECT_EQ(read.on_disk, 6u);
}

TEST(RunCodec, RefusesOtherBytes) {
    const std::string bytes = encode_request(RunRequest{});
    EXPECT_THROW(decode_request(""), Error);
    EXPECT_THROW(decode_request(bytes.substr(0, bytes.size() - 1)), Error);
    EXPECT_THROW(decode_request(encode_position({})), Error);
    EXPECT_THROW(decode_head("{}"), Error);
}

}  // namespace
}  // namespace parity::driver
