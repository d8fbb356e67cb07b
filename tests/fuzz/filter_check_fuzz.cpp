#include <string>

#include "driver/filter_check.h"
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

/// A line's end before what is added ends a comment, in which nothing would count.
void run(const std::string& filter) {
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
