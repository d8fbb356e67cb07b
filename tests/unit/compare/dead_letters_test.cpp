#include "driver/compare/dead_letters.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "driver/model/error.h"

namespace parity::driver {
namespace {

DeadLetter letter(std::int64_t block, int line, const std::string& column = {}) {
    DeadLetter made;
    made.block = block;
    made.line = line;
    made.column = column;
    made.sqlstate = "XX001";
    return made;
}

TableResult with(std::vector<DeadLetter> letters, const std::string& error = {}) {
    TableResult result;
    result.dead_letters = std::move(letters);
    result.error = error;
    return result;
}

Error of(const std::string& server, const std::string& sqlstate) {
    return {ErrorKind::kServer, "failed", "", server, sqlstate};
}

TEST(DeadLetters, AttemptsAreThoseAtOnePlace) {
    TableResult before = with({letter(1, 2, "a"), letter(1, 2, "b"), letter(7, 0)});
    before.dead_letters[1].attempts = 4;
    TableResult now = with({letter(1, 2, "b"), letter(1, 3, "b"), letter(7, 0)});
    carry_dead_letters(before, now);
    EXPECT_EQ(now.dead_letters[0].attempts, 5);
    EXPECT_EQ(now.dead_letters[1].attempts, 1);
    EXPECT_EQ(now.dead_letters[2].attempts, 2);
}

TEST(DeadLetters, AFailureTakesNoneAway) {
    TableResult failed = with({}, "lost the connection");
    carry_dead_letters(with({letter(1, 2, "a")}), failed);
    ASSERT_EQ(failed.dead_letters.size(), 1u);
    EXPECT_EQ(failed.dead_letters[0].attempts, 1);
    EXPECT_EQ(failed.skipped.size(), 1u);
    TableResult read = with({});
    carry_dead_letters(with({letter(1, 2, "a")}), read);
    EXPECT_TRUE(read.dead_letters.empty());
}

TEST(DeadLetters, OnlyTheSideThatFailedIsReadAround) {
    TablePlan table;
    const auto sides = [&](const Error& error) {
        const Both<bool> found = unreadable_sides(table, error);
        return std::string(found.source ? "source " : "") + (found.target ? "target" : "");
    };
    EXPECT_EQ(sides(of("source", "XX001")), "source ");
    EXPECT_EQ(sides(of("target", "22021")), "target");
    EXPECT_EQ(sides(of("", "22P02")), "source target");
    EXPECT_EQ(sides(of("target", "40001")), "");
    EXPECT_EQ(sides(of("target", "XX000")), "");
    table.relkind.target = 'v';
    EXPECT_EQ(sides(of("target", "22012")), "");
    EXPECT_EQ(sides(of("target", "XX001")), "target");
    table.large_objects.emplace();
    EXPECT_EQ(sides(of("source", "XX001")), "");
}

}  // namespace
}  // namespace parity::driver
