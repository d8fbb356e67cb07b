#include "driver/options/suggestion.h"

#include <gtest/gtest.h>

namespace parity::driver {
namespace {

const std::vector<std::string> kWords{"--table", "--exclude-table", "--target", "--jobs"};

TEST(Suggestion, IsTheNearestWord) {
    EXPECT_EQ(nearest_word("--tabel", kWords), "--table");
    EXPECT_EQ(nearest_word("--tagret", kWords), "--target");
    EXPECT_EQ(nearest_word("--job", kWords), "--jobs");
    EXPECT_EQ(nearest_word("--excludetable", kWords), "--exclude-table");
    EXPECT_EQ(nearest_word("--table", kWords), "--table");
    EXPECT_EQ(suggestion("--tabel", kWords), "did you mean \"--table\"?");
}

TEST(Suggestion, IsNoneWhereNothingIsNear) {
    EXPECT_EQ(nearest_word("--verbose", kWords), std::nullopt);
    EXPECT_EQ(nearest_word("", kWords), std::nullopt);
    EXPECT_EQ(nearest_word("x", kWords), std::nullopt);
    EXPECT_EQ(nearest_word(std::string(10000, 't'), kWords), std::nullopt);
    EXPECT_EQ(nearest_word("--table", {}), std::nullopt);
    EXPECT_EQ(suggestion("--verbose", kWords), "");
}

}  // namespace
}  // namespace parity::driver
