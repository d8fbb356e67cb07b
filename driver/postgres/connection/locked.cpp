#include "driver/postgres/connection/locked.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <fmt/format.h>

#include "core/ascii.h"
#include "driver/model/sqlstates.h"
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

/// Each once, even where it has several of the relations.
std::vector<std::string> lockers(Connection& connection, const Query& query) {
    const Result result = connection.query(query.sql, query.parameters);
    std::vector<std::string> described;
    for (int row = 0; row < result.rows(); ++row) {
        std::string locker = describe_locker(result, row);
        if (std::find(described.begin(), described.end(), locker) == described.end())
            described.push_back(std::move(locker));
    }
    return described;
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

std::vector<std::string> read_blockers(Connection& connection, std::int32_t backend) {
    return lockers(connection, blockers_query(backend));
}

/// "Process 4711 waits for AccessShareLock on relation 16384 of database 5; blocked by process 4712.", a line for each.
std::vector<std::int32_t> deadlocked_processes(std::string_view detail) {
    constexpr std::string_view kDigits = "0123456789";
    std::vector<std::int32_t> processes;
    while (!detail.empty()) {
        const std::string_view line = detail.substr(0, detail.find('\n'));
        detail.remove_prefix(std::min(detail.size(), line.size() + 1));
        const std::size_t at = line.find_first_of(kDigits);
        if (at == std::string_view::npos) continue;
        std::int32_t process = 0;
        if (std::from_chars(line.data() + at, line.data() + line.size(), process).ec == std::errc())
            processes.push_back(process);
    }
    return processes;
}

bool may_name_lockers(const Error& error) {
    const bool is_of_locks = error.sqlstate() == kLockNotAvailable || error.sqlstate() == kDeadlockDetected;
    return is_of_locks && error.cause() != ErrorCause::kNamedLocker;
}

Error name_lockers(Connection& connection, std::uint32_t oid, const Error& error) {
    if (!may_name_lockers(error)) return error;
    const bool is_deadlock = error.sqlstate() == kDeadlockDetected;
    const std::vector<std::string> found =
        lockers(connection, is_deadlock ? processes_query(error.processes()) : exclusively_locked_below_query(oid));
    if (found.empty()) return error;
    return Error(error.kind(),
                 is_deadlock ? fmt::format("{}: with {}", error.what(), fmt::join(found, ", and with "))
                             : fmt::format("{}: it is locked by {}", error.what(), fmt::join(found, ", and by ")),
                 error.hint(), error.server(), error.sqlstate(), error.by_server_itself())
        .because(ErrorCause::kNamedLocker);
}

}  // namespace parity::driver
