#include "driver/text/dead_letter_words.h"

#include <cstdint>
#include <set>
#include <string_view>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/bounds.h"
#include "driver/text/display_name.h"
#include "driver/text/show.h"

namespace parity::driver {
namespace {

/// Requires: the bound is one of keys.
std::string bound_words(const TablePlan& table, const std::string& bound) {
    return show_key(table.key, std::string_view(bound).substr(1));
}

bool is_key_bound(const TablePlan& table, const std::string& bound) {
    return !table.key.empty() && !bound.empty() && static_cast<std::uint8_t>(bound.front()) == core::kKeyBound;
}

std::string range_words(const TablePlan& table, const DeadLetter& letter) {
    if (letter.lower.empty() && letter.upper.empty()) return "all rows";
    std::string words = "the rows with keys";
    for (const std::string* bound : {&letter.lower, &letter.upper})
        if (!bound->empty() && !is_key_bound(table, *bound)) return "a part of the rows, by the hashes of their keys";
    if (!letter.lower.empty()) words += fmt::format(" from {}", bound_words(table, letter.lower));
    if (!letter.upper.empty()) words += fmt::format(" below {}", bound_words(table, letter.upper));
    return words;
}

std::string row_words(const TablePlan& table, const DeadLetter& letter) {
    std::string words = "the row";
    if (letter.has_key) words += " " + show_key(table.key, letter.key_bytes);
    if (letter.block >= 0) words += fmt::format(" at ({},{})", letter.block, letter.line);
    return words;
}

std::string counted(std::size_t number, std::string_view what) {
    return fmt::format("{} unreadable {}{}", number, what, number == 1 ? "" : "s");
}

}  // namespace

std::string place_words(const TablePlan& table, const DeadLetter& letter) {
    std::string words = letter.has_range                        ? range_words(table, letter)
                        : letter.block >= 0 && letter.line == 0 ? fmt::format("block {}", letter.block)
                                                                : row_words(table, letter);
    if (!letter.column.empty()) words = fmt::format("column {} of {}", display_name(letter.column), words);
    if (!letter.relation.empty()) words += " of " + displayed(letter.relation);
    return words;
}

std::string dead_letter_words(const TablePlan& table, const DeadLetter& letter) {
    return fmt::format("{}: {} could not be read: {} ({})", side_name(letter.side), place_words(table, letter),
                       letter.message, letter.sqlstate);
}

std::string unreadable_words(const std::vector<DeadLetter>& letters) {
    std::set<std::tuple<Side, std::string, std::int64_t, int>> rows;
    std::size_t blocks = 0, ranges = 0;
    for (const DeadLetter& letter : letters) {
        if (letter.has_range)
            ++ranges;
        else if (letter.line == 0)
            ++blocks;
        else
            rows.emplace(letter.side, letter.relation, letter.block, letter.line);
    }
    std::vector<std::string> words;
    if (!rows.empty()) words.push_back(counted(rows.size(), "row"));
    if (blocks > 0) words.push_back(counted(blocks, "block"));
    if (ranges > 0) words.push_back(counted(ranges, "range"));
    return fmt::format("{}", fmt::join(words, " and "));
}

}  // namespace parity::driver
