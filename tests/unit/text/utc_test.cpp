#include "driver/text/utc.h"

#include <gtest/gtest.h>

namespace parity::driver {
namespace {

TEST(ShowUtc, IsIso8601) {
    EXPECT_EQ(show_utc(0), "1970-01-01T00:00:00Z");
    EXPECT_EQ(show_utc(1'700'000'000'999'999), "2023-11-14T22:13:20Z");
    EXPECT_EQ(show_utc(951'782'400'000'000), "2000-02-29T00:00:00Z");
}

}  // namespace
}  // namespace parity::driver
