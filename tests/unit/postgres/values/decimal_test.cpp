#include "driver/postgres/values/decimal.h"

#include "core/decimal.h"
#include "driver/model/error.h"
#include "tests/support/core_bytes.h"
#include "tests/support/wire_fixtures.h"

namespace parity::driver {
namespace {

using fixtures::appended;
using test::from_hex;

std::string decimal(std::string_view number) {
    std::string bytes = appended([&](core::ByteSink& sink) { append_decimal_text(sink, number); });
    EXPECT_TRUE(core::is_decimal(test::view(bytes))) << number;
    return bytes;
}

TEST(DecimalText, WritesIntegers) {
    EXPECT_EQ(decimal("0"), from_hex("02"));
    EXPECT_EQ(decimal("-0"), from_hex("02"));
    EXPECT_EQ(decimal("1"), from_hex("03 00000000 0100"));
    EXPECT_EQ(decimal("-10000"), from_hex("01 01000000 0100"));
    EXPECT_EQ(decimal("999999999999999999"),
              appended([](core::ByteSink& sink) { core::append_decimal(sink, std::int64_t{999999999999999999}); }));
    EXPECT_EQ(decimal("1000000000000000000"),
              appended([](core::ByteSink& sink) { core::append_decimal(sink, std::int64_t{1000000000000000000}); }));
    EXPECT_EQ(decimal("-9223372036854775808"), appended([](core::ByteSink& sink) {
                  core::append_decimal(sink, std::numeric_limits<std::int64_t>::min());
              }));
}

TEST(DecimalText, SameNumberSameBytes) {
    for (const char* one : {"1", "1.0", "1.000000000000000000000000", "1e0", "0.1e1", "10E-1",
                            "1000000000000000000000e-21", "0.00000000000000000001e+20", "1E+0"})
        EXPECT_EQ(decimal(one), decimal("1")) << one;
    EXPECT_EQ(decimal("0.00012345"), from_hex("03 ffffffff 0100 2909"));
    EXPECT_EQ(decimal("12345e-8"), decimal("0.00012345"));
    EXPECT_EQ(decimal("0.0000"), from_hex("02"));
    EXPECT_EQ(decimal("0e5"), from_hex("02"));
    EXPECT_EQ(decimal("-0.0e-5"), from_hex("02"));
    EXPECT_EQ(decimal("123456.789"), from_hex("03 01000000 0c00 800d d21e"));
}

TEST(DecimalText, AlignsEveryExponent) {
    for (int exponent = -9; exponent <= 9; ++exponent) {
        std::string plain;
        if (exponent >= 1) plain = "12" + std::string(static_cast<std::size_t>(exponent - 1), '0');
        if (exponent == 0) plain = "1.2";
        if (exponent < 0) plain = "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + "12";
        EXPECT_EQ(decimal("1.2e" + std::to_string(exponent)), decimal(plain)) << exponent;
    }
}

TEST(DecimalText, RefusesWhatNumericRefuses) {
    const auto sqlstate = [](const std::string& number) {
        return fixtures::thrown([&] { decimal(number); }).sqlstate();
    };
    EXPECT_EQ(decimal("1e131071").size(), 7U);
    EXPECT_EQ(sqlstate("1e131072"), "22003");
    EXPECT_EQ(sqlstate("1" + std::string(131072, '0')), "22003");
    EXPECT_EQ(decimal("1e-16383").size(), 7U);
    EXPECT_EQ(sqlstate("1e-16384"), "22003");
    // the scale counts digits that are written, even zeros
    EXPECT_EQ(sqlstate("0e-16384"), "22003");
    EXPECT_EQ(sqlstate("0." + std::string(16384, '0')), "22003");
    EXPECT_EQ(decimal("0e400000"), from_hex("02"));
    EXPECT_EQ(sqlstate("0e1073741823"), "22003");
    EXPECT_EQ(sqlstate("1e-99999999999999999999999999999999"), "22003");
    EXPECT_EQ(sqlstate("1e99999999999999999999999999999999"), "22003");
    EXPECT_EQ(fixtures::thrown([] { decimal("1e131072"); }).kind(), ErrorKind::kServer);
}

}  // namespace
}  // namespace parity::driver
