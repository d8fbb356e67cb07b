#include "driver/text/printable.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace parity::driver {
namespace {

std::string utf8(std::uint32_t code) {
    const auto byte = [](std::uint32_t bits) { return static_cast<char>(bits); };
    if (code < 0x80) return {byte(code)};
    if (code < 0x800) return {byte(0xC0 | code >> 6), byte(0x80 | (code & 0x3F))};
    if (code < 0x10000) return {byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F))};
    return {byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 0x3F)), byte(0x80 | (code >> 6 & 0x3F)),
            byte(0x80 | (code & 0x3F))};
}

/// What terminals act upon, and what changes how a line reads.
const std::vector<std::uint32_t> kDangerous = {
    0x00,   0x07,   0x08,   0x09,   0x0A,   0x0D,   0x1B,   0x1F,   0x7F,   0x80,   0x85,    0x90,    0x9B,
    0x9D,   0x9F,   0xAD,   0x61C,  0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A, 0x202B,  0x202C,  0x202D,
    0x202E, 0x2060, 0x2066, 0x2067, 0x2068, 0x2069, 0x206F, 0xFEFF, 0xFFF9, 0xFFFB, 0xE0001, 0xE0041, 0xE007F};

TEST(IsUtf8, FollowsTheStandard) {
    for (const char* good :
         {"", "a", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
        EXPECT_TRUE(is_utf8(good));
    for (const char* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                            "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "a\xff"})
        EXPECT_FALSE(is_utf8(bad)) << bad;
}

TEST(Printable, KeepsWhatShowsAsItself) {
    for (const char* text :
         {"", "plain", "it's \\x0a", "Größe 日本 → …", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac"}) {
        EXPECT_EQ(printable(text), text);
        EXPECT_TRUE(is_printable(text));
    }
}

TEST(Printable, EscapesWhatTerminalsActUpon) {
    EXPECT_EQ(printable("a\nb\tc\rd"), "a\\nb\\tc\\rd");
    EXPECT_EQ(printable("\x1b[31m\x7f"), "\\x1b[31m\\x7f");
    EXPECT_EQ(printable("\xc2\x9b"
                        "31m"),
              "\\u009b31m");
    EXPECT_EQ(printable("\xe2\x80\xae"), "\\u202e");
    EXPECT_EQ(printable("\xf3\xa0\x81\x81"), "\\U000e0041");
    EXPECT_EQ(printable("caf\xe9!"), "caf\\xe9!");
    for (std::uint32_t code : kDangerous) {
        const std::string character = utf8(code);
        EXPECT_FALSE(is_printable(character)) << code;
        EXPECT_TRUE(is_printable(printable("a" + character + "b"))) << code;
    }
}

TEST(Printable, IsDoneOnce) {
    for (std::uint32_t code = 0; code < 0x3000; ++code) {
        const std::string once = printable(utf8(code));
        ASSERT_EQ(printable(once), once) << code;
    }
}

TEST(PrintableJson, SaysWhatTheDocumentSaid) {
    nlohmann::json document;
    for (std::uint32_t code : kDangerous) document[utf8(code)] = {"a" + utf8(code), 1};
    const std::string shown = printable_json(document.dump(2));
    EXPECT_EQ(nlohmann::json::parse(shown), document);
    for (std::size_t at = 0; at < shown.size();) {
        const std::size_t end = std::min(shown.find('\n', at), shown.size());
        EXPECT_TRUE(is_printable(shown.substr(at, end - at)));
        at = end + 1;
    }
}

TEST(ValidUtf8, KeepsAllButWhatIsNone) { EXPECT_EQ(valid_utf8("a\x1b\n\xff\xc3\xa4"), "a\x1b\n\\xff\xc3\xa4"); }

}  // namespace
}  // namespace parity::driver
