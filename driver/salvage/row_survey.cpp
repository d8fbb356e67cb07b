#include "driver/salvage/row_survey.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <numeric>
#include <utility>

namespace parity::driver {

std::optional<PartialRow> RowSurvey::survey(const HeapPlace& place, DeadLetter letter, const Error& failure) {
    const TablePlan& table = reader_.table();
    if (table.key.empty()) {
        lose(place, std::move(letter), failure);
        return std::nullopt;
    }
    std::optional<RowDigest> row;
    try {
        row = read(with_some_columns(table, {}), place);
    } catch (const Error& error) {
        log_.failed(error);
        lose(place, std::move(letter), error);
        return std::nullopt;
    }
    if (!row) throw_contradiction("a row that cannot be read is not there without its columns");
    letter.has_key = true;
    letter.key_bytes = row->key;
    std::vector<int> all(table.columns.size()), unreadable;
    std::iota(all.begin(), all.end(), 0);
    find_unreadable(place, all, letter, unreadable);
    if (unreadable.empty()) throw_contradiction("a row cannot be read although each of its columns can");
    damage_.unread().add_row(row->key, unreadable);
    PartialRow partial{place, {}};
    std::set_difference(all.begin(), all.end(), unreadable.begin(), unreadable.end(), std::back_inserter(partial.read));
    return partial;
}

/// An index tells which key it was unless the row can be looked at, and only its key cannot be read.
void RowSurvey::lose(const HeapPlace& place, DeadLetter letter, const Error& failure) {
    bool visible = true;
    try {
        reader_.heap().visit(place);
    } catch (const Error& error) {
        log_.failed(error);
        visible = false;
    }
    damage_.lose_row(visible);
    if (visible) letter.column = unreadable_key_column(place);
    damage_.add(std::move(letter), failure);
}

/// Its name; empty where there are several, or none that can be told.
std::string RowSurvey::unreadable_key_column(const HeapPlace& place) {
    const TablePlan& table = reader_.table();
    if (table.key.empty()) return {};
    if (table.key.size() == 1) return table.key.front().name.source;
    std::vector<std::string> unreadable;
    for (const ColumnPlan& column : table.key) {
        TablePlan of_column = with_some_columns(table, {});
        of_column.key = {column};
        try {
            read(of_column, place);
        } catch (const Error& error) {
            log_.failed(error);
            unreadable.push_back(column.name.source);
        }
    }
    return unreadable.size() == 1 ? unreadable.front() : std::string();
}

void RowSurvey::find_unreadable(const HeapPlace& place, const std::vector<int>& columns, const DeadLetter& letter,
                                std::vector<int>& unreadable) {
    if (columns.empty()) return;
    try {
        read(with_some_columns(reader_.table(), columns), place);
    } catch (const Error& error) {
        log_.failed(error);
        if (columns.size() > 1) {
            const auto middle = columns.begin() + static_cast<std::ptrdiff_t>(columns.size() / 2);
            find_unreadable(place, {columns.begin(), middle}, letter, unreadable);
            return find_unreadable(place, {middle, columns.end()}, letter, unreadable);
        }
        unreadable.push_back(columns.front());
        DeadLetter of_column = letter;
        of_column.column = reader_.table().columns[static_cast<std::size_t>(columns.front())].name.source;
        damage_.add(std::move(of_column), error);
    }
}

/// The row at a place, if it is there.
std::optional<RowDigest> RowSurvey::read(const TablePlan& table, const HeapPlace& place) {
    std::optional<RowDigest> row;
    reader_.rows_of(table, &place, {}, [&](const RowDigest& read) { row = read; });
    return row;
}

}  // namespace parity::driver
