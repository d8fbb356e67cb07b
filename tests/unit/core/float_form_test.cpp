#include "core/float_form.h"

#include <limits>

#include <gtest/gtest.h>

namespace parity::core {
namespace {

TEST(FloatForm, HasOneNanAndOneZero) {
    EXPECT_EQ(canonical_float(-std::numeric_limits<double>::quiet_NaN()), kCanonicalNan);
    EXPECT_EQ(canonical_float(-0.0), 0U);
    EXPECT_EQ(canonical_rounded_float(-std::numeric_limits<double>::quiet_NaN()), kCanonicalNan);
    EXPECT_EQ(canonical_rounded_float(-0.0), 0U);
}

TEST(FloatForm, RoundsToSinglePrecision) {
    EXPECT_EQ(canonical_rounded_float(0.1), bits_of_double(static_cast<double>(0.1F)));
    EXPECT_EQ(canonical_rounded_float(16777217.0), bits_of_double(16777216.0));
    EXPECT_EQ(canonical_rounded_float(16777219.0), bits_of_double(16777220.0)) << "of two to the even one";
}

TEST(FloatForm, LeavesWhatSinglePrecisionCannotHold) {
    const double largest = std::numeric_limits<float>::max();
    EXPECT_EQ(canonical_rounded_float(0x1.fffffefffffffp127), bits_of_double(largest));
    for (double value : {0x1.ffffffp127, 1e39, -1e300, 5e-324, -1e-46, std::numeric_limits<double>::infinity()})
        EXPECT_EQ(canonical_rounded_float(value), bits_of_double(value)) << value;
}

}  // namespace
}  // namespace parity::core
