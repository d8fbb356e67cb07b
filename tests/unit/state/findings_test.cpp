#include "driver/state/findings.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <thread>

#include "driver/model/error.h"

namespace parity::driver {
namespace {

namespace fs = std::filesystem;

/// A directory of its own as $TMPDIR.
class FindingStoreTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "finding_store_test-XXXXXX").string();
        directory_ = mkdtemp(name.data());
        setenv("TMPDIR", directory_.c_str(), 1);
    }
    void TearDown() override {
        unsetenv("TMPDIR");
        fs::remove_all(directory_);
    }
    fs::path directory_;
};

StoredFinding stored_mismatch(const std::string& key, std::vector<int> columns) {
    StoredFinding entry;
    entry.finding.key_bytes = key;
    entry.finding.columns = std::move(columns);
    entry.row_hash = {"source hash", std::string("target\0hash", 11)};
    return entry;
}

std::vector<std::string> keys_of(FindingStore& findings, int table) {
    std::vector<std::string> keys;
    findings.for_each(table, [&](const Finding& finding) { keys.push_back(finding.key_bytes); });
    return keys;
}

TEST_F(FindingStoreTest, GivesBackWhatWasAdded) {
    FindingStore findings;
    StoredFinding entry = stored_mismatch(std::string("k\0\xff", 3), {0, 1499});
    entry.finding.values = {{std::nullopt, ""}, {"NULL", std::string("\0", 1)}};
    findings.add(7, entry);
    StoredFinding missing;
    missing.finding.kind = FindingKind::kMissingOnSource;
    missing.finding.occurrences = 12;
    findings.add(7, missing);
    const auto entries = findings.read(7, {}, 1 << 20);
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].finding.kind, FindingKind::kMismatch);
    EXPECT_EQ(entries[0].finding.key_bytes, entry.finding.key_bytes);
    EXPECT_EQ(entries[0].finding.columns, entry.finding.columns);
    EXPECT_EQ(entries[0].finding.values.source, entry.finding.values.source);
    EXPECT_EQ(entries[0].finding.values.target, entry.finding.values.target);
    EXPECT_EQ(entries[0].row_hash.source, entry.row_hash.source);
    EXPECT_EQ(entries[0].row_hash.target, entry.row_hash.target);
    EXPECT_EQ(entries[1].finding.kind, FindingKind::kMissingOnSource);
    EXPECT_EQ(entries[1].finding.occurrences, 12U);
    EXPECT_TRUE(entries[1].finding.columns.empty() && entries[1].finding.values.source.empty());
}

TEST_F(FindingStoreTest, KeepsTablesApartAndInOrder) {
    FindingStore findings;
    for (int i = 0; i < 100; ++i) findings.add(i % 2, stored_mismatch(std::to_string(i), {0}));
    const auto odd = keys_of(findings, 1);
    ASSERT_EQ(odd.size(), 50U);
    for (std::size_t i = 0; i < odd.size(); ++i) EXPECT_EQ(odd[i], std::to_string(2 * i + 1));
    EXPECT_TRUE(keys_of(findings, 2).empty());
}

StoredFinding placed(const std::string& place, const std::string& key) {
    StoredFinding entry = stored_mismatch(key, {0});
    entry.place.key = place;
    return entry;
}

TEST_F(FindingStoreTest, GivesThemInTheOrderOfTheirPlaces) {
    FindingStore findings;
    EXPECT_FALSE(findings.last(0));
    for (const char* key : {"c", "a", "\xff", "b", "a"}) findings.add(0, placed(key, key));
    findings.add(1, placed("z", "of another table"));
    EXPECT_EQ(keys_of(findings, 0), (std::vector<std::string>{"a", "a", "b", "c", "\xff"}));
    EXPECT_EQ(findings.read(0, {}, 1)[0].place.id, 2) << "the first that was added";
    EXPECT_EQ(findings.last(0)->finding.key_bytes, "\xff");
    findings.remove(0, findings.last(0)->place.id);
    EXPECT_EQ(findings.last(0)->finding.key_bytes, "c");
    EXPECT_EQ(keys_of(findings, 0), (std::vector<std::string>{"a", "a", "b", "c"}));
    findings.discard(0);
    EXPECT_FALSE(findings.last(0));
    EXPECT_EQ(keys_of(findings, 1).size(), 1U);
}

TEST_F(FindingStoreTest, ReadsInBatchesOfBoundedSize) {
    FindingStore findings;
    for (int i = 0; i < 10; ++i) findings.add(0, stored_mismatch(std::string(1000, 'k'), {0}));
    const auto first = findings.read(0, {}, 2500);
    EXPECT_EQ(first.size(), 3U);
    EXPECT_EQ(findings.read(0, first.back().place, 1 << 20).size(), 7U);
    EXPECT_EQ(findings.read(0, {}, 1).size(), 1U) << "at least one";
}

TEST_F(FindingStoreTest, StoresValuesLater) {
    FindingStore findings;
    findings.add(0, stored_mismatch("a", {0, 2}));
    findings.add(0, stored_mismatch("b", {1}));
    const auto entries = findings.read(0, {}, 1 << 20);
    findings.set_values(0, entries[0].place.id, Side::kTarget, {"x", std::nullopt});
    findings.set_values(0, entries[1].place.id, Side::kSource, {"y"});
    const auto again = findings.read(0, {}, 1 << 20);
    using Values = ShownValues;
    EXPECT_EQ(again[0].finding.values.target, (Values{"x", std::nullopt}));
    EXPECT_TRUE(again[0].finding.values.source.empty());
    EXPECT_EQ(again[1].finding.values.source, (Values{"y"}));
}

TEST_F(FindingStoreTest, ForgetsOneTable) {
    FindingStore findings;
    findings.add(0, stored_mismatch("a", {0}));
    findings.add(1, stored_mismatch("b", {0}));
    findings.discard(0);
    EXPECT_TRUE(keys_of(findings, 0).empty());
    EXPECT_EQ(keys_of(findings, 1).size(), 1U);
}

TEST_F(FindingStoreTest, HoldsMoreThanItsCache) {
    FindingStore findings;
    constexpr int kCount = 50'000;
    for (int i = 0; i < kCount; ++i) findings.add(0, stored_mismatch(std::to_string(i) + std::string(100, 'x'), {0}));
    int seen = 0;
    bool in_order = true;
    findings.for_each(
        0, [&](const Finding& finding) { in_order &= finding.key_bytes.starts_with(std::to_string(seen++) + "x"); });
    EXPECT_EQ(seen, kCount);
    EXPECT_TRUE(in_order);
}

TEST_F(FindingStoreTest, ServesSeveralThreads) {
    FindingStore findings;
    std::vector<std::thread> threads;
    for (int table = 0; table < 4; ++table)
        threads.emplace_back([&findings, table] {
            for (int i = 0; i < 500; ++i) findings.add(table, stored_mismatch(std::to_string(i), {0}));
        });
    for (std::thread& thread : threads) thread.join();
    for (int table = 0; table < 4; ++table) {
        const auto keys = keys_of(findings, table);
        ASSERT_EQ(keys.size(), 500U);
        for (std::size_t i = 0; i < keys.size(); ++i) ASSERT_EQ(keys[i], std::to_string(i));
    }
}

TEST_F(FindingStoreTest, LeavesNoFileBehind) {
    FindingStore findings;
    findings.add(0, stored_mismatch("a", {0}));
    EXPECT_TRUE(fs::is_empty(directory_)) << "not even while it is open";
}

TEST_F(FindingStoreTest, SaysWhereItCannotBe) {
    const std::string nowhere = (directory_ / "nonesuch").string();
    setenv("TMPDIR", nowhere.c_str(), 1);
    try {
        FindingStore findings;
        ADD_FAILURE() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kOutput);
        EXPECT_NE(std::string(error.what()).find(nowhere), std::string::npos);
    }
}

}  // namespace
}  // namespace parity::driver
