#include "driver/text/literal.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>

#include "core/bytes.h"
#include "driver/model/error.h"
#include "tests/support/key_bounds.h"

namespace parity::driver {
namespace {

using KeyTexts = std::vector<std::optional<std::string>>;

using test::int_frame;

template <typename T>
std::string as_le(T value) {
    std::uint8_t bytes[sizeof value];
    core::store_le(bytes, value);
    return std::string(reinterpret_cast<const char*>(bytes), sizeof value);
}

std::string as_double(double value) { return as_le(std::bit_cast<std::uint64_t>(value)); }
std::string with_length(const std::string& bytes) { return as_le(static_cast<std::uint32_t>(bytes.size())) + bytes; }
std::string fixed_frame(const std::string& bytes) { return '\1' + bytes; }
std::string with_frame(const std::string& bytes) { return '\1' + with_length(bytes); }
const std::string kNoValue(1, '\0');

std::string literal(const std::string& form, const std::string& canonical, const Notation& notation = {}) {
    return LiteralWriter(form, notation).text(core::as_bytes(canonical));
}

KeyTexts key_values(const std::vector<std::string>& forms, const std::string& framed) {
    std::vector<ColumnPlan> columns;
    for (const std::string& form : forms) columns.push_back({.name = {"c", "c"}, .form = form});
    return KeyWriter(columns).values(framed);
}

std::string date_range(char flags, int lower, int upper) {
    return flags + fixed_frame(as_le(std::int32_t{lower})) + fixed_frame(as_le(std::int32_t{upper}));
}

TEST(Keys, AreWrittenColumnByColumn) {
    EXPECT_EQ(key_values({"int", "text", "int"}, int_frame(-17) + with_frame("a'b") + kNoValue),
              (KeyTexts{"-17", "a'b", std::nullopt}));
    EXPECT_EQ(key_values({}, ""), KeyTexts{});
    const std::string text(1 << 20, 'x');
    EXPECT_EQ(key_values({"text"}, with_frame(text)), (KeyTexts{text}));
}

TEST(Keys, ThatAreMalformedAreRefused) {
    EXPECT_THROW(key_values({"int"}, "\1zz"), Error);
    EXPECT_THROW(key_values({"int"}, int_frame(1) + "x"), Error);
    EXPECT_THROW(key_values({"int", "int"}, int_frame(1)), Error);
}

TEST(Literals, FormsThatAreNoneAreRefused) {
    for (const char* form : {"nonesuch", "range<int", "range<int>x", "record<a>", "record<\"a:int>", ""})
        EXPECT_THROW(LiteralWriter(form, {}), Error) << form;
}

TEST(Literals, FloatsAreShortestAndSpecial) {
    EXPECT_EQ(literal("float", as_double(0.1)), "0.1");
    EXPECT_EQ(literal("float", as_double(-1e300)), "-1e+300");
    EXPECT_EQ(literal("float", as_double(-std::numeric_limits<double>::infinity())), "-Infinity");
    EXPECT_EQ(literal("float", as_double(0.1F), {.kind = Notation::Kind::kReal}), "0.1");
    EXPECT_EQ(literal("float", as_double(0.1F)), "0.10000000149011612");
}

TEST(Literals, RangesAndMultiranges) {
    EXPECT_EQ(literal("range<date>", date_range(2, 8844, 8846)), "[2024-03-19,2024-03-21)");
    EXPECT_EQ(literal("range<int>", "\1" + kNoValue + kNoValue), "empty");
    EXPECT_EQ(literal("range<int>", std::string(1, 24) + kNoValue + kNoValue), "(,)");
    EXPECT_EQ(literal("range<text>", "\6" + with_frame("a \"b\"") + with_frame("c,\\")), R"(["a ""b""","c,\\"])");
    const std::string range = date_range(2, 0, 1);
    EXPECT_EQ(literal("multirange<date>", as_le(std::uint32_t{2}) + with_length(range) + with_length(range)),
              "{[2000-01-01,2000-01-02),[2000-01-01,2000-01-02)}");
    EXPECT_EQ(literal("multirange<date>", as_le(std::uint32_t{0})), "{}");
}

/// The form has the attributes in the order of their names, the type in its own.
TEST(Literals, CompositesInTheOrderOfTheType) {
    const std::string form = "record<\"A,\"\"b\":text,z:int>";
    const std::string value =
        as_le(std::uint32_t{2}) + with_length("A,\"b") + with_frame("x y") + with_length("z") + int_frame(5);
    EXPECT_EQ(literal(form, value, {.parts = {{}, {}}, .names = {"z", "A,\"b"}}), "(5,\"x y\")");
    EXPECT_EQ(literal(form, value), "(\"x y\",5)") << "of a type that is not known";
    const std::string nulls =
        as_le(std::uint32_t{2}) + with_length("A,\"b") + with_frame("") + with_length("z") + kNoValue;
    EXPECT_EQ(literal(form, nulls), "(\"\",)");
}

std::string array_bytes(const std::vector<std::string>& frames, std::int32_t lower_bound = 1) {
    std::string bytes = as_le(std::uint32_t{1}) + as_le(static_cast<std::uint32_t>(frames.size())) + as_le(lower_bound);
    for (const std::string& element : frames) bytes += element;
    return bytes;
}

TEST(Literals, ArraysQuoteWhatNeedsIt) {
    EXPECT_EQ(literal("int[]", array_bytes({int_frame(1), kNoValue}, 0)), "[0:1]={1,NULL}");
    EXPECT_EQ(
        literal("text[]", array_bytes({with_frame("a"), with_frame("null"), with_frame(""), with_frame("b\"\\")})),
        R"({a,"null","","b\"\\"})");
    EXPECT_EQ(literal("bytes[]", array_bytes({with_frame("\xff")})), R"({"\\xff"})");
    EXPECT_EQ(literal("range<int>[]", array_bytes({with_frame("\2" + int_frame(1) + int_frame(3))})), R"x({"[1,3)"})x");
    EXPECT_EQ(literal("box[]", array_bytes({fixed_frame(as_double(1) + as_double(2) + as_double(3) + as_double(4))})),
              R"x({"(1,2),(3,4)"})x");
    EXPECT_EQ(literal("int[]", as_le(std::uint32_t{0})), "{}");
}

TEST(Literals, WhatTheTypeTells) {
    EXPECT_EQ(literal("bytes", "A", {.kind = Notation::Kind::kChar}), "A");
    EXPECT_EQ(literal("bytes", "\xe9", {.kind = Notation::Kind::kChar}), "\\351");
    EXPECT_EQ(literal("bytes", std::string(1, '\0'), {.kind = Notation::Kind::kChar}), "");
    EXPECT_EQ(literal("unsigned", as_le(std::uint64_t{0x16B374D848}), {.kind = Notation::Kind::kLsn}), "16/B374D848");
    EXPECT_EQ(literal("unsigned", as_le(std::uint64_t{7})), "7");
    EXPECT_EQ(literal("int[]", array_bytes({int_frame(1), int_frame(2)}, 0), {.kind = Notation::Kind::kVector}), "1 2");
    EXPECT_EQ(literal("text", "-", {.kind = Notation::Kind::kOperator}), "0");
    const Notation characters{.parts = {{.kind = Notation::Kind::kChar}}};
    EXPECT_EQ(literal("bytes[]", array_bytes({with_frame("a"), with_frame(",")}), characters), R"({a,","})");
}

TEST(Literals, MoneyHasThePointOfItsLocale) {
    const auto money = [](std::int64_t units, int digits, const std::string& point) {
        return literal("money", as_le(units), {.kind = Notation::Kind::kMoney, .digits = digits, .point = point});
    };
    EXPECT_EQ(money(123456, 2, "."), "1234.56");
    EXPECT_EQ(money(-5, 2, ","), "-0,05");
    EXPECT_EQ(money(0, 2, "."), "0.00");
    EXPECT_EQ(money(1234, 0, ""), "1234");
}

TEST(Literals, TextSearch) {
    const std::string vector = as_le(std::uint32_t{2}) + with_length("it's") + as_le(std::uint32_t{2}) +
                               as_le(std::uint16_t{1}) + as_le(std::uint16_t{0xC003}) + with_length("x") +
                               as_le(std::uint32_t{0});
    EXPECT_EQ(literal("tsvector", vector), "'it''s':1,3A 'x'");
    EXPECT_EQ(literal("tsvector", as_le(std::uint32_t{0})), "");
    const auto lexeme = [](const std::string& word, char weights, char prefix) {
        return std::string("v") + weights + prefix + with_length(word);
    };
    EXPECT_EQ(literal("tsquery", "&!" + lexeme("a", 0, 0) + "<" + as_le(std::uint16_t{2}) + lexeme("b", 10, 1) +
                                     lexeme("c", 0, 0)),
              "( !'a' ) & ( 'b':*AC <2> 'c' )");
    EXPECT_EQ(literal("tsquery", ""), "");
}

TEST(Literals, OthersThatAreComposed) {
    EXPECT_EQ(
        literal("hstore", as_le(std::uint32_t{2}) + with_length("a\"") + with_frame("1") + with_length("b") + kNoValue),
        R"("a\""=>"1", "b"=>NULL)");
    EXPECT_EQ(literal("bits", as_le(std::uint32_t{3}) + "\xa0"), "101");
    EXPECT_EQ(literal("bits", as_le(std::uint32_t{0})), "");
    EXPECT_EQ(literal("tid", as_le(std::uint32_t{7}) + as_le(std::uint16_t{2})), "(7,2)");
    EXPECT_EQ(literal("snapshot", as_le(std::uint64_t{10}) + as_le(std::uint64_t{20}) + as_le(std::uint32_t{2}) +
                                      as_le(std::uint64_t{11}) + as_le(std::uint64_t{14})),
              "10:20:11,14");
    EXPECT_EQ(literal("point", as_double(1.5) + as_double(-2)), "(1.5,-2)");
    EXPECT_EQ(literal("circle", as_double(1) + as_double(2) + as_double(3)), "<(1,2),3>");
    EXPECT_EQ(literal("line", as_double(1) + as_double(2) + as_double(3)), "{1,2,3}");
    EXPECT_EQ(literal("lseg", as_double(1) + as_double(2) + as_double(3) + as_double(4)), "[(1,2),(3,4)]");
    EXPECT_EQ(literal("path", '\0' + as_le(std::uint32_t{1}) + as_double(1) + as_double(2)), "[(1,2)]");
    EXPECT_EQ(literal("polygon", as_le(std::uint32_t{1}) + as_double(1) + as_double(2)), "((1,2))");
}

TEST(Literals, BytesThatAreNoneOfTheFormAreHexadecimal) {
    for (const char* form : {"range<int>", "multirange<int>", "record<a:int>", "int[]", "hstore", "tsvector", "tsquery",
                             "point", "path", "polygon", "bits", "tid", "snapshot", "int", "uuid"})
        EXPECT_EQ(literal(form, "\xff\xff"), "\\xffff") << form;
}

}  // namespace
}  // namespace parity::driver
