#include "driver/postgres/catalog/extension_condition.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include <fmt/core.h>

#include "core/ascii.h"
#include "driver/postgres/queries/filter_check.h"
#include "driver/text/display_name.h"

namespace parity::driver {
namespace {

constexpr std::string_view kConditionBlanks = " \t\n\r\f\v";

/// What a parenthesis may stand behind: keywords, and functions that only look at their arguments.
constexpr std::array<std::string_view, 36> kBeforeParenthesis{
    "all",      "and",  "any",    "as",       "between",   "btrim",  "case", "cast",     "char_length",
    "coalesce", "else", "from",   "greatest", "ilike",     "in",     "is",   "least",    "left",
    "length",   "like", "lower",  "ltrim",    "not",       "nullif", "or",   "position", "right",
    "rtrim",    "some", "strpos", "substr",   "substring", "then",   "trim", "upper",    "when"};

constexpr std::array<std::string_view, 9> kNeverAllowed{"select",   "with",  "table", "values", "exists",
                                                        "operator", "array", "row",   "uescape"};

bool is_word_of_condition(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || (c & 0x80); }

std::string lower(std::string_view text) {
    std::string lowered(text);
    for (char& c : lowered)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lowered;
}

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = std::min(text.find_first_not_of(kConditionBlanks), text.size());
    const std::size_t end = text.find_last_not_of(kConditionBlanks);
    return end == std::string_view::npos ? std::string_view() : text.substr(begin, end + 1 - begin);
}

template <typename List>
bool contains(const List& list, std::string_view element) {
    return std::find(list.begin(), list.end(), element) != list.end();
}

struct Token {
    enum class Kind { kWord, kQuotedName, kString, kNumber, kSign } kind;
    std::string text;  ///< a word in lower case, a name without its quotes
};

/// The tokens of a text whose quotations are closed.
std::vector<Token> tokens_of(std::string_view text) {
    std::vector<Token> tokens;
    while (!(text = trimmed(text)).empty()) {
        const char c = text.front();
        std::size_t length = 1;
        if (c == '\'' || c == '"') {
            std::string inside;
            for (; length < text.size(); ++length) {
                if (text[length] == c && !(length + 1 < text.size() && text[length + 1] == c)) break;
                length += text[length] == c;
                inside += text[length];
            }
            ++length;
            tokens.push_back({c == '"' ? Token::Kind::kQuotedName : Token::Kind::kString, inside});
        } else if (core::is_digit(c)) {
            while (length < text.size() && (core::is_digit(text[length]) || text[length] == '.')) ++length;
            tokens.push_back({Token::Kind::kNumber, std::string(text.substr(0, length))});
        } else if (is_word_of_condition(c)) {
            while (length < text.size() && is_word_of_condition(text[length])) ++length;
            tokens.push_back({Token::Kind::kWord, lower(text.substr(0, length))});
        } else {
            tokens.push_back({Token::Kind::kSign, std::string(1, c)});
        }
        text.remove_prefix(std::min(length, text.size()));
    }
    return tokens;
}

bool is_sign(const std::vector<Token>& tokens, std::size_t at, std::string_view sign) {
    return at < tokens.size() && tokens[at].kind == Token::Kind::kSign && tokens[at].text == sign;
}

bool is_name(const std::vector<Token>& tokens, std::size_t at) {
    return at < tokens.size() && (tokens[at].kind == Token::Kind::kWord || tokens[at].kind == Token::Kind::kQuotedName);
}

/// "(a).b" calls b where a has no such part.
bool takes_part(const std::vector<Token>& tokens, std::size_t at) {
    return is_sign(tokens, at, ".") && is_name(tokens, at + 1) && (at == 0 || !is_name(tokens, at - 1));
}

/// Whether a string begins there, which makes a type of the name before it: "a.b 'x'", "a.b E'x'".
bool is_string(const std::vector<Token>& tokens, std::size_t at) {
    const auto starts = [&](std::size_t i) { return i < tokens.size() && tokens[i].kind == Token::Kind::kString; };
    if (starts(at)) return true;
    if (at >= tokens.size() || tokens[at].kind != Token::Kind::kWord) return false;
    if (tokens[at].text == "u") return is_sign(tokens, at + 1, "&");
    return (tokens[at].text == "e" || tokens[at].text == "n") && starts(at + 1);
}

/// The table's name before a point may as well be that of a schema, whose functions and types are others'. Only where
/// neither a function nor a type can stand it is the table's, and a column follows.
std::optional<std::string> refuse_qualified(const std::vector<Token>& tokens, std::size_t at) {
    const std::string name = at + 2 < tokens.size() ? tokens[at + 2].text : std::string();
    if (is_sign(tokens, at + 3, "(")) return fmt::format("it calls {}", display_name(name));
    const bool after_as = at > 0 && tokens[at - 1].kind == Token::Kind::kWord && tokens[at - 1].text == "as";
    if (after_as || (at > 0 && is_sign(tokens, at - 1, ":")) || is_string(tokens, at + 3))
        return fmt::format("it names a type in {}", display_name(tokens[at].text));
    return std::nullopt;
}

std::optional<std::string> refuse_name(const std::vector<Token>& tokens, std::size_t at, const std::string& table,
                                       const std::vector<std::string>& of_other_types) {
    const Token& token = tokens[at];
    const bool quoted = token.kind == Token::Kind::kQuotedName, qualifies = is_sign(tokens, at + 1, ".");
    if (!quoted && contains(kNeverAllowed, token.text)) return fmt::format("it has the word \"{}\"", token.text);
    if (is_sign(tokens, at + 1, "(") && (quoted || !contains(kBeforeParenthesis, token.text)))
        return fmt::format("it calls {}", display_name(token.text));
    if (qualifies && token.text != table && token.text != "pg_catalog")
        return fmt::format("it names something in {}", display_name(token.text));
    if (qualifies && token.text == table)
        if (auto reason = refuse_qualified(tokens, at)) return reason;
    if (!qualifies && token.text == table) return "it is about whole rows";
    if (contains(of_other_types, token.text))
        return fmt::format("column {} is of a type that is not PostgreSQL's own", display_name(token.text));
    return std::nullopt;
}

std::optional<std::string> refuse(std::string_view expression, const std::string& table,
                                  const std::vector<std::string>& of_other_types) {
    if (const auto reason = why_not_one_expression(expression)) return reason;
    for (std::string_view other : {"--", "/*", "\\", "$"})
        if (expression.find(other) != std::string_view::npos) return fmt::format("it has \"{}\" in it", other);
    const std::vector<Token> tokens = tokens_of(expression);
    for (std::size_t at = 0; at < tokens.size(); ++at) {
        if (takes_part(tokens, at)) return "it takes a part of a value";
        if (!is_name(tokens, at)) continue;
        if (auto reason = refuse_name(tokens, at, table, of_other_types)) return reason;
    }
    return std::nullopt;
}

}  // namespace

ExtensionCondition read_extension_condition(std::string_view text, const std::string& table,
                                            const std::vector<std::string>& of_other_types) {
    constexpr std::string_view kWhere = "where";
    text = trimmed(text);
    if (text.empty()) return {};
    const std::string_view rest = trimmed(text.substr(std::min(kWhere.size(), text.size())));
    const bool is_clause = lower(text.substr(0, kWhere.size())) == kWhere && !rest.empty() &&
                           !is_word_of_condition(text[kWhere.size()]) && text[kWhere.size()] != '$';
    if (!is_clause) return {{}, "it is not a WHERE clause"};
    if (auto reason = refuse(rest, table, of_other_types)) return {{}, *reason};
    return {std::string(rest), {}};
}

}  // namespace parity::driver
