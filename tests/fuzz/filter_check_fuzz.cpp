#include <string>

#include "driver/postgres/queries/filter_check.h"
#include "tests/fuzz/fuzz_input.h"

/// The check that a filter stays within its parentheses. Input: the filter.
namespace parity::fuzz {
namespace {

bool accepted(const std::string& text) { return !driver::why_not_one_expression(text); }

/// Longer filters are not looked at from each of their characters.
constexpr std::size_t kMaxPrefixes = 256;

/// Whether what comes next is within a comment: in no other place a quote may be left open.
bool ends_in_comment(const std::string& text) { return accepted(text + "'"); }

/// Behind a part that is an expression itself there is nothing that a parenthesis could close.
bool closes_too_early(const std::string& filter) {
    for (std::size_t at = filter.find_first_of(")];"); at < filter.size(); at = filter.find_first_of(")];", at + 1)) {
        const std::string before = filter.substr(0, at);
        if (accepted(before) && !ends_in_comment(before)) return true;
    }
    return false;
}

/// The text with a mark before each quote and backslash.
std::string escaped(const std::string& text, char before_quote) {
    std::string made;
    for (const char c : text) {
        if (c == '\'' || c == '\\') made += c == '\'' ? before_quote : '\\';
        made += c;
    }
    return made;
}

/// Any text can be written as a literal with escapes. Of one without quotes the backslashes at its end decide whether
/// the quote behind it is one of its characters; they do not where a literal has no escapes.
void check_escapes(const std::string& text) {
    for (const char before_quote : {'\'', '\\'}) {
        const std::string literal = "E'" + escaped(text, before_quote) + "'";
        require(accepted(literal), "an escaped text ends its literal nowhere");
        require(!accepted(literal + ")") && !accepted(literal + "'"), "an escaped text does not hide what follows");
    }
    std::string plain = text;
    std::erase(plain, '\'');
    const std::size_t backslashes = plain.size() - (plain.find_last_not_of('\\') + 1);
    for (const char* start : {"e'", "E'", "1e'", "E'x'\n'", "E'x' -- y\n'"})
        require(accepted(start + plain + "'") == (backslashes % 2 == 0), "a backslash escapes a quote");
    for (const char* start : {"'", "xe'", "E'x' '", "'x'\n'", "N'", "\"e\"'"})
        require(accepted(start + plain + "'"), "a backslash escapes nothing");
}

/// A line's end before what is added ends a comment, in which nothing would count.
void run(const std::string& filter) {
    check_escapes(filter);
    if (!accepted(filter)) return;
    if (filter.size() <= kMaxPrefixes)
        require(!closes_too_early(filter), "no parenthesis is closed that was not opened");
    require(!accepted(filter + "\n)"), "a parenthesis behind a filter is outside of it");
    require(!accepted(filter + "\n;"), "a semicolon behind a filter is outside of it");
    require(!accepted("(" + filter), "a parenthesis before a filter is not closed by it");
    require(accepted("(" + filter + "\n)"), "a filter between parentheses is an expression");
    require(!accepted("(" + filter + "\n))"), "a filter between parentheses opens no other");
    require(accepted("1 " + filter + "\n,2"), "a filter may have others beside it");
}

}  // namespace
}  // namespace parity::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    parity::fuzz::run(std::string(reinterpret_cast<const char*>(data), size));
    return 0;
}
