#include "core/order.h"

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/core_bytes.h"
#include "tests/support/key_bounds.h"

namespace parity::core {
namespace {

using test::Bytes;
using test::frame;
using test::from_hex;
using test::le;
using test::text_frame;
using test::view;

Bytes number(double value) { return le(bits_of_double(value)); }

Bytes null_frame() {
    return test::appended([](ByteSink& sink) { append_null_frame(sink); });
}

Bytes integer_frame(std::int64_t value) { return frame(Form::kInt, le(value)); }

/// Every value against every other, both ways.
void expect_ascending(Form form, const std::vector<Bytes>& values) {
    for (std::size_t a = 0; a < values.size(); ++a)
        for (std::size_t b = 0; b < values.size(); ++b)
            EXPECT_EQ(compare_values(form, view(values[a]), view(values[b])), a < b ? -1 : a > b) << a << " " << b;
}

TEST(Frame, HasALengthOnlyWhereTheWidthVaries) {
    EXPECT_EQ(integer_frame(1), from_hex("01 0100000000000000"));
    EXPECT_EQ(text_frame("ab"), from_hex("01 02000000 6162"));
    EXPECT_EQ(text_frame(""), from_hex("01 00000000"));
    EXPECT_EQ(null_frame(), from_hex("00"));
}

TEST(Frame, KeepsNeighboursApart) {
    EXPECT_NE(text_frame("a") + text_frame("bc"), text_frame("ab") + text_frame("c"));
    EXPECT_NE(text_frame("") + null_frame(), null_frame() + text_frame(""));
    EXPECT_NE(text_frame("NULL"), null_frame());
}

TEST(Frame, ReadsBack) {
    Bytes framed = integer_frame(-5) + null_frame() + text_frame("x") + text_frame("");
    FrameReader reader(view(framed));
    std::optional<FramedValue> value = reader.next(Form::kInt);
    ASSERT_TRUE(value && !value->null);
    EXPECT_EQ(test::bytes_of(value->bytes), le(std::int64_t{-5}));
    value = reader.next(Form::kText);
    ASSERT_TRUE(value && value->null && value->bytes.empty());
    value = reader.next(Form::kText);
    ASSERT_TRUE(value && !value->null);
    EXPECT_EQ(as_text(value->bytes), "x");
    value = reader.next(Form::kText);
    ASSERT_TRUE(value && !value->null && value->bytes.empty());
    EXPECT_TRUE(reader.at_end());
    EXPECT_FALSE(reader.next(Form::kText));
}

TEST(Frame, CutShortAnywhereIsRefused) {
    for (const auto& [form, framed] : {std::pair{Form::kInt, integer_frame(7)},
                                       {Form::kText, text_frame("seven")},
                                       {Form::kUuid, frame(Form::kUuid, Bytes(16, 'u'))}})
        for (std::size_t length = 0; length < framed.size(); ++length)
            EXPECT_FALSE(FrameReader(view(framed).first(length)).next(form)) << length;
}

TEST(Frame, OtherMarksAndHugeLengthsAreRefused) {
    EXPECT_FALSE(FrameReader(view(from_hex("02 0100000000000000"))).next(Form::kInt));
    EXPECT_FALSE(FrameReader(view(from_hex("01 ffffffff 6162"))).next(Form::kText));
}

TEST(Frame, OfAValueThatIsTooLongIsRefused) {
    ByteSink sink = test::make_failing_sink();
    ByteView endless(reinterpret_cast<const std::uint8_t*>(&sink), std::size_t{1} << 32);
    EXPECT_FALSE(append_frame(sink, Form::kText, endless));
    EXPECT_FALSE(sink.failed) << "it was not even tried";
}

TEST(Canonical, WidthsAndDecimalsAreChecked) {
    EXPECT_TRUE(is_canonical(Form::kInt, view(Bytes(8, '\0'))));
    EXPECT_FALSE(is_canonical(Form::kInt, view(Bytes(4, '\0'))));
    EXPECT_TRUE(is_canonical(Form::kText, {}));
    EXPECT_FALSE(is_canonical(Form::kDecimal, {}));
    EXPECT_FALSE(is_canonical(Form::kDecimal, view(from_hex("09"))));
}

TEST(Order, IntegersAreSigned) {
    std::vector<Bytes> values;
    for (std::int64_t value :
         {std::numeric_limits<std::int64_t>::min(), std::int64_t{-4294967297}, std::int64_t{-1}, std::int64_t{0},
          std::int64_t{1}, std::int64_t{255}, std::int64_t{256}, std::numeric_limits<std::int64_t>::max()})
        values.push_back(le(value));
    for (Form form : {Form::kInt, Form::kTime, Form::kTimestamp, Form::kTimestamptz}) expect_ascending(form, values);
}

TEST(Order, DatesAreSignedIntegersOfFourBytes) {
    expect_ascending(Form::kDate, {le(std::numeric_limits<std::int32_t>::min()), le(-256), le(-1), le(0), le(1),
                                   le(256), le(std::numeric_limits<std::int32_t>::max())});
}

TEST(Order, FloatsAreNumbersWithNanLast) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    expect_ascending(Form::kFloat, {number(-kInfinity), number(-1e308), number(-1.5), number(-5e-324), number(0),
                                    number(5e-324), number(1), number(1e308), number(kInfinity), number(std::nan(""))});
}

TEST(Order, BytesAreComparedWithoutSignAndTheShorterComesFirst) {
    const std::vector<Bytes> values{"",  Bytes(1, '\0'), Bytes(2, '\0'), "A",        "a",   "aa", "ab",
                                    "b", "\x7f",         "\x80",         "\xc3\xa4", "\xff"};
    for (Form form : {Form::kText, Form::kBytes, Form::kJson, array_of(Form::kInt)}) expect_ascending(form, values);
}

TEST(Order, OfTypesWithoutAnOrderOfTheirOwnIsThatOfTheBytes) {
    expect_ascending(Form::kBool, {Bytes(1, '\0'), Bytes(1, '\1')});
    expect_ascending(Form::kInterval, {Bytes(16, '\0'), "\1" + Bytes(15, '\0'), Bytes(16, '\xff')});
    expect_ascending(Form::kUuid, {Bytes(16, '\0'), "\x7f" + Bytes(15, '\0'), "\x80" + Bytes(15, '\0')});
}

TEST(KeyOrder, GoesColumnByColumn) {
    const Form forms[] = {Form::kText, Form::kInt};
    const std::vector<Bytes> ascending{text_frame("") + integer_frame(5),    text_frame("a") + integer_frame(-1),
                                       text_frame("a") + integer_frame(2),   text_frame("a") + null_frame(),
                                       text_frame("ab") + integer_frame(-9), null_frame() + integer_frame(0),
                                       null_frame() + null_frame()};
    for (std::size_t a = 0; a < ascending.size(); ++a)
        for (std::size_t b = 0; b < ascending.size(); ++b)
            EXPECT_EQ(compare_keys(forms, view(ascending[a]), view(ascending[b])), a < b ? -1 : a > b) << a << " " << b;
}

TEST(KeyOrder, TheShorterOfEqualKeysComesFirst) {
    const Form forms[] = {Form::kInt, Form::kInt};
    Bytes prefix = integer_frame(3);
    for (const Bytes& rest : {integer_frame(std::numeric_limits<std::int64_t>::min()), null_frame()}) {
        EXPECT_EQ(compare_keys(forms, view(prefix), view(prefix + rest)), -1);
        EXPECT_EQ(compare_keys(forms, view(prefix + rest), view(prefix)), 1);
    }
    EXPECT_EQ(compare_keys(forms, view(prefix), view(prefix)), 0);
    EXPECT_EQ(compare_keys(forms, view(integer_frame(4)), view(prefix + integer_frame(0))), 1);
}

}  // namespace
}  // namespace parity::core
