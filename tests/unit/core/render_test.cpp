#include "core/render.h"

#include <cmath>
#include <cstdio>
#include <limits>

#include "core/bounds.h"
#include "core/decimal.h"
#include "core/json_form.h"
#include "core/order.h"
#include "tests/support/core_bytes.h"
#include "tests/support/key_bounds.h"

namespace parity::core {
namespace {

using test::Bytes;
using test::frame;
using test::from_hex;
using test::le;
using test::view;

void write_double(ByteSink& sink, double value) {
    char text[40];
    int length = std::snprintf(text, sizeof text, "%g", value);
    sink.append(std::string_view(text, static_cast<std::size_t>(length)));
}

std::string rendered(Form form, const Bytes& canonical) {
    return test::appended([&](ByteSink& sink) { render_value(form, view(canonical), write_double, sink); });
}

Bytes decimal(bool negative, std::int32_t weight, std::initializer_list<std::uint16_t> digits) {
    return test::appended(
        [&](ByteSink& sink) { append_decimal(sink, negative, weight, std::span(digits.begin(), digits.size())); });
}

Bytes array(std::initializer_list<std::pair<std::uint32_t, std::int32_t>> dimensions, const Bytes& frames) {
    Bytes bytes = le(static_cast<std::uint32_t>(dimensions.size()));
    for (auto [length, lower] : dimensions) bytes += le(length) + le(lower);
    return bytes + frames;
}

TEST(Render, Scalars) {
    EXPECT_EQ(rendered(Form::kBool, Bytes(1, '\1')), "true");
    EXPECT_EQ(rendered(Form::kBool, Bytes(1, '\0')), "false");
    EXPECT_EQ(rendered(Form::kInt, le(std::numeric_limits<std::int64_t>::min())), "-9223372036854775808");
    EXPECT_EQ(rendered(Form::kFloat, le(bits_of_double(1.5))), "1.5");
    EXPECT_EQ(rendered(Form::kText, "as it is"), "as it is");
    EXPECT_EQ(rendered(Form::kText, ""), "");
    EXPECT_EQ(rendered(Form::kBytes, from_hex("00ff10")), "\\x00ff10");
    EXPECT_EQ(rendered(Form::kBytes, ""), "\\x");
    EXPECT_EQ(rendered(Form::kUuid, from_hex("a0eebc999c0b4ef8bb6d6bb9bd380a11")),
              "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
}

TEST(Render, Decimals) {
    EXPECT_EQ(rendered(Form::kDecimal, decimal(false, 0, {})), "0");
    EXPECT_EQ(rendered(Form::kDecimal, decimal(true, 1, {1, 2345})), "-12345");
    EXPECT_EQ(rendered(Form::kDecimal, decimal(false, 2, {1})), "100000000");
    EXPECT_EQ(rendered(Form::kDecimal, decimal(false, 0, {12, 3400})), "12.34");
    EXPECT_EQ(rendered(Form::kDecimal, decimal(false, -1, {5000})), "0.5");
    EXPECT_EQ(rendered(Form::kDecimal, decimal(false, -3, {1})), "0.000000000001");
    EXPECT_EQ(rendered(Form::kDecimal, decimal(false, 1, {1, 0, 0, 70})), "10000.0000007");
    EXPECT_EQ(rendered(Form::kDecimal, from_hex("00")), "-Infinity");
    EXPECT_EQ(rendered(Form::kDecimal, from_hex("04")), "Infinity");
    EXPECT_EQ(rendered(Form::kDecimal, from_hex("05")), "NaN");
}

TEST(Render, DecimalsThatNoNumericHoldsAreNotUnfolded) {
    EXPECT_EQ(rendered(Form::kDecimal, from_hex("03 ffffff7f 0100")), "\\x03ffffff7f0100");
    EXPECT_EQ(rendered(Form::kDecimal, from_hex("03 00000080 0100")), "\\x03000000800100");
    EXPECT_EQ(rendered(Form::kJson, "#" + le(std::uint32_t{7}) + from_hex("03 ffffff7f 0100")), "\\x03ffffff7f0100");
    EXPECT_EQ(rendered(Form::kDecimal, from_hex("03 ff7f0000 0100")).size(), 32767u * 4 + 1);
}

TEST(Render, Dates) {
    EXPECT_EQ(rendered(Form::kDate, le(0)), "2000-01-01");
    EXPECT_EQ(rendered(Form::kDate, le(59)), "2000-02-29");
    EXPECT_EQ(rendered(Form::kDate, le(60)), "2000-03-01");
    EXPECT_EQ(rendered(Form::kDate, le(-1)), "1999-12-31");
    EXPECT_EQ(rendered(Form::kDate, le(-36524)), "1900-01-01");
    EXPECT_EQ(rendered(Form::kDate, le(-730119)), "0001-01-01");
    EXPECT_EQ(rendered(Form::kDate, le(-730120)), "0001-12-31 BC");
    EXPECT_EQ(rendered(Form::kDate, le(2921940)), "10000-01-01");
    EXPECT_EQ(rendered(Form::kDate, le(-2451545)), "4714-11-24 BC") << "the first date that PostgreSQL has";
    EXPECT_EQ(rendered(Form::kDate, le(2145031948)), "5874897-12-31") << "the last date that PostgreSQL has";
    EXPECT_EQ(rendered(Form::kDate, le(std::numeric_limits<std::int32_t>::min())), "-infinity");
    EXPECT_EQ(rendered(Form::kDate, le(std::numeric_limits<std::int32_t>::max())), "infinity");
}

TEST(Render, Times) {
    EXPECT_EQ(rendered(Form::kTime, le(std::int64_t{0})), "00:00:00");
    EXPECT_EQ(rendered(Form::kTime, le(std::int64_t{86'400'000'000})), "24:00:00");
    EXPECT_EQ(rendered(Form::kTime, le(std::int64_t{3'723'000'100})), "01:02:03.0001");
    EXPECT_EQ(rendered(Form::kTimetz, le(std::int64_t{0}) + le(std::int32_t{-19800})), "00:00:00+05:30");
    EXPECT_EQ(rendered(Form::kTimetz, le(std::int64_t{1}) + le(std::int32_t{28801})), "00:00:00.000001-08:00:01");
    EXPECT_EQ(rendered(Form::kTimestamp, le(std::int64_t{0})), "2000-01-01 00:00:00");
    EXPECT_EQ(rendered(Form::kTimestamp, le(std::int64_t{-1})), "1999-12-31 23:59:59.999999");
    EXPECT_EQ(rendered(Form::kTimestamptz, le(std::int64_t{1'500'000})), "2000-01-01 00:00:01.5+00");
    EXPECT_EQ(rendered(Form::kTimestamptz, le(std::int64_t{-63082281600000001})), "0001-12-31 23:59:59.999999+00 BC");
    EXPECT_EQ(rendered(Form::kTimestamp, le(std::numeric_limits<std::int64_t>::min())), "-infinity");
    EXPECT_EQ(rendered(Form::kTimestamptz, le(std::numeric_limits<std::int64_t>::max())), "infinity");
    EXPECT_EQ(rendered(Form::kTimestamp, le(std::numeric_limits<std::int64_t>::min() + 1)),
              "290279-12-22 19:59:05.224193 BC")
        << "beyond what PostgreSQL has, but bytes may come from anywhere";
    EXPECT_EQ(rendered(Form::kInterval, le(std::int64_t{-1'000'000}) + le(std::int32_t{2}) + le(std::int32_t{-3})),
              "-3 mons 2 days -00:00:01");
    auto interval = [](auto micros, auto units) { return le(micros) + le(units) + le(units); };
    EXPECT_EQ(rendered(Form::kInterval,
                       interval(std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int32_t>::max())),
              "infinity");
    EXPECT_EQ(rendered(Form::kInterval,
                       interval(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int32_t>::min())),
              "-infinity");
}

TEST(Render, Json) {
    EXPECT_EQ(rendered(Form::kJson, "n"), "null");
    EXPECT_EQ(rendered(Form::kJson, "t"), "true");
    EXPECT_EQ(rendered(Form::kJson, "[" + le(std::uint32_t{0})), "[]");
    Bytes string = "s" + le(std::uint32_t{4}) + "a\"\\\n";
    EXPECT_EQ(rendered(Form::kJson, string), "\"a\\\"\\\\\\u000a\"");
    Bytes number = "#" + le(std::uint32_t{7}) + decimal(false, 0, {15});
    EXPECT_EQ(rendered(Form::kJson, "{" + le(std::uint32_t{1}) + le(std::uint32_t{1}) + "k" + "[" +
                                        le(std::uint32_t{2}) + number + "f"),
              "{\"k\": [15, false]}");
}

TEST(Render, MalformedJsonIsShownInHexadecimal) {
    EXPECT_EQ(rendered(Form::kJson, "x"), "\\x78");
    EXPECT_EQ(rendered(Form::kJson, "nn"), "\\x6e6e");
    EXPECT_EQ(rendered(Form::kJson, ""), "\\x");
    EXPECT_EQ(rendered(Form::kJson, "[" + le(std::uint32_t{0xFFFFFFFF}) + "n").substr(0, 2), "\\x");
    EXPECT_EQ(rendered(Form::kJson, "s" + le(std::uint32_t{5}) + "abc").substr(0, 2), "\\x");
    Bytes deep;
    for (int i = 0; i < 100000; ++i) deep += "[" + le(std::uint32_t{1});
    EXPECT_EQ(rendered(Form::kJson, deep + "n").substr(0, 2), "\\x") << "too deep to be followed";
}

TEST(Render, Arrays) {
    Bytes elements = frame(Form::kInt, le(std::int64_t{1})) + Bytes(1, '\0') + frame(Form::kInt, le(std::int64_t{-3}));
    EXPECT_EQ(rendered(array_of(Form::kInt), array({}, "")), "{}");
    EXPECT_EQ(rendered(array_of(Form::kInt), array({{3, 1}}, elements)), "{1,NULL,-3}");
    EXPECT_EQ(rendered(array_of(Form::kInt), array({{3, 0}}, elements)), "[0:2]={1,NULL,-3}");
    EXPECT_EQ(rendered(array_of(Form::kInt), array({{3, 1}, {1, 1}}, elements)), "{{1},{NULL},{-3}}");
    EXPECT_EQ(rendered(array_of(Form::kText), array({{2, 1}}, frame(Form::kText, "NULL") + frame(Form::kText, ""))),
              "{\"NULL\",\"\"}");
}

TEST(Render, MalformedArraysAreShownInHexadecimal) {
    Bytes one = frame(Form::kInt, le(std::int64_t{1}));
    for (const Bytes& bad :
         {Bytes(), le(std::uint32_t{7}), le(std::uint32_t{1}), array({{2, 1}}, one), array({{1, 1}}, one + one),
          array({}, one), array({{0, 1}}, ""), array({{0xFFFFFFFF, 1}, {0xFFFFFFFF, 1}, {0, 1}}, ""),
          array({{0xFFFFFFFF, 1}, {0xFFFFFFFF, 1}}, one)})
        EXPECT_EQ(rendered(array_of(Form::kInt), bad).substr(0, 2), "\\x") << test::to_hex(bad);
}

TEST(Render, ValuesOfAnotherWidthAreShownInHexadecimal) {
    EXPECT_EQ(rendered(Form::kInt, "abc"), "\\x616263");
    EXPECT_EQ(rendered(Form::kDecimal, from_hex("0300")), "\\x0300");
}

std::string rendered_key(std::vector<Form> forms, const Bytes& framed) {
    return test::appended([&](ByteSink& sink) { render_key(forms, view(framed), write_double, sink); });
}

std::string rendered_bound(std::vector<Form> forms, const Bytes& bound) {
    return test::appended([&](ByteSink& sink) { render_bound(forms, view(bound), write_double, sink); });
}

TEST(RenderKey, OneColumnStandsAloneSeveralInParentheses) {
    Bytes one = frame(Form::kInt, le(std::int64_t{17}));
    Bytes two = frame(Form::kText, "abc");
    EXPECT_EQ(rendered_key({Form::kInt}, one), "17");
    EXPECT_EQ(rendered_key({Form::kInt}, Bytes(1, '\0')), "NULL");
    EXPECT_EQ(rendered_key({Form::kInt, Form::kText, Form::kInt}, one + two + Bytes(1, '\0')), "(17, abc, NULL)");
    EXPECT_EQ(rendered_key({Form::kInt, Form::kText}, one), "(17)") << "a key on fewer columns shows these";
    EXPECT_EQ(rendered_key({Form::kInt}, "?"), "\\x3f");
}

TEST(RenderBound, ShowsTheKeyOrTheHash) {
    EXPECT_EQ(rendered_bound({Form::kInt}, "k" + frame(Form::kInt, le(std::int64_t{-4}))), "-4");
    EXPECT_EQ(rendered_bound({}, from_hex("68 0123456789abcdef")), "hash 0x0123456789abcdef");
}

}  // namespace
}  // namespace parity::core
