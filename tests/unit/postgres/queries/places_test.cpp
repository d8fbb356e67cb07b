#include <gtest/gtest.h>

#include "driver/postgres/queries/feed.h"

namespace parity::driver {
namespace {

TEST(Places, ARangeOfBlocksHasItsFirstAndNotItsEnd) {
    EXPECT_EQ(block_range_condition(3, 5, 0), "ctid >= '(3,0)'::pg_catalog.tid AND ctid < '(5,0)'::pg_catalog.tid");
}

TEST(Places, AServerWithoutRangesIsGivenEveryLine) {
    EXPECT_EQ(block_range_condition(3, 5, 2),
              "ctid = ANY ('{\"(3,1)\",\"(3,2)\",\"(4,1)\",\"(4,2)\"}'::pg_catalog.tid[])");
}

TEST(Places, LinesOfABlockMayBeNone) {
    EXPECT_EQ(lines_condition(7, {2, 9}), "ctid = ANY ('{\"(7,2)\",\"(7,9)\"}'::pg_catalog.tid[])");
    EXPECT_EQ(lines_condition(7, {}), "ctid = ANY ('{}'::pg_catalog.tid[])");
}

}  // namespace
}  // namespace parity::driver
