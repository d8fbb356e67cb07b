#include "driver/postgres/connection/locked.h"

#include <cctype>

#include <fmt/format.h>

#include "core/ascii.h"
#include "driver/postgres/queries/catalog.h"
#include "driver/postgres/queries/session.h"

namespace parity::driver {

namespace {

bool is_of_name(char c) { return core::is_digit(c) || c == '_' || std::isalpha(static_cast<unsigned char>(c)) != 0; }

/// A statement up to its first constant or comment, where a value may stand that the report's readers must not see.
std::string without_values(std::string_view statement) {
    for (std::size_t i = 0; i < statement.size(); ++i) {
        const std::string_view here = statement.substr(i);
        const bool in_name = i > 0 && is_of_name(statement[i - 1]);
        if (here[0] != '\'' && here[0] != '$' && !here.starts_with("--") && !here.starts_with("/*") &&
            (in_name || !core::is_digit(here[0])))
            continue;
        return std::string(statement.substr(0, i)) + "…";
    }
    return std::string(statement);
}

/// A row of exclusively_locked_query() or blockers_query(). A prepared transaction has no process.
std::string describe_locker(const Result& result, int row) {
    if (result.is_null(row, 1)) return "a prepared transaction (pg_prepared_xacts)";
    std::string session = fmt::format("pid {}", result.text(row, 1));
    std::vector<std::string> about;
    if (!result.is_null(row, 2)) about.push_back(fmt::format("user {}", result.text(row, 2)));
    if (!result.is_null(row, 3) && !result.text(row, 3).empty()) about.emplace_back(result.text(row, 3));
    if (!about.empty()) session += fmt::format(" ({})", fmt::join(about, ", "));
    if (!result.is_null(row, 4)) session += fmt::format(", in a transaction of {} s", result.text(row, 4));
    if (!result.is_null(row, 5) && !result.text(row, 5).empty()) session += ": " + without_values(result.text(row, 5));
    return session;
}

std::vector<LockedRelation> read(Connection& connection, const Query& query) {
    const Result result = connection.query(query.sql, query.parameters);
    std::vector<LockedRelation> locked;
    for (int row = 0; row < result.rows(); ++row)
        locked.push_back({result.number<std::uint32_t>(row, 0), describe_locker(result, row)});
    return locked;
}

}  // namespace

std::vector<LockedRelation> read_locked(Connection& connection, const std::vector<std::uint32_t>& oids) {
    return read(connection, exclusively_locked_query(oids));
}

std::vector<LockedRelation> read_locked_below(Connection& connection, std::uint32_t oid) {
    return read(connection, exclusively_locked_below_query(oid));
}

std::vector<std::string> read_blockers(Connection& connection, std::int32_t backend) {
    const Query query = blockers_query(backend);
    const Result result = connection.query(query.sql, query.parameters);
    std::vector<std::string> blockers;
    for (int row = 0; row < result.rows(); ++row) blockers.push_back(describe_locker(result, row));
    return blockers;
}

}  // namespace parity::driver
