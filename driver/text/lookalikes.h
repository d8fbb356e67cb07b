#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Characters that are taken for others. The tables are of what data have been seen to differ in (blanks, dashes,
/// quotes, letters of another script, composed and decomposed letters), not of everything that some font draws alike.
namespace parity::driver {

/// A blank that is no space, or a mark that is put onto the character before it: by itself it is not seen.
bool is_blank_or_mark(std::uint32_t code);

/// A character that looks like another one, or like nothing.
bool is_lookalike(std::uint32_t code);

/// Whether a text has characters that are not seen by themselves, or are there in two ways (composed and decomposed
/// syllables, compatibility ideographs): whatever stands beside it may print alike.
bool has_ambiguous(std::string_view text);

/// The text with characters that look alike as one of them, and without those that are not seen. Texts that differ and
/// have one skeleton print alike.
std::string skeleton(std::string_view text);

}  // namespace parity::driver
