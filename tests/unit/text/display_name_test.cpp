#include "driver/text/display_name.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "driver/text/printable.h"

namespace parity::driver {
namespace {

TEST(DisplayName, QuotesWhereSqlNeedsIt) {
    EXPECT_EQ(display_name(QualifiedName{"public", "orders_2"}), "public.orders_2");
    EXPECT_EQ(display_name(QualifiedName{"public", "orders_2$"}), "public.\"orders_2$\"");
    EXPECT_EQ(display_name(QualifiedName{"public", "order"}), "public.\"order\"");
    EXPECT_EQ(exact_name(QualifiedName{"between", "name"}), "\"between\".name")
        << "name is a keyword that needs no quotes";
    EXPECT_EQ(display_name(QualifiedName{"My Schema", "a\"b"}), "\"My Schema\".\"a\"\"b\"");
    EXPECT_EQ(display_name("2nd"), "\"2nd\"");
    EXPECT_EQ(display_name(""), "\"\"");
}

TEST(DisplayName, SpellsWhatIsNotPrintableAsSqlDoes) {
    EXPECT_EQ(display_name("a\nb"), "U&\"a\\000ab\"");
    EXPECT_EQ(display_name("a\\\x1b\"b"), "U&\"a\\\\\\001b\"\"b\"");
    EXPECT_EQ(display_name("\xe2\x80\xaeRLO"), "U&\"\\202eRLO\"");
    EXPECT_EQ(display_name("\xf3\xa0\x81\x81"), "U&\"\\+0e0041\"");
    EXPECT_EQ(display_name("a\\x0ab"), "\"a\\x0ab\"") << "a backslash by itself is a plain character";
    EXPECT_EQ(display_name("a\xff\n\\"), "E\"a\\xff\\n\\\\\"");
}

TEST(DisplayName, ShowsBothNamesWhereTheyDiffer) {
    const QualifiedName a{"public", "a"}, b{"public", "b"}, none;
    EXPECT_EQ(display_name(Both<QualifiedName>{a, a}), "public.a");
    EXPECT_EQ(display_name(Both<QualifiedName>{a, b}), "public.a → public.b");
    EXPECT_EQ(display_name(Both<QualifiedName>{a, none}), "public.a");
    EXPECT_EQ(display_name(Both<QualifiedName>{none, b}), "public.b");
    EXPECT_EQ(exact_name(Both<QualifiedName>{a, b}), "public.a → public.b");
}

TEST(ExactName, HoldsTheCharacters) {
    EXPECT_EQ(exact_name(QualifiedName{"public", "a\n\"b"}), "public.\"a\n\"\"b\"");
    EXPECT_EQ(exact_name("a\xff"), "E\"a\\xff\"");
    EXPECT_EQ(bare_name("a\n\"b"), "a\n\"b");
    EXPECT_EQ(bare_name("a\xff"), "E\"a\\xff\"");
    EXPECT_EQ(bare_name("E\"a\\xff\""), "E\"E\"\"a\\\\xff\"\"\"");
}

/// Made of pieces that look like each other's spelling.
std::string confusing_name(std::mt19937& random) {
    static const std::vector<std::string> kPieces = {"a",    "\n",     "\\n",   "\\x0a",        "\\000a",  "\"",
                                                     "\"\"", ".",      "\".\"", "U&",           "U&\"",    "E\"",
                                                     "\\",   "\xff",   "\\xff", "\xe2\x80\xae", "\\u202e", "\\202e",
                                                     " ",    "public", "→",     "\x1b",         "'",       "\xc2\x9b"};
    std::string name;
    for (auto length = random() % 4; length > 0; --length) name += kPieces[random() % kPieces.size()];
    return name + (random() % 2 == 0 ? "" : "b");
}

TEST(Names, HaveASpellingOfTheirOwn) {
    std::mt19937 random(20261);
    std::map<std::string, QualifiedName> displayed_as, exact_as, shown_as;
    std::map<std::string, std::string> bare_as;
    for (int i = 0; i < 200'000; ++i) {
        const QualifiedName name{confusing_name(random), confusing_name(random)};
        const std::string shown = display_name(name);
        ASSERT_TRUE(is_printable(shown)) << shown;
        ASSERT_EQ(displayed_as.emplace(shown, name).first->second, name) << shown;
        ASSERT_EQ(shown_as.emplace(printable(shown), name).first->second, name) << shown;
        const std::string exact = exact_name(name);
        ASSERT_TRUE(is_utf8(exact)) << exact;
        ASSERT_EQ(exact_as.emplace(exact, name).first->second, name) << exact;
        ASSERT_EQ(displayed(exact), shown) << exact;
        const std::string bare = bare_name(name.name);
        ASSERT_EQ(bare_as.emplace(bare, name.name).first->second, name.name) << bare;
    }
}

}  // namespace
}  // namespace parity::driver
