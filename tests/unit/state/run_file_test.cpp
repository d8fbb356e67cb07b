#include "driver/state/run_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "driver/model/error.h"

namespace parity::driver {
namespace {

namespace fs = std::filesystem;

class RunFileTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "run_file_test-XXXXXX").string();
        directory_ = mkdtemp(name.data());
        file_ = (directory_ / "a.state").string();
    }
    void TearDown() override { fs::remove_all(directory_); }

    /// A run of so many units that begins.
    std::unique_ptr<RunFile> begun(int units = 2) const {
        std::unique_ptr<RunFile> store = RunFile::create(file_);
        int next = 0;
        store->begin_run({"1.0", 5, 5, std::string("request\0", 8), "head"}, [&](UnitRow& unit) {
            unit.job = next;
            unit.plan = "plan " + std::to_string(next);
            return next++ < units;
        });
        return store;
    }

    fs::path directory_;
    std::string file_;
};

std::vector<UnitRow> units_of(RunStore& store) {
    std::vector<UnitRow> units;
    store.for_each_unit([&](const UnitRow& unit) { units.push_back(unit); });
    return units;
}

StoredFinding found(const std::string& key) {
    StoredFinding stored;
    stored.place.key = key;
    stored.finding.key_bytes = key;
    stored.finding.columns = {0, 2};
    return stored;
}

GiveFindings give(const std::vector<std::string>& keys) {
    return [keys](const auto& take) {
        for (const std::string& key : keys) take(found(key));
    };
}

std::vector<std::string> keys_of_unit(RunStore& store, std::int64_t job) {
    std::vector<std::string> keys;
    store.for_each_finding(job, 0, [&](const StoredFinding& stored) {
        keys.push_back(stored.finding.key_bytes);
        EXPECT_EQ(stored.finding.columns, (std::vector<int>{0, 2}));
    });
    return keys;
}

UnitRow done(std::int64_t job) {
    UnitRow unit;
    unit.job = job;
    unit.attempt = 3;
    unit.state = UnitState::kDone;
    unit.plan = "a plan";
    unit.position = "as of";
    unit.result = "a result";
    unit.lsn = {"0/1", "0/2"};
    return unit;
}

template <typename Act>
std::string refusal_of(Act act) {
    try {
        act();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kUsage);
        return error.what();
    }
    return "";
}

TEST_F(RunFileTest, GivesBackWhatIsKept) {
    begun();
    const std::unique_ptr<RunFile> store = RunFile::open(file_);
    const std::optional<RunRow> run = store->read_run();
    ASSERT_TRUE(run);
    EXPECT_EQ(run->request, std::string("request\0", 8));
    EXPECT_EQ(run->began_us, 5);
    ASSERT_EQ(units_of(*store).size(), 2u);
    store->save_unit(done(1), give({"a", std::string("b\0c", 3)}), std::nullopt);
    const UnitRow unit = units_of(*store)[1];
    EXPECT_EQ(unit.state, UnitState::kDone);
    EXPECT_EQ(unit.attempt, 3);
    EXPECT_EQ(unit.position, "as of");
    EXPECT_EQ(unit.lsn.target, "0/2");
    EXPECT_EQ(units_of(*store)[0].state, UnitState::kPending);
    EXPECT_EQ(keys_of_unit(*store, 1), (std::vector<std::string>{"a", std::string("b\0c", 3)}));
    EXPECT_TRUE(keys_of_unit(*store, 0).empty());
}

TEST_F(RunFileTest, AUnitThatIsKeptAgainReplacesItsFindings) {
    const std::unique_ptr<RunFile> store = begun();
    store->save_unit(done(0), give({"a", "b"}), std::nullopt);
    store->save_unit(done(1), give({"z"}), std::nullopt);
    store->save_unit(done(0), give({"b", "c", "c"}), std::nullopt);
    EXPECT_EQ(keys_of_unit(*store, 0), (std::vector<std::string>{"b", "c", "c"}));
    EXPECT_EQ(keys_of_unit(*store, 1), (std::vector<std::string>{"z"}));
}

TEST_F(RunFileTest, SpansAreReplacedWithTheirTable) {
    const std::unique_ptr<RunFile> store = begun();
    UnitRow first = done(0), second = done(0);
    first.unit = 1;
    first.span = {"", std::string("b\0", 2)};
    second.unit = 2;
    second.span = {std::string("b\0", 2), ""};
    store->save_unit(done(0), give({}), std::vector<UnitRow>{first, second});
    store->save_unit(first, give({"a"}), std::nullopt);
    std::vector<UnitRow> units = units_of(*store);
    ASSERT_EQ(units.size(), 4u);
    EXPECT_EQ(units[1].span, first.span);
    EXPECT_EQ(units[2].span, second.span);
    store->save_unit(done(0), give({"whole"}), std::vector<UnitRow>{});
    units = units_of(*store);
    ASSERT_EQ(units.size(), 2u);
    EXPECT_EQ(keys_of_unit(*store, 0), (std::vector<std::string>{"whole"}));
    std::size_t left = 0;
    store->for_each_finding(0, 1, [&](const StoredFinding&) { ++left; });
    EXPECT_EQ(left, 0u);
}

TEST_F(RunFileTest, WhatFailsHalfwayIsNotKept) {
    const std::unique_ptr<RunFile> store = begun();
    store->save_unit(done(0), give({"a"}), std::nullopt);
    UnitRow again = done(0);
    again.state = UnitState::kFailed;
    EXPECT_THROW(store->save_unit(
                     again,
                     [](const auto& take) {
                         take(found("b"));
                         throw Error(ErrorKind::kOutput, "halfway");
                     },
                     std::nullopt),
                 Error);
    EXPECT_EQ(units_of(*store)[0].state, UnitState::kDone);
    EXPECT_EQ(keys_of_unit(*store, 0), (std::vector<std::string>{"a"}));
}

TEST_F(RunFileTest, IsItsOwnersAlone) {
    const mode_t mask = umask(0);
    const std::unique_ptr<RunFile> store = begun();
    umask(mask);
    for (const fs::directory_entry& entry : fs::directory_iterator(directory_))
        EXPECT_EQ(entry.status().permissions(), fs::perms::owner_read | fs::perms::owner_write) << entry.path();
}

TEST_F(RunFileTest, GoesAwayWhereNoRunBegins) {
    RunFile::create(file_);
    EXPECT_TRUE(fs::is_empty(directory_));
}

TEST_F(RunFileTest, IsMadeOnce) {
    begun();
    EXPECT_NE(refusal_of([&] { RunFile::create(file_); }).find("exists already"), std::string::npos);
    EXPECT_TRUE(RunFile::open(file_)->read_run());
}

TEST_F(RunFileTest, OneWritesAndOthersRead) {
    const std::unique_ptr<RunFile> store = begun();
    EXPECT_NE(refusal_of([&] { RunFile::open(file_); }).find("is held by process "), std::string::npos);
    EXPECT_EQ(units_of(*RunFile::read(file_)).size(), 2u);
    store->save_unit(done(0), give({"a"}), std::nullopt);
    EXPECT_EQ(keys_of_unit(*RunFile::read(file_), 0), (std::vector<std::string>{"a"}));
}

TEST_F(RunFileTest, RefusesOtherFiles) {
    EXPECT_NE(refusal_of([&] { RunFile::open(file_); }).find("No such file"), std::string::npos);
    std::ofstream(file_) << "a text";
    EXPECT_NE(refusal_of([&] { RunFile::open(file_); }).find("is no state of a run"), std::string::npos);
    fs::remove(file_);
    fs::create_symlink(directory_ / "elsewhere", file_);
    EXPECT_NE(refusal_of([&] { RunFile::create(file_); }), "");
    EXPECT_FALSE(fs::exists(directory_ / "elsewhere"));
}

}  // namespace
}  // namespace parity::driver
