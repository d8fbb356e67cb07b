#include "driver/policy/disclosure.h"

#include <gtest/gtest.h>

namespace parity::driver {
namespace {

StoredFinding finding() {
    StoredFinding stored;
    stored.finding.kind = FindingKind::kMissingOnTarget;
    stored.finding.key_bytes = "secret row";
    stored.place.key = "secret row";
    stored.finding.values = {{"secret a"}, {"secret b"}};
    stored.finding.columns = {1};
    return stored;
}

TEST(WithoutValues, KeepsTheKeyAndTheColumns) {
    TablePlan table;
    table.key.emplace_back();
    const StoredFinding kept = without_values(table, finding());
    EXPECT_EQ(kept.finding.key_bytes, "secret row") << "this is a key";
    EXPECT_EQ(kept.finding.columns, std::vector<int>{1});
    for (Side side : kSides) EXPECT_TRUE(kept.finding.values[side].empty());
    EXPECT_TRUE(kept.finding.hash_bytes.empty());
}

TEST(WithoutValues, ARowWithoutAKeyIsAHash) {
    const TablePlan table{};
    const StoredFinding kept = without_values(table, finding());
    EXPECT_EQ(kept.finding.key_bytes, "");
    EXPECT_EQ(kept.finding.hash_bytes.size(), 16u);
    EXPECT_EQ(kept.place.key.find("secret"), std::string::npos);
    EXPECT_EQ(without_values(table, finding()).finding.hash_bytes, kept.finding.hash_bytes);
    StoredFinding other = finding();
    other.finding.key_bytes = "another row";
    EXPECT_NE(without_values(table, other).finding.hash_bytes, kept.finding.hash_bytes);
    EXPECT_EQ(without_values(table, kept).finding.hash_bytes, kept.finding.hash_bytes)
        << "what is hashed already stays";
}

}  // namespace
}  // namespace parity::driver
