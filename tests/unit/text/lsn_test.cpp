#include "driver/text/lsn.h"

#include <gtest/gtest.h>

namespace parity::driver {
namespace {

TEST(ParseLsn, ReadsWhatPostgresWrites) {
    EXPECT_EQ(parse_lsn("16/B374D848"), 0x16B374D848u);
    EXPECT_EQ(parse_lsn("0/0"), 0u);
    EXPECT_EQ(parse_lsn("FFFFFFFF/FFFFFFFF"), UINT64_MAX);
    EXPECT_EQ(parse_lsn("1/1"), 0x100000001u);
}

TEST(ParseLsn, ReadsNothingElse) {
    for (const char* text :
         {"", "/", "1", "1/", "/1", "1/2/3", "1/ 2", "-1/2", "1/G", "100000000/0", "0/100000000", "0x1/2"})
        EXPECT_EQ(parse_lsn(text), std::nullopt) << text;
}

}  // namespace
}  // namespace parity::driver
