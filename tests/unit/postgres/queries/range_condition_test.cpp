#include "driver/postgres/queries/range_condition.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>

#include "tests/support/key_bounds.h"

namespace parity::driver {
namespace {

using namespace std::string_literals;
using core::Form;
using test::frame;
using test::from_hex;
using test::int_frame;
using test::key_bound;
using test::le;

ConditionColumn condition_column(const std::string& type, Form form) { return {"x.k", type, form, true, true}; }

const ConditionColumn kIntColumn = condition_column("int4", Form::kInt);
const std::string kOpen;

std::string int_bound(std::int64_t value) { return key_bound(int_frame(value)); }
std::string bound(Form form, const std::string& canonical) { return key_bound(frame(form, canonical)); }
std::string null_bound() { return key_bound(frame(Form::kInt, std::nullopt)); }

/// The condition of everything from a value on.
std::string from(const ConditionColumn& of, const std::string& canonical) {
    return range_condition(of, bound(of.form, canonical), kOpen).value_or("none");
}

std::string doubled(double value) { return le(std::bit_cast<std::uint64_t>(value)); }

TEST(RangeCondition, HasBothSidesOrOne) {
    EXPECT_EQ(range_condition(kIntColumn, int_bound(-3), int_bound(7)),
              "x.k >= '-3'::pg_catalog.int8 AND x.k <= '7'::pg_catalog.int8");
    EXPECT_EQ(range_condition(kIntColumn, int_bound(-3), kOpen), "x.k >= '-3'::pg_catalog.int8");
    EXPECT_EQ(range_condition(kIntColumn, kOpen, int_bound(7)), "x.k <= '7'::pg_catalog.int8");
    EXPECT_EQ(range_condition(kIntColumn, kOpen, kOpen), std::nullopt);
}

/// A bound is on the whole key: rows with its first value lie on both sides of it.
TEST(RangeCondition, LooksAtTheFirstColumnAlone) {
    EXPECT_EQ(
        range_condition(kIntColumn, key_bound(int_frame(1) + int_frame(5)), key_bound(int_frame(1) + int_frame(9))),
        "x.k >= '1'::pg_catalog.int8 AND x.k <= '1'::pg_catalog.int8");
}

TEST(RangeCondition, KeepsNullsInTheLastRanges) {
    ConditionColumn nullable = kIntColumn;
    nullable.not_null = false;
    EXPECT_EQ(range_condition(nullable, int_bound(1), int_bound(2)),
              "x.k >= '1'::pg_catalog.int8 AND x.k <= '2'::pg_catalog.int8");
    EXPECT_EQ(range_condition(nullable, int_bound(1), kOpen), "x.k >= '1'::pg_catalog.int8 OR x.k IS NULL");
    EXPECT_EQ(range_condition(nullable, int_bound(1), null_bound()), "x.k >= '1'::pg_catalog.int8 OR x.k IS NULL");
    EXPECT_EQ(range_condition(nullable, kOpen, int_bound(2)), "x.k <= '2'::pg_catalog.int8");
    EXPECT_EQ(range_condition(nullable, null_bound(), kOpen), std::nullopt);
}

TEST(RangeCondition, SaysNothingOfHashBounds) {
    const std::string hash = "h" + std::string(8, '\x11');
    EXPECT_EQ(range_condition(kIntColumn, hash, kOpen), std::nullopt);
    EXPECT_EQ(range_condition(kIntColumn, kOpen, hash), std::nullopt);
}

TEST(RangeCondition, WritesIntegers) {
    for (const char* type : {"int2", "int4", "int8"})
        EXPECT_EQ(from(condition_column(type, Form::kInt), le(std::numeric_limits<std::int64_t>::min())),
                  "x.k >= '-9223372036854775808'::pg_catalog.int8");
}

TEST(RangeCondition, WritesFloats) {
    for (const char* type : {"float4", "float8"}) {
        const ConditionColumn of = condition_column(type, Form::kFloat);
        EXPECT_EQ(from(of, doubled(0.1)), "x.k >= '0.1'::pg_catalog.float8");
        EXPECT_EQ(from(of, doubled(-std::numeric_limits<double>::infinity())), "x.k >= '-Infinity'::pg_catalog.float8");
        EXPECT_EQ(from(of, le(std::uint64_t{0x7FF8000000000000})), "x.k >= 'NaN'::pg_catalog.float8");
        EXPECT_EQ(from(of, doubled(5e-324)), "x.k >= '5e-324'::pg_catalog.float8");
    }
}

TEST(RangeCondition, WritesNumerics) {
    const ConditionColumn of = condition_column("numeric", Form::kDecimal);
    EXPECT_EQ(from(of, from_hex("02")), "x.k >= '0'::pg_catalog.numeric");
    EXPECT_EQ(from(of, from_hex("01 00000000 0100 8813")), "x.k >= '-1.5'::pg_catalog.numeric");
    EXPECT_EQ(from(of, from_hex("05")), "x.k >= 'NaN'::pg_catalog.numeric");
}

/// The bound may be the other side's: a value that this side's servers cannot hold is no condition.
TEST(RangeCondition, SaysNothingOfNumericsThatServersMayNotHave) {
    const ConditionColumn of = condition_column("numeric", Form::kDecimal);
    const std::string one = bound(of.form, from_hex("03 00000000 0100"));
    EXPECT_EQ(from(of, from_hex("00")), "none");
    EXPECT_EQ(range_condition(of, bound(of.form, from_hex("00")), one), "x.k <= '1'::pg_catalog.numeric");
    EXPECT_EQ(range_condition(of, one, bound(of.form, from_hex("04"))), "x.k >= '1'::pg_catalog.numeric");
    EXPECT_EQ(from(of, from_hex("03 ffffff7f 0100")), "none");
}

TEST(RangeCondition, WritesTimes) {
    EXPECT_EQ(from(condition_column("date", Form::kDate), le(std::int32_t{-730485})),
              "x.k >= '0001-01-01 BC'::pg_catalog.date");
    EXPECT_EQ(from(condition_column("date", Form::kDate), le(std::numeric_limits<std::int32_t>::max())),
              "x.k >= 'infinity'::pg_catalog.date");
    EXPECT_EQ(from(condition_column("time", Form::kTime), le(std::int64_t{86400000000})),
              "x.k >= '24:00:00'::pg_catalog.time");
    EXPECT_EQ(from(condition_column("timestamp", Form::kTimestamp), le(std::int64_t{-1})),
              "x.k >= '1999-12-31 23:59:59.999999'::pg_catalog.timestamp");
    EXPECT_EQ(from(condition_column("timestamp", Form::kTimestamp), le(std::numeric_limits<std::int64_t>::min())),
              "x.k >= '-infinity'::pg_catalog.timestamp");
    EXPECT_EQ(from(condition_column("timestamptz", Form::kTimestamptz), le(std::int64_t{0})),
              "x.k >= '2000-01-01 00:00:00+00'::pg_catalog.timestamptz");
}

TEST(RangeCondition, WritesBytesAndIdentifiers) {
    EXPECT_EQ(from(condition_column("bytea", Form::kBytes), "\0'\xff"s), "x.k >= E'\\\\x0027ff'::pg_catalog.bytea");
    EXPECT_EQ(from(condition_column("uuid", Form::kUuid), from_hex("00112233445566778899aabbccddeeff")),
              "x.k >= '00112233-4455-6677-8899-aabbccddeeff'::pg_catalog.uuid");
}

TEST(RangeCondition, ComparesTextsByteByByte) {
    for (const char* type : {"text", "varchar", "bpchar"})
        EXPECT_EQ(from(condition_column(type, Form::kText), "a'b\xC3\xA9"),
                  "(x.k)::pg_catalog.text COLLATE pg_catalog.\"C\" >= 'a''b\xC3\xA9'::pg_catalog.text");
    EXPECT_EQ(from(condition_column("text", Form::kText), "a\\'"),
              "(x.k)::pg_catalog.text COLLATE pg_catalog.\"C\" >= E'a\\\\'''::pg_catalog.text");
}

TEST(RangeCondition, SaysNothingOfTextsThatCannotBeSent) {
    EXPECT_EQ(from(condition_column("text", Form::kText), "a\xFF"), "none");
    EXPECT_EQ(from(condition_column("text", Form::kText), "a\0b"s), "none");
    ConditionColumn latin = condition_column("text", Form::kText);
    latin.utf8 = false;
    EXPECT_FALSE(has_conditions(latin));
    EXPECT_EQ(from(latin, "a"), "none");
}

TEST(RangeCondition, NeedsTheFormsOwnOrder) {
    for (const auto& [type, form] : {std::pair{"int4", Form::kDecimal},
                                     {"numeric", Form::kInt},
                                     {"", Form::kText},
                                     {"name", Form::kText},
                                     {"interval", Form::kInterval},
                                     {"jsonb", Form::kJson},
                                     {"timetz", Form::kTimetz},
                                     {"bool", Form::kBool},
                                     {"oid", Form::kInt},
                                     {"inet", Form::kInet},
                                     {"", Form::kInt}})
        EXPECT_FALSE(has_conditions(condition_column(type, form))) << type;
}

TEST(RangeCondition, IsServedByIndexesOfTheSameOrder) {
    EXPECT_TRUE(is_served_by_index(kIntColumn, false));
    EXPECT_TRUE(is_served_by_index(condition_column("varchar", Form::kText), true));
    EXPECT_FALSE(is_served_by_index(condition_column("varchar", Form::kText), false));
    EXPECT_FALSE(is_served_by_index(condition_column("bpchar", Form::kText), true));
    EXPECT_FALSE(is_served_by_index(condition_column("oid", Form::kInt), false));
}

TEST(RangeCondition, TellsConditionsWithoutCommonRows) {
    EXPECT_TRUE(are_apart(kIntColumn, int_bound(1), int_bound(2)));
    EXPECT_FALSE(are_apart(kIntColumn, int_bound(1), int_bound(1)));
    EXPECT_FALSE(are_apart(kIntColumn, key_bound(int_frame(1) + int_frame(5)), key_bound(int_frame(1) + int_frame(9))));
    EXPECT_TRUE(are_apart(kIntColumn, key_bound(int_frame(1) + int_frame(5)), key_bound(int_frame(2) + int_frame(0))));
    EXPECT_FALSE(are_apart(kIntColumn, int_bound(1), null_bound()));
    const ConditionColumn text = condition_column("text", Form::kText);
    EXPECT_TRUE(are_apart(text, bound(Form::kText, "a"), bound(Form::kText, "b")));
    EXPECT_FALSE(are_apart(text, bound(Form::kText, "a"), bound(Form::kText, "b\xFF")));
}

TEST(ShareConditions, ChooseEachRowOnce) {
    ConditionColumn column{"k", "int8", core::Form::kInt, false, true};
    std::vector<std::string> bounds;
    for (int key : {10, 20, 20, 30, 40}) bounds.push_back(key_bound(int_frame(key)));
    EXPECT_EQ(share_conditions(column, bounds, 3),
              (std::vector<std::string>{"k < '20'::pg_catalog.int8",
                                        "k >= '20'::pg_catalog.int8 AND k < '30'::pg_catalog.int8",
                                        "k >= '30'::pg_catalog.int8 OR k IS NULL"}));
    column.not_null = true;
    EXPECT_EQ(share_conditions(column, bounds, 2),
              (std::vector<std::string>{"k < '20'::pg_catalog.int8", "k >= '20'::pg_catalog.int8"}));
}

TEST(ShareConditions, AreNoneWhereNothingCanBeDivided) {
    ConditionColumn column{"k", "int8", core::Form::kInt, true, true};
    const std::vector<std::string> same{key_bound(int_frame(7)), key_bound(int_frame(7))};
    EXPECT_TRUE(share_conditions(column, {}, 4).empty());
    EXPECT_TRUE(share_conditions(column, same, 1).empty());
    EXPECT_EQ(share_conditions(column, same, 4).size(), 2u);
    column.type = "interval";
    EXPECT_TRUE(share_conditions(column, same, 4).empty());
}

}  // namespace
}  // namespace parity::driver
