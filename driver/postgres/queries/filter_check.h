#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace parity::driver {

/// Whether text between parentheses could end up outside of them: an expression whose own parentheses, quotes and
/// comments are closed cannot. Lexical rules are those of PostgreSQL with standard_conforming_strings on; whether it is
/// an expression at all, the server says.
/// Returns: the reason, in the words of an error message, or nothing.
std::optional<std::string> why_not_one_expression(std::string_view text);

}  // namespace parity::driver
