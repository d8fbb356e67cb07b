#include "driver/text/dead_letter_words.h"

#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "core/bounds.h"
#include "driver/text/display_name.h"
#include "driver/text/show.h"

namespace parity::driver {
namespace {

bool is_key_bound(const TablePlan& table, const std::string& bound) {
    return !table.key.empty() && !bound.empty() && static_cast<std::uint8_t>(bound.front()) == core::kKeyBound;
}

std::string range_words(const TablePlan& table, const DeadLetter& letter) {
    if (letter.lower.empty() && letter.upper.empty()) return "all rows";
    std::string words = "the rows with keys";
    for (const std::string* bound : {&letter.lower, &letter.upper})
        if (!bound->empty() && !is_key_bound(table, *bound)) return "a part of the rows, by the hashes of their keys";
    if (!letter.lower.empty()) words += fmt::format(" from {}", show_bound(table.key, letter.lower));
    if (!letter.upper.empty()) words += fmt::format(" below {}", show_bound(table.key, letter.upper));
    return words;
}

std::string row_words(const TablePlan& table, const DeadLetter& letter) {
    std::string words = "the row";
    if (letter.has_key) words += " " + show_key(table.key, letter.key_bytes);
    if (letter.block >= 0) words += fmt::format(" at ({},{})", letter.block, letter.line);
    return words;
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

}  // namespace parity::driver
