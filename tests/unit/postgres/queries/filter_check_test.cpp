#include "driver/postgres/queries/filter_check.h"

#include <gtest/gtest.h>

namespace parity::driver {
namespace {

using namespace std::string_literals;

void expect_fine(const std::string& text) { EXPECT_EQ(why_not_one_expression(text), std::nullopt) << text; }

void expect_refused(const std::string& text, const std::string& reason) {
    const std::optional<std::string> why = why_not_one_expression(text);
    EXPECT_NE(why.value_or("").find(reason), std::string::npos) << text << ": " << why.value_or("accepted");
}

constexpr const char* kOpens = "is closed that was not opened";
constexpr const char* kNotClosed = "is not closed";

TEST(FilterCheck, TakesExpressions) {
    for (const char* text : {"true", "", " ", "a = 1", "(a = 1) OR (b = 2)", "a[1] = 2", "a[b[(1)]] = 2",
                             "f(a, (b), ARRAY[(1)])", "a IN (SELECT (1))", "-a < +1", "a / b * c = 1", "a <@ b",
                             "a -> 'x' ->> 'y' = 'z'", "a = $1", "a::numeric(10, 2) > 1e-5", "a=ANY('{1,2}')"})
        expect_fine(text);
}

TEST(FilterCheck, RefusesParenthesesOfOthers) {
    for (const char* text :
         {")", "true) OR (true", "true) --", "(a)) OR ((b)", "a] OR b[1", "1)\n--\n(", "a = '(') OR ('x' = 'x'"})
        expect_refused(text, kOpens);
    for (const char* text : {"(", "(a = 1", "((a)", "a[1", "f(a, '(')( "}) expect_refused(text, kNotClosed);
}

TEST(FilterCheck, RefusesSemicolons) {
    expect_refused("true; DROP TABLE t", "semicolon");
    expect_refused("f(a; b)", "semicolon");
    expect_fine("a = ';' AND \"b;\" = $$;$$ -- ;\n AND c /* ; */ = 1");
}

TEST(FilterCheck, LooksIntoNoQuotation) {
    for (const char* text :
         {"a = ')'", "a = '('", "a = ''')'", "a = '' || ')'", "\")\" = 1", "\"a\"\")\" = 1", "a = '\\' AND b = ')'",
          "a = $$)$$", "a = $x$ ) $$ ) $y$ $x$", "a = $_1$)$_1$", "a = $\xC3\xA9$)$\xC3\xA9$", "a = B')' AND X'('",
          "a = U&')' AND U&\")\" = 1", "a = N')'", "a = '--' OR (b)", "a = '/*' OR (b)", "a = $$'$$ OR (b)"})
        expect_fine(text);
    for (const char* text :
         {"'", "\"", "a = 'b", "a = ''''' ", "\"a", "\"a\"\"", "$$", "$$ $x$", "$x$ $X$", "$x$ $$", "E'\\'"})
        expect_refused(text, kNotClosed);
    for (const char* text :
         {"a = '\\') OR (true", "a = '') OR (''=''", "\"a\") OR (\"b\" = 1", "a = $$x$$) OR ($$x$$ = b"})
        expect_refused(text, kOpens);
}

TEST(FilterCheck, KnowsEscapesWhereTheyAre) {
    expect_fine("a = E'\\')'");
    expect_fine("a = e'\\\\' OR (b)");
    expect_fine("a = E'\\''')'");
    expect_fine("a=E'x'')'");
    expect_refused("a = E'\\\\') OR (true", kOpens);
    expect_refused("a = fe'\\') OR (true", kOpens);  // a name that ends in e
    expect_refused("a = \"e\"'\\') OR (true", kOpens);
    expect_refused("a = 'x'E'\\\\') OR (true", kOpens);
}

/// Up to PostgreSQL 14 a number ends where its digits do.
TEST(FilterCheck, KnowsLiteralsBehindNumbers) {
    for (const char* text : {"1e'\\')'", "1E'x'')'", "1$a$)$a$", "$1$a$)$a$", "1.5e'\\')'"}) expect_fine(text);
    expect_refused("1e'\\'' ) OR (true --'", kOpens);
    expect_refused("1$a$'$a$) OR (true --'", kOpens);
    expect_refused("x1e'\\') OR (true", kOpens);
    expect_refused("x$1$a$) OR (true", kOpens);
}

/// A literal goes on behind a line's end, and so do its escapes.
TEST(FilterCheck, KnowsEscapesInContinuedLiterals) {
    for (const std::string gap : {"\n", "\r", " \n ", "\t\r\n\f\v", " -- comment ' \n", "\n -- ' \n -- \n "}) {
        expect_fine("a = E'x'" + gap + "'\\')'");
        expect_refused("a = E'x'" + gap + "'\\' || ') OR (true --'", kOpens);
        expect_refused("a = 'x'" + gap + "'\\') OR (true", kOpens);
    }
    for (const std::string gap : {" ", "\t", " /* \n */ "}) expect_refused("a = E'x'" + gap + "'\\') OR (true", kOpens);
    expect_fine("a = E'x'\n");
    expect_fine("a = E'x' -- end");
}

TEST(FilterCheck, LooksIntoNoComment) {
    for (const char* text : {"a -- )", "a --)\n = 1", "a --)\r = 1", "a /* ) */ = 1", "a /* /* ) */ ) */ = 1",
                             "a /*/ ) */ = 1", "a */* ) */ b", "a /**/ = 1", "a /* ' */ = 1", "a -- '\n = 1"})
        expect_fine(text);
    for (const char* text : {"a -- \n) OR (b", "a -- \r) OR (b", "a /* */) OR (b", "a /* /* */ */) OR (b",
                             "a - -1) OR (b", "a / *) OR (b"})
        expect_refused(text, kOpens);
    for (const char* text : {"a /*", "a /* /* */", "a /*/", "true /* \n"})
        expect_refused(text, "comment is not closed");
}

TEST(FilterCheck, KnowsWhereDollarsQuote) {
    expect_refused("a$$) OR (b$$", kOpens);  // part of a name
    expect_refused("$1$) OR ($1$", kOpens);  // a tag begins with no digit
    expect_refused("$a b$) OR ($a b$", kOpens);
    expect_refused("a = $x$ $x$) OR (true", kOpens);
}

}  // namespace
}  // namespace parity::driver
