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
    EXPECT_EQ(show_value(Form::kText, "it's a \\n"), "'it''s a \\\\n'");
    EXPECT_EQ(show_value(Form::kBytes, "\\x0a"), "\\x0a");
}

/// What prints it escapes the rest, once.
TEST(ShowValue, IsPrintableOnOneLineAfterwards) {
    EXPECT_EQ(printable(show_value(Form::kText, "it's\ta \\ two\nlines\r\x1b[31m\x7f")),
              "'it''s\\ta \\\\ two\\nlines\\r\\x1b[31m\\x7f'");
    EXPECT_EQ(printable(show_value(Form::kText, "\xc2\x9b")), "'\\u009b'") << "a C1 control character";
    EXPECT_EQ(printable(show_value(Form::kText, "Größe 日本")), "'Größe 日本'");
    EXPECT_EQ(printable(show_value(Form::kText, "caf\xe9")), "'caf\\xe9'");
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
