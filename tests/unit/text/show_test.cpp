#include "driver/text/show.h"

#include <gtest/gtest.h>

#include "core/bytes.h"
#include "driver/model/error.h"
#include "driver/text/printable.h"
#include "tests/support/key_bounds.h"

namespace parity::driver {
namespace {

using core::Form;
using test::int_frame;

std::string text_frame(const std::string& text) {
    std::string frame(5, '\1');
    core::store_le(reinterpret_cast<std::uint8_t*>(&frame[1]), static_cast<std::uint32_t>(text.size()));
    return frame + text;
}

ColumnPlan key_column(const std::string& name, const std::string& form) { return {{name, name}, form, true}; }

TEST(Forms, RefusesUnknownNames) { EXPECT_THROW(forms_of({key_column("a", "nonesuch")}), Error); }

TEST(ShowKey, NamesColumnsAndValues) {
    EXPECT_EQ(show_key({key_column("id", "int")}, int_frame(17)), "(id)=(17)");
    EXPECT_EQ(show_key({key_column("id", "int"), key_column("Odd \"name\"", "text")}, int_frame(17) + text_frame("x")),
              "(id, \"Odd \"\"name\"\"\")=(17, 'x')");
}

TEST(ShowBound, NamesTheColumnsThatItHas) {
    const std::vector<ColumnPlan> key{key_column("id", "int"), key_column("day", "text")};
    EXPECT_EQ(show_bound(key, "k" + int_frame(17)), "(id)=(17)");
    EXPECT_EQ(show_bound(key, "k" + int_frame(17) + text_frame("x")), "(id, day)=(17, 'x')");
    EXPECT_THROW(show_bound(key, "k" + int_frame(17) + text_frame("x") + "y"), Error);
}

TEST(ShowValue, TellsNullTheEmptyTextAndTheWordNullApart) {
    EXPECT_EQ(show_value(Form::kText, std::nullopt), "NULL");
    EXPECT_EQ(show_value(Form::kText, ""), "''");
    EXPECT_EQ(show_value(Form::kText, "NULL"), "'NULL'");
}

TEST(ShowValue, QuotesByForm) {
    EXPECT_EQ(show_value(Form::kDecimal, "1.00"), "1.00");
    EXPECT_EQ(show_value(Form::kJson, "{}"), "'{}'");
    EXPECT_EQ(show_value(core::array_of(Form::kInt), "{1,NULL}"), "'{1,NULL}'");
}

TEST(ShowValue, DoublesQuotesAndBackslashesOfTexts) {
    EXPECT_EQ(show_value(Form::kText, "it's"), "'it''s'");
    EXPECT_EQ(show_value(Form::kText, "it's a \\n"), "E'it''s a \\\\n'");
    EXPECT_EQ(show_value(Form::kBytes, "\\x0a"), "\\x0a");
}

/// What prints it escapes the rest, once.
TEST(ShowValue, IsPrintableOnOneLineAfterwards) {
    EXPECT_EQ(printable(show_value(Form::kText, "it's\ta \\ two\nlines\r\x1b[31m\x7f")),
              "E'it''s\\ta \\\\ two\\nlines\\r\\x1b[31m\\x7f'");
    EXPECT_EQ(printable(show_value(Form::kText, "\xc2\x9b")), "E'\\u009b'") << "a C1 control character";
    EXPECT_EQ(printable(show_value(Form::kText, "Größe 日本")), "'Größe 日本'");
    EXPECT_EQ(printable(show_value(Form::kText, "caf\xe9")), "E'caf\\xe9'");
}

TEST(ShowValue, QuotesWhatSqlNeedsToHaveQuoted) {
    EXPECT_EQ(show_value(Form::kRange, "[2024-03-19,2024-03-21)"), "'[2024-03-19,2024-03-21)'");
    EXPECT_EQ(show_value(Form::kPoint, "(1,2)"), "'(1,2)'");
    EXPECT_EQ(show_value(Form::kBits, ""), "''");
    EXPECT_EQ(show_value(Form::kBits, "0101"), "0101");
    EXPECT_EQ(show_value(Form::kTimestamp, "2024-03-19 12:00:00"), "2024-03-19 12:00:00");
    EXPECT_EQ(show_value(Form::kUnsigned, "16/B374D848"), "16/B374D848");
}

TEST(ShowValue, EscapesBlanksAndMarksThatAreNotSeen) {
    EXPECT_EQ(show_value(Form::kText, "10\u00a0km"), "E'10\\u00a0km'");
    EXPECT_EQ(show_value(Form::kText, "cafe\u0301"), "E'cafe\\u0301'");
    EXPECT_EQ(show_value(Form::kText, "Größe, Привет, 東京"), "'Größe, Привет, 東京'");
}

std::string both(const std::string& source, const std::string& target, Form form = Form::kText) {
    const Both<std::string> shown = show_values(form, {ShownValue(source), ShownValue(target)});
    return shown.source + " | " + shown.target;
}

TEST(ShowValues, TellsApartWhatPrintsAlike) {
    EXPECT_EQ(both("café", "cafe\u0301"), "'café' | E'cafe\\u0301'");
    EXPECT_EQ(both("name", "na\u200bme"), "'name' | E'na\\u200bme'");
    EXPECT_EQ(both("x", "x "), "'x' | 'x '");
    EXPECT_EQ(both("A", "\u0410"), "'A' | E'\\u0410'");
    EXPECT_EQ(both("dash-", "dash\u2010"), "'dash-' | E'dash\\u2010'");
    EXPECT_EQ(both("tab", "tab\r\n"), "'tab' | E'tab\\r\\n'");
    EXPECT_EQ(both("\u2126", "\u03a9"), "E'\\u2126' | 'Ω'");
    EXPECT_EQ(both("Ａ1", "A1"), "E'\\uff211' | 'A1'");
}

TEST(ShowValues, LeavesWhatIsSeenToDiffer) {
    EXPECT_EQ(both("Москва", "Moskva"), "'Москва' | 'Moskva'");
    EXPECT_EQ(both("a\u2013b", "a\u2013c"), "'a–b' | 'a–c'");
    EXPECT_EQ(both("東京", "大阪"), "'東京' | '大阪'");
    EXPECT_EQ(both("Ä", "Ö"), "'Ä' | 'Ö'");
}

TEST(ShowValues, OnlyTheDifferenceIsEscaped) {
    EXPECT_EQ(both("Москва – Омск", "М\u006fсква – Омск"), "E'М\\u043eсква – Омск' | 'Мoсква – Омск'");
}

TEST(ShowValues, SayWhereTheDifferenceWasNotRead) {
    const std::string beginning(200, 'a');
    const Both<std::string> shown =
        show_values(Form::kText, {ShownValue(beginning, 70'000), ShownValue(beginning, 70'001)});
    EXPECT_TRUE(shown.source.ends_with("a'… (70000 bytes, the first 200 the same)")) << shown.source;
    EXPECT_TRUE(shown.target.ends_with("a'… (70001 bytes, the first 200 the same)")) << shown.target;
}

TEST(ShowValues, NullsAreBare) {
    const Both<std::string> shown = show_values(Form::kText, {std::nullopt, ShownValue("x")});
    EXPECT_EQ(shown.source + " | " + shown.target, "NULL | 'x'");
}

/// Of texts of any length, wherever they differ.
TEST(ShowValues, TheFirstDifferenceIsInTheWindow) {
    for (const std::size_t at : {0, 50, 79, 80, 81, 119, 120, 121, 500, 4000, 4999}) {
        std::string source(5000, 'a'), target = source;
        target[at] = 'Z';
        const Both<std::string> shown = show_values(Form::kText, {ShownValue(source), ShownValue(target)});
        EXPECT_NE(shown.target.find('Z'), std::string::npos) << at << ": " << shown.target;
        EXPECT_NE(shown.source, shown.target) << at;
        EXPECT_LT(shown.target.size(), 220U);
    }
    std::string longer(300, 'a');
    EXPECT_TRUE(both(longer, longer + "b").find("b' (301 bytes, from byte 260 on)") != std::string::npos)
        << both(longer, longer + "b");
    std::string text;
    for (int i = 0; i < 100; ++i) text += "日";
    EXPECT_TRUE(is_utf8(both(text + "本", text + "木")));
}

TEST(ShowValue, CutsLongValuesAtACharacter) {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "日";
    const std::string shown = show_value(Form::kText, text);
    EXPECT_TRUE(shown.ends_with("日'… (300 bytes)")) << shown;
    EXPECT_TRUE(is_utf8(shown));
    EXPECT_LT(shown.size(), 150U);
}

}  // namespace
}  // namespace parity::driver
