#include "driver/state/sort_key.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "core/decimal.h"
#include "core/order.h"
#include "tests/support/core_bytes.h"
#include "tests/support/key_bounds.h"

namespace parity::driver {
namespace {

using core::Form;
using test::Bytes;
using test::le;
using test::view;

Bytes null_frame() {
    return test::appended([](core::ByteSink& sink) { core::append_null_frame(sink); });
}

Bytes decimal(std::int64_t value, int fraction) {
    return test::appended([&](core::ByteSink& sink) { core::append_decimal(sink, value, fraction); });
}

Bytes special(core::DecimalKind kind) {
    return test::appended([&](core::ByteSink& sink) { core::append_decimal(sink, kind); });
}

Bytes bits(double value) { return le(core::bits_of_double(value)); }

/// Values of a form that are near each other, so that every rule of the order decides somewhere.
std::vector<Bytes> values_of(Form form) {
    switch (form) {
        case Form::kInt:
            return {le(std::int64_t{0}),
                    le(std::int64_t{1}),
                    le(std::int64_t{-1}),
                    le(std::int64_t{256}),
                    le(std::int64_t{-257}),
                    le(std::numeric_limits<std::int64_t>::min()),
                    le(std::numeric_limits<std::int64_t>::max())};
        case Form::kDate:
            return {le(std::int32_t{0}), le(std::int32_t{-1}), le(std::int32_t{65536}),
                    le(std::numeric_limits<std::int32_t>::min())};
        case Form::kUnsigned:
            return {le(std::uint64_t{0}), le(std::uint64_t{255}), le(std::uint64_t{256}), le(~std::uint64_t{0})};
        case Form::kFloat:
            return {bits(0),
                    bits(1),
                    bits(-1),
                    bits(1e300),
                    bits(-1e-300),
                    bits(1e-310),
                    bits(std::numeric_limits<double>::infinity()),
                    bits(-std::numeric_limits<double>::infinity()),
                    bits(std::numeric_limits<double>::quiet_NaN())};
        case Form::kDecimal:
            return {decimal(0, 0),
                    decimal(1, 0),
                    decimal(-1, 0),
                    decimal(1, 4),
                    decimal(-1, 4),
                    decimal(10000, 0),
                    decimal(10001, 0),
                    decimal(-10001, 0),
                    decimal(100010001, 0),
                    decimal(-100010001, 0),
                    decimal(9999, 0),
                    decimal(99990001, 4),
                    special(core::DecimalKind::kNan),
                    special(core::DecimalKind::kInfinity),
                    special(core::DecimalKind::kMinusInfinity)};
        case Form::kUuid:
            return {Bytes(16, '\0'), Bytes(15, '\0') + "\x01", Bytes(16, '\xff')};
        case Form::kBool:
            return {Bytes(1, '\0'), Bytes(1, '\x01')};
        default:
            return {"",      "a",   "b", "ab", Bytes(1, '\0'), Bytes(2, '\0'), Bytes("a\0", 2), Bytes("a\0b", 3),
                    "a\x01", "\xff"};
    }
}

constexpr Form kForms[] = {Form::kInt,   Form::kDate,    Form::kUnsigned,
                           Form::kFloat, Form::kDecimal, Form::kUuid,
                           Form::kBool,  Form::kText,    core::array_of(Form::kText)};

int sign(int number) { return (number > 0) - (number < 0); }

TEST(SortKey, OrdersAsKeysAreOrdered) {
    std::mt19937 random(7);
    const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
    int decided[3] = {};
    for (int round = 0; round < 20000; ++round) {
        std::vector<Form> forms;
        Bytes a, b;
        for (std::size_t columns = 1 + below(3); columns > 0; --columns) {
            const Form form = kForms[below(std::size(kForms))];
            const std::vector<Bytes> values = values_of(form);
            forms.push_back(form);
            for (Bytes* key : {&a, &b})
                *key += below(8) == 0
                            ? null_frame()
                            : test::frame(
                                  form, values[below(std::min<std::size_t>(values.size(), 1 + below(values.size())))]);
        }
        const int expected = core::compare_keys(forms, view(a), view(b));
        ASSERT_EQ(sign(sort_key(forms, a).compare(sort_key(forms, b))), expected)
            << test::to_hex(a) << " " << test::to_hex(b);
        ++decided[expected + 1];
    }
    for (int number : decided) EXPECT_GT(number, 1000);
}

TEST(SortKey, HoldsTheBeginningOfLongKeys) {
    const std::vector<Form> forms{Form::kText, Form::kInt};
    const Bytes one = test::frame(Form::kInt, le(std::int64_t{1}));
    const auto key = [&](const Bytes& text) { return sort_key(forms, test::frame(Form::kText, text) + one); };
    EXPECT_EQ(key(Bytes(1'000'000, 'x')).size(), kMaxSortKeyBytes);
    EXPECT_EQ(key(Bytes(1'000'000, '\0')).size(), kMaxSortKeyBytes);
    EXPECT_LT(key("w" + Bytes(1'000'000, 'x')), key(Bytes(1'000'000, 'x')));
    EXPECT_EQ(key(Bytes(2000, 'x')), key(Bytes(2000, 'x') + "y"));
}

TEST(SortKey, OfBytesThatAreNoKeyIsWhatCanBeRead) {
    const Bytes whole = test::frame(Form::kInt, le(std::int64_t{5}));
    const std::vector<Form> forms{Form::kInt, Form::kText};
    EXPECT_EQ(sort_key(forms, whole), sort_key(forms, whole + "\x01"));
    EXPECT_EQ(sort_key(forms, ""), "");
}

}  // namespace
}  // namespace parity::driver
