#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parity::driver {

/// Which of the known words somebody may have meant: the nearest one by letters left out, added, changed or exchanged
/// with their neighbour, if a third of the word at most is wrong. Among equally near ones the first.
/// Returns: nothing where none is near.
std::optional<std::string> nearest_word(std::string_view given, const std::vector<std::string>& known);

/// "did you mean "--table"?", or an empty text.
std::string suggestion(std::string_view given, const std::vector<std::string>& known);

}  // namespace parity::driver
