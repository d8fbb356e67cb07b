#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/model/results.h"

/// Values for people.
namespace parity::driver {

/// Values of more bytes are cut: a report is no place for megabytes, and nobody has to hold them.
inline constexpr std::size_t kMostShownBytes = 64 * 1024;

/// An SQL expression of a text as it is sent to be shown: ":" and the whole text, or of a long one its length in bytes,
/// ":" and its beginning. `text` is a name.
std::string shown_expression(std::string_view text);

/// What such an expression sent.
/// Returns: nothing for NULL.
/// Throws: Error{kInternal} for anything else.
std::optional<ShownValue> read_shown(std::optional<std::string_view> sent);

/// The expression of the texts of columns as the server prints them, as one array: a select list of all of them beside
/// the columns would be too long where there are many. Each element is for read_shown().
std::string printed_expression(const std::vector<std::string>& columns);

}  // namespace parity::driver
