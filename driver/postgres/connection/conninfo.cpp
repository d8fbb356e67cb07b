#include "driver/postgres/connection/conninfo.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include <fmt/core.h>
#include <libpq-fe.h>

#include "driver/model/error.h"

namespace parity::driver {

namespace {

using ConninfoOptions = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

[[noreturn]] void refuse_conninfo(std::string_view server, const std::string& reason, const std::string& hint) {
    throw Error(ErrorKind::kUsage, fmt::format("invalid connection string for the {}: {}", server, reason), hint);
}

ConninfoOptions parse(std::string_view server, const std::string& conninfo) {
    char* message = nullptr;
    ConninfoOptions options(PQconninfoParse(conninfo.c_str(), &message), &PQconninfoFree);
    if (options) return options;
    const std::string reason = without_quoted_parts(message ? message : "out of memory");
    PQfreemem(message);
    refuse_conninfo(server, reason, "quote values that hold spaces, and percent-encode special characters in URIs");
}

std::string_view value_of(const PQconninfoOption* options, std::string_view keyword) {
    for (; options->keyword; ++options) {
        if (keyword == options->keyword && options->val) return options->val;
    }
    return {};
}

std::string_view environment_of(const PQconninfoOption* options, std::string_view keyword) {
    for (; options->keyword; ++options) {
        if (keyword != options->keyword || !options->envvar) continue;
        const char* value = std::getenv(options->envvar);
        return value ? value : "";
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
void check_database_name(std::string_view server, std::string_view name) {
    if (name.find('@') == std::string_view::npos) return;
    refuse_conninfo(server, "neither a URI nor keywords and values", "a URI begins with postgresql://");
}

/// What tells databases apart, in the order in which it is shown.
constexpr std::array<std::string_view, 6> kAddressKeywords = {"service", "host", "hostaddr", "port", "dbname", "user"};

bool is_connection_string(std::string_view text) {
    return text.starts_with("postgresql://") || text.starts_with("postgres://") ||
           text.find('=') != std::string_view::npos;
}

/// A value as a connection string has it.
std::string quoted_value(std::string_view value) {
    if (!value.empty() && value.find_first_of(" '\\\t\n") == std::string_view::npos) return std::string(value);
    std::string quoted = "'";
    for (char c : value) {
        if (c == '\'' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + "'";
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

std::string describe_conninfo(const std::string& conninfo) {
    const std::string whole =
        is_connection_string(conninfo) || conninfo.empty() ? conninfo : "dbname=" + quoted_value(conninfo);
    const ConninfoOptions options = parse("database", whole);
    std::string description;
    for (std::string_view keyword : kAddressKeywords) {
        std::string_view value = value_of(options.get(), keyword);
        if (value.empty()) value = environment_of(options.get(), keyword);
        if (value.empty()) continue;
        if (!description.empty()) description += ' ';
        description += fmt::format("{}={}", keyword, quoted_value(value));
    }
    return description.empty() ? "defaults" : description;
}

std::string without_quoted_parts(std::string_view message) {
    const std::size_t first = message.find('"');
    const std::size_t last = message.rfind('"');
    if (first == std::string_view::npos) return one_line(message);
    return one_line(fmt::format("{}\"…\"{}", message.substr(0, first), message.substr(last + 1)));
}

void check_conninfo(std::string_view server, const std::string& conninfo) {
    const bool is_uri = conninfo.starts_with("postgresql://") || conninfo.starts_with("postgres://");
    if (!is_connection_string(conninfo)) {
        check_database_name(server, conninfo);
        return;
    }
    const ConninfoOptions options = parse(server, conninfo);
    if (is_uri && has_stray_at(conninfo)) {
        refuse_conninfo(server, "misplaced \"@\" in the URI",
                        "percent-encode special characters, as in %40 for \"@\" and %2F for \"/\"");
    }
    if (value_of(options.get(), "port").find_first_not_of("0123456789, ") != std::string_view::npos) {
        refuse_conninfo(server, "invalid port number",
                        "percent-encode special characters in the user's name and password");
    }
    const std::string_view database = value_of(options.get(), "dbname");
    if (database.find("://") != std::string_view::npos)
        refuse_conninfo(server, "a URI stands where the database's name should",
                        "a URI is a connection string by itself");
}

}  // namespace parity::driver
