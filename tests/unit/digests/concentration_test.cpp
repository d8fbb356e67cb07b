#include "driver/digests/concentration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/support/key_bounds.h"

namespace parity::driver {
namespace {

using core::Form;
using test::int_frame;

/// A table of so many ranges of 100 keys each.
class Findings {
  public:
    explicit Findings(std::uint64_t ranges, bool in_key_order = true, std::size_t columns = 3, bool samples_keys = true)
        : counter_({Form::kInt}, columns, ranges, in_key_order, samples_keys) {}

    void mismatch(int id, const std::vector<int>& columns) { add(FindingKind::kMismatch, id, columns, 1); }
    void missing(int id, std::uint64_t rows = 1) { add(FindingKind::kMissingOnTarget, id, {}, rows); }
    Concentration result() const { return counter_.result(); }
    DifferingKeys differing_keys() const { return counter_.differing_keys(); }

  private:
    void add(FindingKind kind, int id, const std::vector<int>& columns, std::uint64_t rows) {
        const std::string key = int_frame(id);
        RowFinding finding;
        finding.kind = kind;
        finding.key = key;
        finding.columns = columns;
        finding.occurrences = rows;
        counter_.add(finding, id / 100 + 1);
    }
    ConcentrationCounter counter_;
};

void expect_interval(const Concentration& found, int first, int last, std::uint64_t rows, std::uint64_t of) {
    ASSERT_TRUE(found.interval);
    EXPECT_EQ(found.interval->first_key, int_frame(first));
    EXPECT_EQ(found.interval->last_key, int_frame(last));
    EXPECT_EQ(found.interval->rows, rows);
    EXPECT_EQ(found.interval->of, of);
}

TEST(Concentration, OfNothingIsNothing) {
    const Concentration found = Findings(1000).result();
    EXPECT_FALSE(found.interval || found.columns);
}

TEST(Concentration, AnIntervalFromTheFirstToTheLastKeyInIt) {
    Findings findings(800);
    for (int id = 4999; id >= 1000; --id) findings.missing(id);  // in any order
    const Concentration found = findings.result();
    ASSERT_NO_FATAL_FAILURE(expect_interval(found, 1000, 4999, 4000, 4000));
    EXPECT_EQ(found.interval->ranges, 40U);
}

TEST(Concentration, AnIntervalWithoutTheFewThatAreElsewhere) {
    Findings findings(800);
    for (int id = 1000; id < 2000; ++id) findings.missing(id);
    for (const int elsewhere : {3, 40'000, 79'999}) findings.missing(elsewhere);
    const Concentration found = findings.result();
    expect_interval(found, 1000, 1999, 1000, 1003);
}

/// 99 of 100 are enough, 98 are not.
TEST(Concentration, NinetyNineOfAHundred) {
    for (const int elsewhere : {1, 2}) {
        Findings findings(800);
        for (int id = 0; id < 100 - elsewhere; ++id) findings.missing(id);
        for (int n = 0; n < elsewhere; ++n) findings.missing(70'000 + n);
        EXPECT_EQ(findings.result().interval.has_value(), elsewhere == 1);
    }
}

TEST(Concentration, AFifthOfTheRangesAtMost) {
    for (const int ranges : {20, 21}) {
        Findings findings(100);
        for (int id = 0; id < ranges * 100; id += 10) findings.missing(id);
        EXPECT_EQ(findings.result().interval.has_value(), ranges == 20);
    }
}

TEST(Concentration, RowsOfOneKeyCount) {
    Findings findings(800);
    findings.missing(500, 1000);
    findings.missing(60'000);
    ASSERT_TRUE(findings.result().interval);
    EXPECT_EQ(findings.result().interval->rows, 1000U);
}

TEST(Concentration, NothingOfFewRowsOrRanges) {
    Findings nine(800), ten(800), coarse(19);
    for (int id = 0; id < 10; ++id) {
        if (id > 0) nine.missing(id);
        ten.missing(id);
        coarse.missing(id);
    }
    EXPECT_FALSE(nine.result().interval);
    EXPECT_TRUE(ten.result().interval);
    EXPECT_FALSE(coarse.result().interval);
}

TEST(Concentration, NoIntervalWhereRangesAreOfHashes) {
    Findings findings(800, false);
    for (int id = 0; id < 100; ++id) findings.missing(id);
    EXPECT_FALSE(findings.result().interval);
}

TEST(Concentration, NothingOfWhatIsSpreadEvenly) {
    std::mt19937 random(42);
    for (const int rows : {10, 30, 1000, 20'000}) {
        Findings findings(800);
        for (int n = 0; n < rows; ++n)
            findings.mismatch(static_cast<int>(random() % 80'000), {static_cast<int>(random() % 3)});
        const Concentration found = findings.result();
        EXPECT_FALSE(found.interval || found.columns) << rows;
    }
}

TEST(Concentration, ASetOfColumns) {
    Findings findings(800);
    for (int id = 0; id < 80'000; id += 100) findings.mismatch(id, {0, 2});
    const Concentration all = findings.result();
    ASSERT_TRUE(all.columns);
    EXPECT_FALSE(all.interval);
    EXPECT_EQ(all.columns->columns, (std::vector<int>{0, 2}));
    EXPECT_EQ(all.columns->mismatches, 800U);
    for (int id = 0; id < 42; ++id) findings.mismatch(id * 1900, {1});
    ASSERT_TRUE(findings.result().columns) << "95 of 100";
    EXPECT_EQ(findings.result().columns->of, 842U);
    findings.mismatch(3, {0});
    EXPECT_FALSE(findings.result().columns);
}

/// That is what the line of the table says.
TEST(Concentration, NotOfTheOnlyColumnThatDiffers) {
    Findings findings(800);
    for (int id = 0; id < 80'000; id += 100) findings.mismatch(id, {1});
    EXPECT_FALSE(findings.result().columns);
    Findings every(800, true, 1);
    for (int id = 0; id < 1000; ++id) every.mismatch(id, {0});
    EXPECT_FALSE(every.result().columns) << "all columns are no set of them";
}

/// The same thousand of many keys, in whatever order they come, from all over the table; of few, all.
TEST(Concentration, KeysToLookUp) {
    std::vector<int> ids(50'000);
    std::iota(ids.begin(), ids.end(), 0);
    Findings in_order(800), shuffled(800), few(800);
    for (const int id : ids) in_order.mismatch(id, {1});
    std::shuffle(ids.begin(), ids.end(), std::mt19937(1));
    for (const int id : ids) shuffled.mismatch(id, {1});
    const DifferingKeys keys = in_order.differing_keys();
    EXPECT_EQ(keys.keys.source, shuffled.differing_keys().keys.source);
    EXPECT_TRUE(keys.sampled && shuffled.differing_keys().sampled);
    EXPECT_EQ(keys.keys.source.size(), 1000U);
    EXPECT_EQ(keys.keys.source, keys.keys.target);
    const std::set<std::string> sampled(keys.keys.source.begin(), keys.keys.source.end());
    int below = 0;
    for (int id = 0; id < 25'000; ++id) below += sampled.contains(int_frame(id)) ? 1 : 0;
    EXPECT_NEAR(below, 500, 80);

    for (int id = 0; id < 1000; ++id) few.missing(id);
    EXPECT_EQ(few.differing_keys().keys.source.size(), 1000U);
    EXPECT_TRUE(few.differing_keys().keys.target.empty());
    EXPECT_FALSE(few.differing_keys().sampled);
    few.missing(1000);
    EXPECT_TRUE(few.differing_keys().sampled);
}

/// A key that both sides have counts once.
TEST(Concentration, KeysToLookUpOnBothSides) {
    Findings findings(800);
    for (int id = 0; id < 30; ++id) findings.mismatch(id, {1});
    for (int id = 100; id < 170; ++id) findings.missing(id);
    const DifferingKeys found = findings.differing_keys();
    EXPECT_EQ(found.keys.source.size(), 100U);
    EXPECT_EQ(found.keys.target.size(), 30U);
    EXPECT_EQ(found.number, 100U);
}

/// They may be whole rows.
TEST(Concentration, NoKeysToLookUpUnlessWanted) {
    for (const bool samples_keys : {false, true}) {
        Findings findings(800, true, 3, samples_keys);
        for (int id = 0; id < 2000; ++id) findings.mismatch(id, {1, 2});
        const DifferingKeys found = findings.differing_keys();
        EXPECT_EQ(found.keys.source.size(), samples_keys ? 1000U : 0U);
        EXPECT_EQ(found.number, samples_keys ? 1000U : 0U);
        EXPECT_TRUE(findings.result().columns) << "the rest is told all the same";
    }
}

TEST(Concentration, OfAPartition) {
    const auto is_told = [](std::uint64_t rows, double share, std::uint64_t asked) {
        return is_concentrated({.name = {}, .rows = rows, .share_of_data = share}, asked);
    };
    EXPECT_TRUE(is_told(95, 0.5, 100));
    EXPECT_FALSE(is_told(94, 0.5, 100));
    EXPECT_FALSE(is_told(100, 0.51, 100));
    EXPECT_TRUE(is_told(10, 0, 10));
    EXPECT_FALSE(is_told(9, 0, 9));
}

TEST(DifferingKeys, LongOnesAreNotKept) {
    for (const std::size_t length : {4000, 5000}) {  // of a thousand: 4 MB, and more
        ConcentrationCounter counter({Form::kText}, 1, 100, false, true);
        for (int i = 0; i < 1000; ++i) {
            const std::string key = std::to_string(i) + std::string(length, 'x');
            RowFinding finding;
            finding.kind = FindingKind::kMissingOnTarget;
            finding.key = key;
            finding.occurrences = 1;
            counter.add(finding, 1);
        }
        EXPECT_EQ(counter.differing_keys().keys.source.size(), length == 4000 ? 1000U : 0U);
        EXPECT_EQ(counter.differing_keys().number, length == 4000 ? 1000U : 0U);
    }
}

}  // namespace
}  // namespace parity::driver
