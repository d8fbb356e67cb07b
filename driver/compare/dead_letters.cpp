#include "driver/compare/dead_letters.h"

#include <utility>

#include "driver/model/sqlstates.h"
#include "driver/text/dead_letter_words.h"

namespace parity::driver {

namespace {

/// What a view computes fails wherever it is read from.
bool is_of_view(const TablePlan& table, Side side, const Error& failure) {
    return table.relkind[side] == 'v' && failure.sqlstate().starts_with(kDataException);
}

}  // namespace

/// A value that the driver cannot read is of no server's saying.
Both<bool> unreadable_sides(const TablePlan& table, const Error& failure) {
    if (table.large_objects || !is_dead_letter(failure)) return {false, false};
    Both<bool> sides{false, false};
    for (Side side : kSides)
        sides[side] =
            (failure.server().empty() || failure.server() == side_name(side)) && !is_of_view(table, side, failure);
    return sides;
}

TablePlan salvage_plan(TablePlan table, const Both<bool>& sides, bool run_owners_code) {
    for (ColumnPlan& column : table.columns) column.prefilter.clear();
    for (Side side : kSides)
        table.must_run_no_code[side] = table.must_run_no_code[side] || (sides[side] && !run_owners_code);
    return table;
}

void carry_dead_letters(const TableResult& before, TableResult& result) {
    if (!result.error.empty() && result.dead_letters.empty()) {
        result.dead_letters = before.dead_letters;
        for (const DeadLetter& letter : result.dead_letters)
            result.skipped.push_back(dead_letter_words(before.plan, letter));
        return;
    }
    for (DeadLetter& letter : result.dead_letters)
        for (const DeadLetter& earlier : before.dead_letters)
            if (is_same_place(letter, earlier)) letter.attempts = earlier.attempts + 1;
}

SalvagedSides::SalvagedSides(const RunContext& context, const TablePlan& table, const Both<ServerSession*>& sessions,
                             const Both<bool>& sides) {
    for (Side side : kSides)
        if (sides[side])
            sides_[side] = std::make_unique<Salvage>(*sessions[side], table, context.settings, *context.dead_letters);
}

void SalvagedSides::store(TableResult& result) {
    for (Side side : kSides) {
        if (!sides_[side]) continue;
        for (DeadLetter& letter : sides_[side]->take_letters()) {
            result.skipped.push_back(dead_letter_words(result.plan, letter));
            result.dead_letters.push_back(std::move(letter));
        }
        for (std::string& note : sides_[side]->notes()) result.notes.push_back(std::move(note));
    }
}

}  // namespace parity::driver
