#include "core/decimal.h"

#include <limits>
#include <vector>

#include "tests/support/core_bytes.h"

namespace parity::core {
namespace {

using test::Bytes;
using test::from_hex;
using test::to_hex;
using test::view;

Bytes special(DecimalKind kind) {
    return test::appended([&](ByteSink& sink) { append_decimal(sink, kind); });
}

Bytes integer(std::int64_t value) {
    return test::appended([&](ByteSink& sink) { append_decimal(sink, value); });
}

Bytes digits(bool negative, std::int32_t weight, std::vector<std::uint16_t> list) {
    return test::appended([&](ByteSink& sink) { append_decimal(sink, negative, weight, list); });
}

TEST(Decimal, BytesAreThoseOfTheFormat) {
    EXPECT_EQ(to_hex(special(DecimalKind::kMinusInfinity)), "00");
    EXPECT_EQ(to_hex(special(DecimalKind::kZero)), "02");
    EXPECT_EQ(to_hex(special(DecimalKind::kInfinity)), "04");
    EXPECT_EQ(to_hex(special(DecimalKind::kNan)), "05");
    EXPECT_EQ(to_hex(integer(1)), "03000000000100");
    EXPECT_EQ(to_hex(integer(-12345)), "010100000001002909");
    EXPECT_EQ(to_hex(digits(false, -1, {5000})), "03ffffffff8813") << "0.5";
}

TEST(Decimal, ThePointOfAnIntegerCanBeMoved) {
    const auto moved = [](std::int64_t value, int fraction_digits) {
        return test::appended([&](ByteSink& sink) { append_decimal(sink, value, fraction_digits); });
    };
    EXPECT_EQ(moved(0, 2), special(DecimalKind::kZero));
    EXPECT_EQ(moved(1234, 0), integer(1234));
    EXPECT_EQ(moved(5, 1), digits(false, -1, {5000}));
    EXPECT_EQ(moved(-1, 2), digits(true, -1, {100}));
    EXPECT_EQ(moved(12345, 2), digits(false, 0, {123, 4500}));
    EXPECT_EQ(moved(12345, 3), digits(false, 0, {12, 3450}));
    EXPECT_EQ(moved(12345, 4), digits(false, 0, {1, 2345}));
    EXPECT_EQ(moved(12345, 10), digits(false, -2, {123, 4500})) << "0.0000012345";
    EXPECT_EQ(moved(1000000, 2), integer(10000));
    EXPECT_EQ(moved(std::numeric_limits<std::int64_t>::min(), 2), digits(true, 4, {9, 2233, 7203, 6854, 7758, 800}));
    EXPECT_EQ(moved(std::numeric_limits<std::int64_t>::max(), 1), digits(false, 4, {92, 2337, 2036, 8547, 7580, 7000}));
}

TEST(Decimal, ZerosAtBothEndsDoNotCount) {
    EXPECT_EQ(digits(false, 3, {0, 0, 1, 2, 0}), digits(false, 1, {1, 2}));
    EXPECT_EQ(digits(true, 0, {7, 0, 0}), digits(true, 0, {7}));
    EXPECT_EQ(digits(false, -5, {0, 0, 9}), digits(false, -7, {9}));
    EXPECT_EQ(digits(false, 1, {1, 0, 2}), from_hex("03 01000000 0100 0000 0200")) << "zeros inside stay";
}

TEST(Decimal, ZeroHasNoSignAndNoWeight) {
    EXPECT_EQ(digits(true, 4, {0, 0}), special(DecimalKind::kZero));
    EXPECT_EQ(digits(true, 4, {}), special(DecimalKind::kZero));
    EXPECT_EQ(integer(0), special(DecimalKind::kZero));
}

TEST(Decimal, IntegersAreTheirDigits) {
    EXPECT_EQ(integer(10000), digits(false, 1, {1}));
    EXPECT_EQ(integer(99999999), digits(false, 1, {9999, 9999}));
    EXPECT_EQ(integer(std::numeric_limits<std::int64_t>::max()), digits(false, 4, {922, 3372, 368, 5477, 5807}));
    EXPECT_EQ(integer(std::numeric_limits<std::int64_t>::min()), digits(true, 4, {922, 3372, 368, 5477, 5808}));
}

TEST(Decimal, CanonicalBytesAreRecognised) {
    for (const Bytes& good :
         {special(DecimalKind::kNan), special(DecimalKind::kZero), integer(-1), digits(false, 1, {1, 0, 2})})
        EXPECT_TRUE(is_decimal(view(good))) << to_hex(good);
    for (const char* bad : {"", "06", "ff", "0200", "03", "0300000000", "030000000001", "03000000000000",
                            "030000000001000000", "030000000000000100", "03000000001027", "0300000000010001", "01"})
        EXPECT_FALSE(is_decimal(view(from_hex(bad)))) << bad;
}

TEST(Decimal, OrderIsThatOfNumbersWithNanLast) {
    const std::vector<Bytes> ascending{special(DecimalKind::kMinusInfinity),
                                       digits(true, 5, {1}),
                                       digits(true, 0, {2, 1}),
                                       digits(true, 0, {2}),
                                       digits(true, 0, {1}),
                                       digits(true, -1, {1}),
                                       digits(true, -2, {9999}),
                                       special(DecimalKind::kZero),
                                       digits(false, -2, {9999}),
                                       digits(false, -1, {1}),
                                       digits(false, 0, {1}),
                                       digits(false, 0, {1, 1}),
                                       digits(false, 0, {2}),
                                       digits(false, 1, {1}),
                                       digits(false, 1, {1, 1}),
                                       digits(false, 1, {2}),
                                       special(DecimalKind::kInfinity),
                                       special(DecimalKind::kNan)};
    for (std::size_t a = 0; a < ascending.size(); ++a)
        for (std::size_t b = 0; b < ascending.size(); ++b)
            EXPECT_EQ(compare_decimals(view(ascending[a]), view(ascending[b])), a < b ? -1 : a > b) << a << " " << b;
}

TEST(Decimal, WhatNoNumericCanHoldIsToldApart) {
    EXPECT_TRUE(fits_numeric(view(special(DecimalKind::kNan))));
    EXPECT_TRUE(fits_numeric(view(integer(std::numeric_limits<std::int64_t>::min()))));
    EXPECT_TRUE(fits_numeric(view(digits(false, 32767, {9999})))) << "131072 digits before the point";
    EXPECT_FALSE(fits_numeric(view(digits(false, 32768, {1}))));
    EXPECT_FALSE(fits_numeric(view(digits(false, std::numeric_limits<std::int32_t>::max(), {1}))));
    EXPECT_TRUE(fits_numeric(view(digits(true, -4096, {10})))) << "16383 digits after the point";
    EXPECT_FALSE(fits_numeric(view(digits(true, -4096, {1})))) << "16384 digits after the point";
    EXPECT_FALSE(fits_numeric(view(digits(true, -4097, {1000}))));
    EXPECT_FALSE(fits_numeric(view(digits(true, std::numeric_limits<std::int32_t>::min(), {1}))));
}

TEST(Decimal, MissingMemoryIsTold) {
    ByteSink sink = test::make_failing_sink();
    append_decimal(sink, std::int64_t{5});
    EXPECT_TRUE(sink.failed);
    EXPECT_EQ(sink.size, 0u);
}

}  // namespace
}  // namespace parity::core
