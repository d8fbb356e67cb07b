#include <gtest/gtest.h>

#include "driver/postgres/catalog/server.h"

namespace parity::driver {
namespace {

using History = std::vector<LogSwitch>;

TEST(ParseLogHistory, ReadsALineForEachTimeline) {
    EXPECT_EQ(
        parse_log_history("1\t0/3000060\tno recovery target specified\n\n2\t1/A0\tbefore 2026-01-01 00:00:00+00\n"),
        (History{{1, 0x3000060}, {2, 0x1000000A0}}));
    EXPECT_EQ(parse_log_history(""), History{});
    EXPECT_EQ(parse_log_history("# a comment\n1\t0/10\n"), (History{{1, 0x10}}));
}

TEST(ParseLogHistory, HasNoAnswerWhereALineIsAnotherOne) {
    for (const char* text : {"1", "1\tx", "x\t0/1", "1\t0/1\n2", "-1\t0/1"})
        EXPECT_EQ(parse_log_history(text), std::nullopt) << text;
}

}  // namespace
}  // namespace parity::driver
