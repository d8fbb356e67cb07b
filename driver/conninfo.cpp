#include "driver/conninfo.h"

#include <algorithm>
#include <memory>

#include <fmt/core.h>
#include <libpq-fe.h>

#include "driver/error.h"

namespace parity::driver {

namespace {

using ConninfoOptions = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

[[noreturn]] void refuse(Side side, const std::string& reason, const std::string& hint) {
    throw Error(ErrorKind::kUsage, fmt::format("invalid connection string for the {}: {}", side_name(side), reason),
                hint);
}

ConninfoOptions parse(Side side, const std::string& conninfo) {
    char* message = nullptr;
    ConninfoOptions options(PQconninfoParse(conninfo.c_str(), &message), &PQconninfoFree);
    if (options) return options;
    const std::string reason = without_quoted_parts(message ? message : "out of memory");
    PQfreemem(message);
    refuse(side, reason, "quote values that hold spaces, and percent-encode special characters in URIs");
}

std::string_view value_of(const PQconninfoOption* options, std::string_view keyword) {
    for (; options->keyword; ++options) {
        if (keyword == options->keyword && options->val) return options->val;
    }
    return {};
}

/// Whether the URI has an "@" where libpq does not take it for the end of the user's name and password.
bool has_stray_at(std::string_view uri) {
    const std::string_view rest = uri.substr(uri.find("://") + 3);
    const std::size_t slash = rest.find('/');
    const std::string_view authority = rest.substr(0, slash);
    const std::string_view path = slash == std::string_view::npos ? "" : rest.substr(slash);
    return std::count(authority.begin(), authority.end(), '@') > 1 || path.find('@') != std::string_view::npos;
}

/// libpq takes a string without "=" for the name of a database; it may as well be a URI that lacks its beginning.
void check_database_name(Side side, std::string_view name) {
    if (name.find('@') == std::string_view::npos) return;
    refuse(side, "neither a URI nor keywords and values", "a URI begins with postgresql://");
}

}  // namespace

std::string one_line(std::string_view message) {
    std::string line;
    for (char c : message) {
        if (c != '\n' && c != '\t') {
            line += c;
        } else if (!line.empty() && line.back() != ' ') {
            line += ' ';
        }
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    return line;
}

std::string without_quoted_parts(std::string_view message) {
    const std::size_t first = message.find('"');
    const std::size_t last = message.rfind('"');
    if (first == std::string_view::npos) return one_line(message);
    return one_line(fmt::format("{}\"…\"{}", message.substr(0, first), message.substr(last + 1)));
}

void check_conninfo(Side side, const std::string& conninfo) {
    const bool is_uri = conninfo.starts_with("postgresql://") || conninfo.starts_with("postgres://");
    if (!is_uri && conninfo.find('=') == std::string::npos) {
        check_database_name(side, conninfo);
        return;
    }
    const ConninfoOptions options = parse(side, conninfo);
    if (is_uri && has_stray_at(conninfo)) {
        refuse(side, "misplaced \"@\" in the URI",
               "percent-encode special characters, as in %40 for \"@\" and %2F for \"/\"");
    }
    if (value_of(options.get(), "port").find_first_not_of("0123456789, ") != std::string_view::npos) {
        refuse(side, "invalid port number", "percent-encode special characters in the user's name and password");
    }
}

}  // namespace parity::driver
