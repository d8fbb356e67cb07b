#include "driver/compare/finding_sink.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "tests/support/core_bytes.h"
#include "tests/support/key_bounds.h"

namespace parity::driver {
namespace {

using core::Form;

RowFinding finding_of(FindingKind kind, std::string_view key, std::uint64_t occurrences = 1) {
    RowFinding finding;
    finding.kind = kind;
    finding.key = key;
    finding.occurrences = occurrences;
    if (kind == FindingKind::kMismatch) finding.columns = {0};
    return finding;
}

std::string key_of(std::int64_t id) { return test::frame(Form::kInt, test::le(id)); }

std::vector<std::string> listed(FindingStore& findings) {
    std::vector<std::string> keys;
    findings.for_each(3, [&](const Finding& finding) { keys.push_back(finding.key_bytes); });
    return keys;
}

class StoreSinkTest : public testing::TestWithParam<int> {
  protected:
    static std::vector<std::string> keys(std::int64_t from, std::int64_t end) {
        std::vector<std::string> keys;
        for (std::int64_t id = from; id < end; ++id) keys.push_back(key_of(id));
        return keys;
    }
    FindingStore findings_;
};

/// Whatever the order in which they come: 0 is ascending, 1 descending, others are random.
TEST_P(StoreSinkTest, ListsTheFirstKeys) {
    std::vector<std::int64_t> ids(600);
    std::iota(ids.begin(), ids.end(), -300);
    if (GetParam() == 1) std::reverse(ids.begin(), ids.end());
    if (GetParam() > 1) std::shuffle(ids.begin(), ids.end(), std::mt19937(static_cast<unsigned>(GetParam())));
    StoreSink sink(findings_, 3, 100, {Form::kInt});
    const auto kind_of = [](std::int64_t id) {
        return id % 2 == 0 ? FindingKind::kMismatch : FindingKind::kMissingOnTarget;
    };
    for (std::int64_t id : ids) sink.take(finding_of(kind_of(id), key_of(id), id % 2 == 0 ? 1 : 3));
    sink.commit();
    EXPECT_EQ(listed(findings_), keys(-300, -200));
    EXPECT_EQ(sink.listed_rows(), 50U + 3 * 50U);
    EXPECT_EQ(sink.listed_mismatches(), 50U);
    sink.restart();
    sink.take(finding_of(FindingKind::kMissingOnSource, key_of(900)));
    EXPECT_EQ(listed(findings_), keys(900, 901));
    EXPECT_EQ(sink.listed_rows(), 1U);
}
INSTANTIATE_TEST_SUITE_P(Orders, StoreSinkTest, testing::Range(0, 6));

TEST(StoreSink, WithoutACapListsAllInTheOrderOfTheirKeys) {
    FindingStore findings;
    StoreSink sink(findings, 3, 0, {Form::kInt});
    for (std::int64_t id : {5, -1, 256, 0}) sink.take(finding_of(FindingKind::kMissingOnTarget, key_of(id)));
    EXPECT_EQ(listed(findings), (std::vector<std::string>{key_of(-1), key_of(0), key_of(5), key_of(256)}));
}

TEST(StoreSink, OrdersFindingsOfOneKeyInAnyRunAlike) {
    std::vector<std::string> seen;
    for (bool reversed : {false, true}) {
        FindingStore findings;
        StoreSink sink(findings, 3, 2, {Form::kInt});
        std::vector<RowFinding> all{finding_of(FindingKind::kMissingOnSource, key_of(1)),
                                    finding_of(FindingKind::kMismatch, key_of(1)),
                                    finding_of(FindingKind::kMismatch, key_of(1))};
        const std::string key = key_of(1);
        for (RowFinding& finding : all) finding.key = key;
        all[2].columns = {1, 2};
        if (reversed) std::reverse(all.begin(), all.end());
        for (const RowFinding& finding : all) sink.take(finding);
        std::string text;
        findings.for_each(3, [&](const Finding& finding) { text += std::to_string(finding.columns.size()); });
        seen.push_back(text);
    }
    EXPECT_EQ(seen[0], seen[1]);
    EXPECT_EQ(seen[0].size(), 2U);
}

}  // namespace
}  // namespace parity::driver
