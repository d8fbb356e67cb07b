#include "driver/compare/sequences.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace parity::driver {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

using Position = SequencePosition;

/// What a sequence is made of; the rest is as CREATE SEQUENCE makes it.
struct Spec {
    std::int64_t last = 1;
    bool called = true;
    std::int64_t log = 0;
    std::int64_t increment = 1;
    std::int64_t minimum = 1;
    std::int64_t maximum = kMax;
    bool cycles = false;
    std::optional<SequenceValue> first{};
    bool fed = false;
};

SequenceDesc make(const Spec& spec) {
    SequenceDesc made;
    made.name = {"public", "s"};
    made.value = SequenceValue{spec.last, spec.called, spec.log};
    made.increment = spec.increment;
    made.minimum = spec.minimum;
    made.maximum = spec.maximum;
    made.cycles = spec.cycles;
    made.value_before_standby = spec.first;
    made.fed_by_subscription = spec.fed;
    return made;
}

struct Case {
    std::string what;
    Both<Spec> sides;
    Verdict verdict;
    Position position;
    std::string reason;  ///< a part of it
};

void check(const std::vector<Case>& cases, const SequenceRules& rules = {}) {
    for (const Case& each : cases) {
        SCOPED_TRACE(each.what);
        const SequenceResult result = compare_sequence({make(each.sides.source), make(each.sides.target)}, rules);
        EXPECT_EQ(result.verdict, each.verdict) << result.reason;
        EXPECT_EQ(result.position, each.position) << result.reason;
        EXPECT_NE(result.reason.find(each.reason), std::string::npos) << result.reason;
        EXPECT_EQ(result.reason.empty(), each.verdict == Verdict::kIdentical) << result.reason;
    }
}

TEST(Sequences, AreEqualByWhatTheyGiveNext) {
    check({
        {"same state", {{.last = 5}, {.last = 5}}, Verdict::kIdentical, Position::kEqual, ""},
        {"called or not", {{.last = 5}, {.last = 6, .called = false}}, Verdict::kIdentical, Position::kEqual, ""},
        {"log_cnt says nothing", {{.last = 5, .log = 7}, {.last = 5}}, Verdict::kIdentical, Position::kEqual, ""},
        {"by steps of 3",
         {{.last = 5, .increment = 3}, {.last = 8, .called = false, .increment = 3}},
         Verdict::kIdentical,
         Position::kEqual,
         ""},
        {"downwards",
         {{.last = -5, .increment = -1, .minimum = kMin, .maximum = -1},
          {.last = -6, .called = false, .increment = -1, .minimum = kMin, .maximum = -1}},
         Verdict::kIdentical,
         Position::kEqual,
         ""},
        {"both exhausted",
         {{.last = 9, .maximum = 9}, {.last = 9, .maximum = 9}},
         Verdict::kIdentical,
         Position::kEqual,
         ""},
        {"at the end and not called",
         {{.last = kMax}, {.last = kMax, .called = false}},
         Verdict::kDivergent,
         Position::kBehind,
         "next value none on source, 9223372036854775807 on target"},
        {"round to the minimum",
         {{.last = 9, .maximum = 9, .cycles = true}, {.last = 1, .called = false, .maximum = 9, .cycles = true}},
         Verdict::kIdentical,
         Position::kEqual,
         ""},
        {"round to the maximum",
         {{.last = 1, .increment = -1, .maximum = 9, .cycles = true},
          {.last = 9, .called = false, .increment = -1, .maximum = 9, .cycles = true}},
         Verdict::kIdentical,
         Position::kEqual,
         ""},
    });
}

TEST(Sequences, AreBehindOrAheadInTheDirectionOfTheIncrement) {
    check({
        {"behind",
         {{.last = 1005}, {.last = 5}},
         Verdict::kDivergent,
         Position::kBehind,
         "behind by 1000: next value 1006 on source, 6 on target; dangerous"},
        {"not called",
         {{.last = 1}, {.last = 1, .called = false}},
         Verdict::kDivergent,
         Position::kBehind,
         "behind by 1: next value 2 on source, 1 on target"},
        {"ahead",
         {{.last = 5}, {.last = 1005}},
         Verdict::kDivergent,
         Position::kAhead,
         "ahead by 1000: next value 6 on source, 1006 on target; harmless"},
        {"ahead downwards",
         {{.last = -5, .increment = -1, .minimum = kMin}, {.last = -9, .increment = -1, .minimum = kMin}},
         Verdict::kDivergent,
         Position::kAhead,
         "ahead by 4: next value -6 on source, -10 on target"},
        {"behind downwards",
         {{.last = -9, .increment = -1, .minimum = kMin}, {.last = -5, .increment = -1, .minimum = kMin}},
         Verdict::kDivergent,
         Position::kBehind,
         "behind by 4"},
        {"from end to end",
         {{.last = kMax, .called = false, .minimum = kMin}, {.last = kMin, .called = false, .minimum = kMin}},
         Verdict::kDivergent,
         Position::kBehind,
         "behind by 18446744073709551615"},
        {"a step beyond both ends",
         {{.last = kMin, .called = false, .increment = kMax, .minimum = kMin},
          {.last = 0, .called = true, .increment = kMax, .minimum = kMin}},
         Verdict::kDivergent,
         Position::kAhead,
         "ahead by 18446744073709551615"},
    });
}

TEST(Sequences, AreApartWhereNeitherIsAhead) {
    check({
        {"other increments",
         {{.last = 5}, {.last = 5, .increment = 2}},
         Verdict::kDivergent,
         Position::kApart,
         "increment 1 on source, 2 on target; next value 6 on source, 7 on target"},
        {"other increments, same next value",
         {{.last = 5}, {.last = 4, .increment = 2}},
         Verdict::kDivergent,
         Position::kApart,
         "increment 1 on source, 2 on target"},
        {"cycles",
         {{.last = 5, .cycles = true}, {.last = 8, .cycles = true}},
         Verdict::kDivergent,
         Position::kApart,
         "it cycles"},
        {"exhausted on the target",
         {{.last = 5, .maximum = 9}, {.last = 9, .maximum = 9}},
         Verdict::kDivergent,
         Position::kApart,
         "exhausted on target at 9: next value 6 on source, none on target; nextval fails there"},
        {"exhausted downwards",
         {{.last = 5, .increment = -1}, {.last = 1, .increment = -1}},
         Verdict::kDivergent,
         Position::kApart,
         "exhausted on target at 1"},
        {"exhausted at the end of bigint",
         {{.last = 5}, {.last = kMax}},
         Verdict::kDivergent,
         Position::kApart,
         "exhausted on target"},
    });
}

TEST(Sequences, MayBeAheadWhereThatIsAllowed) {
    const SequenceRules rules{.may_be_ahead = true};
    check(
        {
            {"ahead", {{.last = 5}, {.last = 1005}}, Verdict::kIdentical, Position::kAhead, ""},
            {"a wider one where the source is exhausted",
             {{.last = 9, .maximum = 9}, {.last = 9}},
             Verdict::kIdentical,
             Position::kAhead,
             ""},
            {"behind", {{.last = 1005}, {.last = 5}}, Verdict::kDivergent, Position::kBehind, "behind by 1000"},
            {"exhausted",
             {{.last = 5, .maximum = 9}, {.last = 9, .maximum = 9}},
             Verdict::kDivergent,
             Position::kApart,
             "exhausted"},
            {"other increments",
             {{.last = 5}, {.last = 50, .increment = 2}},
             Verdict::kDivergent,
             Position::kApart,
             "increment"},
            {"cycles",
             {{.last = 5, .cycles = true}, {.last = 8, .cycles = true}},
             Verdict::kDivergent,
             Position::kApart,
             "it cycles"},
        },
        rules);
    const SequenceResult result = compare_sequence({make({.last = 5}), make({.last = 7})}, rules);
    EXPECT_EQ(result.notes, std::vector<std::string>{"ahead by 2: next value 6 on source, 8 on target"});
}

TEST(Sequences, OfAStandbyAreWhatWalHas) {
    const auto before = [](std::int64_t last, bool called = true) { return SequenceValue{last, called, 0}; };
    check(
        {
            {"replayed",
             {{.last = 7, .log = 26, .first = before(7)}, {.last = 33}},
             Verdict::kIdentical,
             Position::kWal,
             ""},
            {"a value on the way",
             {{.last = 9, .log = 24, .first = before(7)}, {.last = 8}},
             Verdict::kIdentical,
             Position::kWal,
             ""},
            {"the page that it was copied with",
             {{.last = 7, .log = 26, .first = before(7)}, {.last = 7, .log = 26}},
             Verdict::kIdentical,
             Position::kEqual,
             ""},
            {"one further",
             {{.last = 7, .log = 26, .first = before(7)}, {.last = 34}},
             Verdict::kDivergent,
             Position::kAhead,
             "ahead by 27"},
            {"behind",
             {{.last = 9, .log = 24, .first = before(7)}, {.last = 6}},
             Verdict::kDivergent,
             Position::kBehind,
             "behind by 3"},
            {"made, but its first value not replayed",
             {{.last = 1, .log = 32, .first = before(1)}, {.last = 1, .called = false}},
             Verdict::kDivergent,
             Position::kBehind,
             "behind by 1"},
            {"never called",
             {{.last = 1, .called = false, .first = before(1, false)}, {.last = 1, .called = false}},
             Verdict::kIdentical,
             Position::kEqual,
             ""},
            {"never called before, called since",
             {{.last = 1, .log = 32, .first = before(1, false)}, {.last = 1, .called = false}},
             Verdict::kIdentical,
             Position::kWal,
             ""},
            {"downwards by 5",
             {{.last = -7, .log = 4, .increment = -5, .minimum = kMin, .first = before(-7)},
              {.last = -27, .increment = -5, .minimum = kMin}},
             Verdict::kIdentical,
             Position::kWal,
             ""},
            {"downwards by 5, one further",
             {{.last = -7, .log = 4, .increment = -5, .minimum = kMin, .first = before(-7)},
              {.last = -32, .increment = -5, .minimum = kMin}},
             Verdict::kDivergent,
             Position::kAhead,
             "ahead by 25"},
            {"up to the maximum",
             {{.last = 7, .log = 2, .maximum = 9, .first = before(7)}, {.last = 9, .maximum = 9}},
             Verdict::kIdentical,
             Position::kWal,
             ""},
            {"near the end of bigint",
             {{.last = kMin + 1, .log = 2, .increment = kMax, .minimum = kMin, .first = before(kMin + 1)},
              {.last = 0, .increment = kMax, .minimum = kMin}},
             Verdict::kIdentical,
             Position::kWal,
             ""},
            {"set back meanwhile",
             {{.last = 3, .first = before(700)}, {.last = 700}},
             Verdict::kIncomplete,
             Position::kUnknown,
             "set back while it was read"},
        },
        {.standby = {false, true}});
}

TEST(Sequences, OfAStandbyThatIsTheSource) {
    check(
        {
            {"replayed",
             {{.last = 33}, {.last = 7, .log = 26, .first = SequenceValue{7, true, 26}}},
             Verdict::kIdentical,
             Position::kWal,
             ""},
            {"not replayed",
             {{.last = 5}, {.last = 7, .log = 26, .first = SequenceValue{7, true, 26}}},
             Verdict::kDivergent,
             Position::kAhead,
             "ahead by 2"},
        },
        {.standby = {true, false}});
}

TEST(Sequences, OfTwoStandbys) {
    check(
        {
            {"one was copied later", {{.last = 33}, {.last = 7, .log = 26}}, Verdict::kIdentical, Position::kWal, ""},
            {"the other way", {{.last = 7, .log = 26}, {.last = 33}}, Verdict::kIdentical, Position::kWal, ""},
            {"one lags", {{.last = 66}, {.last = 33}}, Verdict::kDivergent, Position::kBehind, "behind by 33"},
            {"one is further than WAL",
             {{.last = 7, .log = 26}, {.last = 34}},
             Verdict::kDivergent,
             Position::kAhead,
             "ahead by 27"},
        },
        {.standby = {true, true}});
}

TEST(Sequences, TellAStandbyThatLags) {
    const SequenceResult result =
        compare_sequence({make({.last = 9}), make({.last = 6})}, {.standby = {false, true}, .lags = true});
    EXPECT_NE(result.reason.find("had not replayed all"), std::string::npos) << result.reason;
}

TEST(Sequences, OfATargetThatIsFedByLogicalReplication) {
    check({
        {"behind",
         {{.last = 1005}, {.last = 5, .fed = true}},
         Verdict::kIncomplete,
         Position::kBehind,
         "not replicated, 1000 behind"},
        {"no sequences",
         {{.last = 1005}, {.last = 5, .fed = true}},
         Verdict::kIncomplete,
         Position::kBehind,
         "--no-sequences"},
        {"set already", {{.last = 1005}, {.last = 1005, .fed = true}}, Verdict::kIdentical, Position::kEqual, ""},
        {"ahead", {{.last = 5}, {.last = 1005, .fed = true}}, Verdict::kDivergent, Position::kAhead, "ahead by 1000"},
        {"the source is fed",
         {{.last = 1005, .fed = true}, {.last = 5}},
         Verdict::kDivergent,
         Position::kBehind,
         "dangerous"},
    });
}

TEST(Sequences, ThatCannotBeReadAreIncomplete) {
    SequenceDesc hidden = make({});
    hidden.value.reset();
    EXPECT_EQ(compare_sequence({make({}), hidden}, {}).reason, "its value cannot be read on target");
    hidden.why_unreadable = "permission denied";
    const SequenceResult result = compare_sequence({hidden, make({})}, {});
    EXPECT_EQ(result.reason, "its value cannot be read on source: permission denied");
    EXPECT_EQ(result.verdict, Verdict::kIncomplete);
    EXPECT_EQ(result.position, Position::kUnknown);
}

TEST(Sequences, OfWhatMayBeAStandby) {
    SequenceRules rules;
    rules.may_be_standby.target = true;
    const SequenceDesc primary = make({.last = 7, .log = 26});
    EXPECT_EQ(compare_sequence({primary, make({.last = 33})}, rules).verdict, Verdict::kIncomplete);
    EXPECT_EQ(compare_sequence({primary, make({.last = 34})}, rules).verdict, Verdict::kDivergent);
    EXPECT_EQ(compare_sequence({primary, make({.last = 6})}, rules).verdict, Verdict::kDivergent);
    EXPECT_EQ(compare_sequence({primary, make({.last = 7})}, rules).verdict, Verdict::kIdentical);
}

}  // namespace
}  // namespace parity::driver
