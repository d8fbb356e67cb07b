#include "driver/digests/tiling.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

#include "tests/support/errors.h"

namespace parity::driver {
namespace {

using fixtures::internal_error;

Tiling of_ten() { return {"rows", 10}; }

TEST(Tiling, PartsInAnyOrderMakeTheWhole) {
    Tiling tiling = of_ten();
    tiling.add(4, 7);
    tiling.add(0, 2);
    tiling.add(7, 10);
    tiling.add(2, 4);
    EXPECT_NO_THROW(tiling.require_whole());
}

TEST(Tiling, NothingIsWholeOfNothingAlone) {
    EXPECT_NO_THROW(Tiling("rows", 0).require_whole());
    EXPECT_EQ(internal_error([] { of_ten().require_whole(); }), "some rows of 10 were read in no part");
}

TEST(Tiling, TellsAGap) {
    for (const std::uint64_t missing : {0, 5, 9}) {
        Tiling tiling = of_ten();
        for (std::uint64_t i = 0; i < 10; ++i)
            if (i != missing) tiling.add(i, i + 1);
        EXPECT_EQ(internal_error([&] { tiling.require_whole(); }), "some rows of 10 were read in no part") << missing;
    }
}

TEST(Tiling, RefusesWhatIsThereAlready) {
    const auto adds = [](std::uint64_t from, std::uint64_t to) {
        return internal_error([&] {
            Tiling tiling = of_ten();
            tiling.add(2, 4);
            tiling.add(6, 8);
            tiling.add(from, to);
        });
    };
    EXPECT_EQ(adds(3, 4), "rows 3 to 4 do not fit among the parts that were read");
    for (const auto& [from, to] : {std::pair{2, 4}, {1, 3}, {3, 5}, {5, 7}, {7, 9}, {0, 10}, {4, 7}, {5, 5}, {9, 11}})
        EXPECT_FALSE(adds(static_cast<std::uint64_t>(from), static_cast<std::uint64_t>(to)).empty());
}

}  // namespace
}  // namespace parity::driver
