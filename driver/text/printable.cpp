#include "driver/text/printable.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

#include <fmt/format.h>

namespace parity::driver {
namespace {

struct CodePoints {
    std::uint32_t first;
    std::uint32_t last;
};

/// In ascending order. Of the invisible characters those are left out that scripts and emoji are written with (U+200C,
/// U+200D, variation selectors).
constexpr std::array kUnprintable = {
    CodePoints{0x00, 0x1F},        // C0
    CodePoints{0x7F, 0x9F},        // DEL, C1
    CodePoints{0xAD, 0xAD},        // soft hyphen
    CodePoints{0x61C, 0x61C},      // Arabic letter mark
    CodePoints{0x180E, 0x180E},    // Mongolian vowel separator
    CodePoints{0x200B, 0x200B},    // zero width space
    CodePoints{0x200E, 0x200F},    // left-to-right and right-to-left mark
    CodePoints{0x2028, 0x202E},    // line and paragraph separator, embeddings and overrides
    CodePoints{0x2060, 0x206F},    // word joiner, invisible operators, isolates, deprecated formats
    CodePoints{0xFEFF, 0xFEFF},    // byte order mark
    CodePoints{0xFFF9, 0xFFFB},    // interlinear annotation
    CodePoints{0xFFFE, 0xFFFF},    // no characters, which XML does not allow
    CodePoints{0xE0000, 0xE007F},  // tags
};

bool is_printable_code(std::uint32_t code) {
    const auto* range = std::lower_bound(kUnprintable.begin(), kUnprintable.end(), code,
                                         [](const CodePoints& points, std::uint32_t c) { return points.last < c; });
    return range == kUnprintable.end() || code < range->first;
}

bool is_printable_ascii(char c) { return c >= 0x20 && c < 0x7F; }

/// Copies `text` and has `escape` append what stands for each character that is not printable, and for each byte that
/// is not UTF-8 (its character is that byte alone, its code nothing).
template <typename Escape>
std::string escaped(std::string_view text, Escape escape) {
    std::string shown;
    shown.reserve(text.size());
    while (!text.empty()) {
        const auto* const end = std::find_if_not(text.begin(), text.end(), is_printable_ascii);
        const auto plain = static_cast<std::size_t>(std::distance(text.begin(), end));
        shown += text.substr(0, plain);
        text.remove_prefix(plain);
        if (text.empty()) break;
        const std::size_t length = utf8_length(text);
        const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
        if (length > 0 && is_printable_code(code_of(character)))
            shown += character;
        else
            escape(shown, character, length > 0);
        text.remove_prefix(character.size());
    }
    return shown;
}

void append_byte(std::string& to, std::string_view byte) {
    to += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte[0]));
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                               : lead >= 0xE0 && lead <= 0xEF ? 3
                               : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                              : 0;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
    const bool surrogate_or_beyond = (lead == 0xED && byte(1) > 0x9F) || (lead == 0xF4 && byte(1) > 0x8F);
    return overlong || surrogate_or_beyond ? 0 : length;
}

bool is_utf8(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t length = utf8_length(bytes);
        if (length == 0) return false;
        bytes.remove_prefix(length);
    }
    return true;
}

std::uint32_t code_of(std::string_view character) {
    static constexpr std::array<std::uint32_t, 5> kLeadBits = {0, 0x7F, 0x1F, 0x0F, 0x07};
    std::uint32_t code = static_cast<unsigned char>(character[0]) & kLeadBits[character.size()];
    for (char c : character.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3F);
    return code;
}

bool is_printable(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0 || !is_printable_code(code_of(text.substr(0, length)))) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string printable(std::string_view text) {
    return escaped(text, [](std::string& to, std::string_view character, bool is_valid) {
        const std::uint32_t code = is_valid ? code_of(character) : 0;
        if (character == "\n")
            to += "\\n";
        else if (character == "\t")
            to += "\\t";
        else if (character == "\r")
            to += "\\r";
        else if (code < 0x80)
            append_byte(to, character);
        else
            to += escaped_code(code);
    });
}

std::string escaped_code(std::uint32_t code) {
    return code < 0x10000 ? fmt::format("\\u{:04x}", code) : fmt::format("\\U{:08x}", code);
}

std::string printable_json(std::string_view json) {
    return escaped(json, [](std::string& to, std::string_view character, bool) {
        const std::uint32_t code = code_of(character);
        if (code < 0x20)
            to += character;  // between strings; in them it is escaped already
        else if (code < 0x10000)
            to += fmt::format("\\u{:04x}", code);
        else
            to += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((code - 0x10000) >> 10), 0xDC00 + (code & 0x3FF));
    });
}

std::string valid_utf8(std::string_view text) {
    return escaped(text, [](std::string& to, std::string_view character, bool is_valid) {
        if (is_valid)
            to += character;
        else
            append_byte(to, character);
    });
}

}  // namespace parity::driver
