#include "driver/options/name_pattern.h"

#include <fmt/core.h>

#include "driver/model/error.h"

namespace parity::driver {

namespace {

bool is_ascii_upper(char c) { return c >= 'A' && c <= 'Z'; }

/// Characters that mean something in a regular expression and are written as they are inside of double quotes.
bool is_special(char c) { return std::string_view("|*+?()[]{}.^$\\").find(c) != std::string_view::npos; }

/// Wildcards outside of quotes: psql's own, and what it hands on to the regular expression.
bool is_wildcard(char c) { return std::string_view("*?+|()[]{}^\\").find(c) != std::string_view::npos; }

struct Part {
    std::string regex;
    bool empty = true;
};

class PatternReader {
  public:
    PatternReader(std::string_view option, std::string_view text) : option_(option), text_(text) {}

    std::vector<Part> read() {
        parts_.emplace_back();
        for (; at_ < text_.size(); ++at_) {
            if (text_[at_] == '"') {
                read_quote();
            } else {
                read_unquoted(text_[at_]);
            }
        }
        if (quoted_) fail("has an unclosed quote");
        for (Part& part : parts_) {
            if (part.empty) fail("has an empty part");
            part.regex = "^(" + part.regex + ")$";
        }
        return std::move(parts_);
    }

    bool exact() const { return exact_; }

    [[noreturn]] void fail(std::string_view what) const {
        throw Error(ErrorKind::kUsage, fmt::format("pattern \"{}\" of {} {}", text_, option_, what));
    }

  private:
    void read_quote() {
        quoted_ = true;
        parts_.back().empty = false;
        for (++at_; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '"' && (at_ + 1 == text_.size() || text_[at_ + 1] != '"')) {
                quoted_ = false;
                return;
            }
            if (c == '"') ++at_;
            append_literal(c);
        }
    }

    void read_unquoted(char c) {
        if (c == '.') {
            parts_.emplace_back();
            return;
        }
        exact_ = exact_ && !is_wildcard(c);
        if (c == '*') {
            append(".*");
        } else if (c == '?') {
            append(".");
        } else if (c == '$') {
            append("\\$");
        } else if (c == '[' && text_.substr(at_ + 1, 1) == "]") {
            append("\\[");  // psql's rule for the names of array types
        } else {
            append(std::string(1, is_ascii_upper(c) ? static_cast<char>(c - 'A' + 'a') : c));
        }
    }

    void append_literal(char c) { append(is_special(c) ? std::string{'\\', c} : std::string(1, c)); }

    void append(std::string_view regex) {
        parts_.back().regex += regex;
        parts_.back().empty = false;
    }

    std::string_view option_;
    std::string_view text_;
    std::size_t at_ = 0;
    bool quoted_ = false;
    bool exact_ = true;
    std::vector<Part> parts_;
};

}  // namespace

NamePattern parse_table_pattern(std::string_view option, std::string_view text) {
    PatternReader reader(option, text);
    std::vector<Part> parts = reader.read();
    if (parts.size() > 3) reader.fail("has too many dotted names");
    NamePattern pattern;
    pattern.text = text;
    pattern.exact = reader.exact();
    pattern.name_regex = parts.back().regex;
    if (parts.size() > 1) pattern.schema_regex = parts[parts.size() - 2].regex;
    if (parts.size() > 2) pattern.database = parts.front().regex;
    return pattern;
}

NamePattern parse_schema_pattern(std::string_view option, std::string_view text) {
    PatternReader reader(option, text);
    std::vector<Part> parts = reader.read();
    if (parts.size() > 1) reader.fail("is not the name of a schema");
    NamePattern pattern;
    pattern.text = text;
    pattern.exact = reader.exact();
    pattern.name_regex = parts.front().regex;
    return pattern;
}

Selection make_selection(const Options& options) {
    Selection selection;
    for (const std::string& text : options.tables) selection.tables.push_back(parse_table_pattern("--table", text));
    for (const std::string& text : options.schemas) selection.schemas.push_back(parse_schema_pattern("--schema", text));
    for (const std::string& text : options.exclude_tables) {
        selection.excluded.push_back(parse_table_pattern("--exclude-table", text));
    }
    return selection;
}

}  // namespace parity::driver
