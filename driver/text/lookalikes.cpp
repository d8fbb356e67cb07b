#include "driver/text/lookalikes.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "driver/text/printable.h"

namespace parity::driver {
namespace {

struct CodeRange {
    std::uint32_t first;
    std::uint32_t last;
};

/// In ascending order.
constexpr std::array kBlankCodes = {
    CodeRange{0xA0, 0xA0},      // no-break space
    CodeRange{0x115F, 0x1160},  // Hangul fillers
    CodeRange{0x1680, 0x1680},  // Ogham space mark
    CodeRange{0x2000, 0x200A},  // spaces of several widths
    CodeRange{0x202F, 0x202F},  // narrow no-break space
    CodeRange{0x205F, 0x205F},  // mathematical space
    CodeRange{0x2800, 0x2800},  // empty Braille pattern
    CodeRange{0x3000, 0x3000},  // ideographic space
    CodeRange{0x3164, 0x3164},  // Hangul filler
};

constexpr std::array kMarkCodes = {
    CodeRange{0x300, 0x36F},   CodeRange{0x1AB0, 0x1AFF}, CodeRange{0x1DC0, 0x1DFF},
    CodeRange{0x20D0, 0x20FF}, CodeRange{0xFE20, 0xFE2F},
};

/// What is not seen, and what is there in two ways.
constexpr std::array kAmbiguous = {
    CodeRange{0x1100, 0x11FF},    // parts of Hangul syllables
    CodeRange{0x200C, 0x200D},    // joiners
    CodeRange{0x2126, 0x2126},    // ohm
    CodeRange{0x212B, 0x212B},    // angstrom
    CodeRange{0xA960, 0xA97F},    // parts of Hangul syllables
    CodeRange{0xD7B0, 0xD7FF},    //
    CodeRange{0xF900, 0xFAFF},    // compatibility ideographs
    CodeRange{0xFE00, 0xFE0F},    // variation selectors
    CodeRange{0x2F800, 0x2FA1F},  // compatibility ideographs
    CodeRange{0xE0100, 0xE01EF},  // variation selectors
};

struct Likeness {
    std::uint32_t code;
    char like;
};

/// In ascending order.
constexpr std::array kLikenesses = {
    Likeness{0xB4, '\''},   Likeness{0x131, 'i'},   Likeness{0x2B9, '\''}, Likeness{0x2BB, '\''},
    Likeness{0x2BC, '\''},  Likeness{0x2C8, '\''},  Likeness{0x37E, ';'},  Likeness{0x391, 'A'},
    Likeness{0x392, 'B'},   Likeness{0x395, 'E'},   Likeness{0x396, 'Z'},  Likeness{0x397, 'H'},
    Likeness{0x399, 'I'},   Likeness{0x39A, 'K'},   Likeness{0x39C, 'M'},  Likeness{0x39D, 'N'},
    Likeness{0x39F, 'O'},   Likeness{0x3A1, 'P'},   Likeness{0x3A4, 'T'},  Likeness{0x3A5, 'Y'},
    Likeness{0x3A7, 'X'},   Likeness{0x3B9, 'i'},   Likeness{0x3BD, 'v'},  Likeness{0x3BF, 'o'},
    Likeness{0x3C1, 'p'},   Likeness{0x405, 'S'},   Likeness{0x406, 'I'},  Likeness{0x408, 'J'},
    Likeness{0x410, 'A'},   Likeness{0x412, 'B'},   Likeness{0x415, 'E'},  Likeness{0x417, '3'},
    Likeness{0x41A, 'K'},   Likeness{0x41C, 'M'},   Likeness{0x41D, 'H'},  Likeness{0x41E, 'O'},
    Likeness{0x420, 'P'},   Likeness{0x421, 'C'},   Likeness{0x422, 'T'},  Likeness{0x423, 'Y'},
    Likeness{0x425, 'X'},   Likeness{0x430, 'a'},   Likeness{0x435, 'e'},  Likeness{0x43E, 'o'},
    Likeness{0x440, 'p'},   Likeness{0x441, 'c'},   Likeness{0x443, 'y'},  Likeness{0x445, 'x'},
    Likeness{0x455, 's'},   Likeness{0x456, 'i'},   Likeness{0x458, 'j'},  Likeness{0x4BB, 'h'},
    Likeness{0x501, 'd'},   Likeness{0x51B, 'q'},   Likeness{0x51D, 'w'},  Likeness{0x585, 'o'},
    Likeness{0x589, ':'},   Likeness{0x5F3, '\''},  Likeness{0x2010, '-'}, Likeness{0x2011, '-'},
    Likeness{0x2012, '-'},  Likeness{0x2013, '-'},  Likeness{0x2014, '-'}, Likeness{0x2015, '-'},
    Likeness{0x2018, '\''}, Likeness{0x2019, '\''}, Likeness{0x201A, ','}, Likeness{0x201B, '\''},
    Likeness{0x201C, '"'},  Likeness{0x201D, '"'},  Likeness{0x201F, '"'}, Likeness{0x2024, '.'},
    Likeness{0x2032, '\''}, Likeness{0x2033, '"'},  Likeness{0x2043, '-'}, Likeness{0x2044, '/'},
    Likeness{0x2115, 'N'},  Likeness{0x212A, 'K'},  Likeness{0x2160, 'I'}, Likeness{0x2164, 'V'},
    Likeness{0x2169, 'X'},  Likeness{0x2170, 'i'},  Likeness{0x2212, '-'}, Likeness{0x2215, '/'},
    Likeness{0x2236, ':'},  Likeness{0xFE58, '-'},  Likeness{0xFE63, '-'},
};

/// Letters, digits and signs of full width, in the order of ASCII.
constexpr CodeRange kFullWidth{0xFF01, 0xFF5E};

template <typename Spans>
bool is_in(const Spans& spans, std::uint32_t code) {
    const auto* span = std::lower_bound(spans.begin(), spans.end(), code,
                                        [](const CodeRange& known, std::uint32_t c) { return known.last < c; });
    return span != spans.end() && code >= span->first;
}

/// The character of ASCII that one looks like; 0 for none.
char likeness(std::uint32_t code) {
    if (code >= kFullWidth.first && code <= kFullWidth.last) return static_cast<char>(code - kFullWidth.first + '!');
    const auto* known = std::lower_bound(kLikenesses.begin(), kLikenesses.end(), code,
                                         [](const Likeness& like, std::uint32_t c) { return like.code < c; });
    return known != kLikenesses.end() && known->code == code ? known->like : '\0';
}

}  // namespace

bool is_blank_or_mark(std::uint32_t code) {
    return code >= 0xA0 && (is_in(kBlankCodes, code) || is_in(kMarkCodes, code));
}

bool is_lookalike(std::uint32_t code) { return code >= 0x80 && (is_in(kAmbiguous, code) || likeness(code) != '\0'); }

bool has_ambiguous(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = std::max<std::size_t>(utf8_length(text), 1);
        if (length > 1 && is_in(kAmbiguous, code_of(text.substr(0, length)))) return true;
        text.remove_prefix(length);
    }
    return false;
}

std::string skeleton(std::string_view text) {
    std::string bones;
    while (!text.empty()) {
        const std::size_t length = std::max<std::size_t>(utf8_length(text), 1);
        const std::string_view character = text.substr(0, length);
        const std::uint32_t code = length > 1 ? code_of(character) : 0;
        if (length == 1)
            bones += character;
        else if (const char like = likeness(code); like != '\0')
            bones += like;
        else if (is_in(kBlankCodes, code))
            bones += ' ';
        else if (!is_in(kMarkCodes, code) && !is_in(kAmbiguous, code) && is_printable(character))
            bones += character;
        text.remove_prefix(length);
    }
    return bones;
}

}  // namespace parity::driver
