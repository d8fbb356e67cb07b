#include "driver/options/sizes.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>

namespace parity::driver {
namespace {

TEST(MemoryLimit, ReadsSizes) {
    EXPECT_EQ(parse_size("0"), 0u);
    EXPECT_EQ(parse_size("17"), 17u);
    EXPECT_EQ(parse_size("17B"), 17u);
    EXPECT_EQ(parse_size("3kB"), 3u << 10);
    EXPECT_EQ(parse_size("3MB"), 3u << 20);
    EXPECT_EQ(parse_size("3GB"), std::uint64_t{3} << 30);
    EXPECT_EQ(parse_size("3TB"), std::uint64_t{3} << 40);
    EXPECT_EQ(parse_size("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
}

TEST(MemoryLimit, RefusesWhatIsNoSize) {
    for (const char* text : {"", "MB", "-1", "+1", " 1", "1 ", "1.5GB", "1mb", "1KB", "1M", "1MBs", "0x10", "1e3",
                             "18446744073709551616", "16777216TB", "18014398509481984kB"})
        EXPECT_EQ(parse_size(text), std::nullopt) << text;
    EXPECT_EQ(parse_size("16777215TB"), std::uint64_t{16777215} << 40);
}

TEST(Durations, AreRead) {
    using namespace std::chrono;
    EXPECT_EQ(parse_duration("0"), milliseconds(0));
    EXPECT_EQ(parse_duration("0s"), milliseconds(0));
    EXPECT_EQ(parse_duration("999us"), milliseconds(0));
    EXPECT_EQ(parse_duration("1500us"), milliseconds(1));
    EXPECT_EQ(parse_duration("17ms"), milliseconds(17));
    EXPECT_EQ(parse_duration("30s"), seconds(30));
    EXPECT_EQ(parse_duration("10min"), minutes(10));
    EXPECT_EQ(parse_duration("4h"), hours(4));
    EXPECT_EQ(parse_duration("2d"), hours(48));
}

TEST(Durations, AreRefused) {
    for (const char* text : {"", "s", "10", "-1s", "+1s", " 1s", "1 s", "1.5h", "10m", "1S", "1sec", "0x1s",
                             "18446744073709551616s", "9223372036854775807d"})
        EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

}  // namespace
}  // namespace parity::driver
