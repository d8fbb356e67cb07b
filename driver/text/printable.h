#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// How texts of servers and of the command line are shown. They hold what they like; what reaches a terminal or the
/// text report holds nothing that moves a cursor, begins another line, or changes the order in which it reads. Output
/// and Terminal see to that, and nobody else has to.
namespace parity::driver {

/// The bytes of the UTF-8 sequence at the front of a text.
/// Requires: the text is not empty.
/// Returns: 0 where there is no such sequence.
std::size_t utf8_length(std::string_view text);

/// Whether the bytes are valid UTF-8 as RFC 3629 has it.
bool is_utf8(std::string_view bytes);

/// The code point of a UTF-8 sequence.
/// Requires: the sequence is whole.
std::uint32_t code_of(std::string_view character);

/// Whether a text shows as itself on one line: UTF-8 without control characters (C0, DEL, C1), ends of lines and
/// paragraphs, marks of direction, and characters that are never seen.
bool is_printable(std::string_view text);

/// The text on one line: \n, \t, \r, and \x1b, \u202e, \U000e0041 for the other characters that are not printable, \xff
/// for bytes that are not UTF-8. All else stays, a backslash too.
std::string printable(std::string_view text);

/// A character of this code as \u0301, or \U000e0041.
std::string escaped_code(std::uint32_t code);

/// A JSON document with the same characters escaped, as JSON does, in its strings; it says what it said.
/// Requires: the document is UTF-8.
std::string printable_json(std::string_view json);

/// The text with bytes that are not UTF-8 as \xff, all else as it is.
std::string valid_utf8(std::string_view text);

}  // namespace parity::driver
