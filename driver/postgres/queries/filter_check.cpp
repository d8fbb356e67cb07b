#include "driver/postgres/queries/filter_check.h"

#include <algorithm>
#include <cctype>

#include "core/ascii.h"

namespace parity::driver {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || (c & 0x80); }

/// The vertical tab has been one since PostgreSQL 16.
constexpr std::string_view kBlanks = " \t\n\r\f\v";

/// Walks over the text, one token at a time.
class FilterScanner {
  public:
    explicit FilterScanner(std::string_view text) : rest_(text) {}

    std::optional<std::string> run() {
        while (!rest_.empty())
            if (auto reason = take_token()) return reason;
        return depth_ == 0 ? std::nullopt : std::optional<std::string>("a parenthesis is not closed");
    }

  private:
    std::optional<std::string> take_token() {
        const char c = rest_.front();
        if (rest_.starts_with("--")) return skip_line();
        if (rest_.starts_with("/*")) return skip_comment();
        if (c == '\'' || c == '"') return skip_quoted(c, false);
        if (c == '$') return skip_dollar_quoted();
        if (core::is_digit(c)) return skip_digits();
        if (is_word(c)) return skip_word();
        rest_.remove_prefix(1);
        if (c == '(' || c == '[') ++depth_;
        if ((c == ')' || c == ']') && --depth_ < 0) return "a parenthesis is closed that was not opened";
        if (c == ';') return "a semicolon ends it";
        return std::nullopt;
    }

    std::optional<std::string> skip_line() {
        rest_.remove_prefix(std::min(rest_.find_first_of("\r\n"), rest_.size()));
        return std::nullopt;
    }

    std::optional<std::string> skip_comment() {
        int depth = 0;
        do {
            if (rest_.empty()) return "a comment is not closed";
            const bool opens = rest_.starts_with("/*"), closes = rest_.starts_with("*/");
            depth += opens ? 1 : closes ? -1 : 0;
            rest_.remove_prefix(opens || closes ? 2 : 1);
        } while (depth > 0);
        return std::nullopt;
    }

    /// Doubled quotes are two quoted texts side by side, which comes to the same; only where there are escapes it
    /// matters that a literal goes on behind a line's end.
    std::optional<std::string> skip_quoted(char quote, bool escapes) {
        for (rest_.remove_prefix(1); !rest_.empty() && rest_.front() != quote; rest_.remove_prefix(1))
            if (escapes && rest_.front() == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
        if (rest_.empty()) return "a quotation is not closed";
        rest_.remove_prefix(1);
        if (!escapes || !rest_.substr(gap_in_literal()).starts_with(quote)) return std::nullopt;
        rest_.remove_prefix(gap_in_literal());
        return skip_quoted(quote, true);
    }

    /// The length of the blanks and comments that a literal may be interrupted by, which hold the end of a line; else
    /// 0.
    std::size_t gap_in_literal() const {
        std::size_t length = 0;
        bool line_ended = false;
        while (length < rest_.size()) {
            if (rest_.substr(length).starts_with("--")) {
                length = std::min(rest_.find_first_of("\r\n", length), rest_.size());
            } else if (kBlanks.find(rest_[length]) != std::string_view::npos) {
                line_ended = line_ended || rest_[length] == '\n' || rest_[length] == '\r';
                ++length;
            } else {
                break;
            }
        }
        return line_ended ? length : 0;
    }

    std::optional<std::string> skip_dollar_quoted() {
        const std::size_t end = rest_.find('$', 1);
        const std::string_view tag = rest_.substr(0, end == std::string_view::npos ? 0 : end + 1);
        const bool is_tag =
            !tag.empty() && !core::is_digit(tag[1]) && std::all_of(tag.begin() + 1, tag.end() - 1, is_word);
        if (!is_tag) {
            rest_.remove_prefix(1);
            return std::nullopt;
        }
        const std::size_t close = rest_.find(tag, tag.size());
        if (close == std::string_view::npos) return "a quotation is not closed";
        rest_.remove_prefix(close + tag.size());
        return std::nullopt;
    }

    /// A number ends where its digits do: up to PostgreSQL 14 a word, a literal or a dollar quote may follow at once.
    std::optional<std::string> skip_digits() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of("0123456789"), rest_.size()));
        return std::nullopt;
    }

    std::optional<std::string> skip_word() {
        const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_word);
        const auto length = static_cast<std::size_t>(end - rest_.begin());
        const bool escapes = length == 1 && (rest_.front() == 'e' || rest_.front() == 'E');
        rest_.remove_prefix(length);
        return escapes && rest_.starts_with('\'') ? skip_quoted('\'', true) : std::nullopt;
    }

    std::string_view rest_;
    int depth_ = 0;
};

}  // namespace

std::optional<std::string> why_not_one_expression(std::string_view text) { return FilterScanner(text).run(); }

}  // namespace parity::driver
