#include "driver/postgres/connection/connect_failure.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "driver/model/sqlstates.h"
#include "driver/postgres/connection/conninfo.h"

namespace parity::driver {

namespace {

constexpr std::size_t kSqlstateLength = 5;

bool is_sqlstate(std::string_view word) {
    return word.size() == kSqlstateLength && std::all_of(word.begin(), word.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
           });
}

/// Takes "28P01: " out of "…: FATAL:  28P01: password …".
/// Returns: the SQLSTATE, empty where there is none.
std::string take_sqlstate(std::string& line) {
    for (std::size_t at = line.find(":  "); at != std::string::npos; at = line.find(":  ", at + 1)) {
        const std::size_t begin = at + 3, end = begin + kSqlstateLength;
        if (line.compare(end, 2, ": ") != 0 || !is_sqlstate(std::string_view(line).substr(begin, kSqlstateLength)))
            continue;
        std::string sqlstate = line.substr(begin, kSqlstateLength);
        line.erase(begin, kSqlstateLength + 2);
        return sqlstate;
    }
    return {};
}

/// The option that names a server.
std::string option_of(const std::string& server) {
    if (server == "source" || server == "target") return server;
    return server == "state database" ? "state" : "record";
}

/// What to look at next, by what the server said.
std::string next_step(const std::string& server, const ConnectMessage& message, PGconn* conn, bool reached) {
    const std::string& sqlstate = message.sqlstate;
    const std::string option = option_of(server);
    if (message.text.find("definition of service") != std::string::npos)
        return fmt::format("check service in --{}: ~/.pg_service.conf, or the file that PGSERVICEFILE names, has them",
                           option);
    if (sqlstate == kInvalidPassword || PQconnectionNeedsPassword(conn) == 1)
        return fmt::format(
            "check user and password: --{0} \"… user=NAME\", and the password in ~/.pgpass, PGPASSWORD or a service "
            "file",
            option);
    if (sqlstate == kInvalidAuthorization)
        return fmt::format("check the user in --{}, and pg_hba.conf on that server", option);
    if (sqlstate == kInvalidCatalogName)
        return fmt::format("check dbname in --{}; psql -l with the same host and port lists the databases", option);
    if (sqlstate == kInsufficientPrivilege) return "GRANT CONNECT ON DATABASE … TO the role allows it";
    if (sqlstate == kTooManyConnections) return "fewer --jobs and --workers need fewer connections";
    if (sqlstate == kCannotConnectNow) return "try again when the server accepts connections";
    if (message.text.find("not compiled in") != std::string::npos) return {};
    if (sqlstate.empty() && !reached)
        return fmt::format(
            "check host and port in --{}; pg_isready with the same host and port tells whether a server listens",
            option);
    return {};
}

}  // namespace

ConnectMessage read_connect_message(std::string_view message) {
    ConnectMessage read;
    std::string text;
    for (std::size_t begin = 0; begin < message.size();) {
        const std::size_t end = std::min(message.find('\n', begin), message.size());
        std::string line(message.substr(begin, end - begin));
        begin = end + 1;
        if (line.starts_with("LOCATION:  ")) continue;
        if (std::string sqlstate = take_sqlstate(line); !sqlstate.empty()) read.sqlstate = std::move(sqlstate);
        text += line + "\n";
    }
    read.text = one_line(text);
    return read;
}

Error connect_error(const std::string& server, PGconn* conn, bool reached) {
    const ConnectMessage message = read_connect_message(PQerrorMessage(conn));
    // This process has no descriptor left, whatever the server does.
    const bool lacks_descriptors = message.text.find(std::strerror(EMFILE)) != std::string::npos;
    return {lacks_descriptors ? ErrorKind::kResources : ErrorKind::kConnection,
            fmt::format("could not connect to the {}: {}", server, message.text),
            next_step(server, message, conn, reached),
            server,
            message.sqlstate,
            !message.sqlstate.empty()};
}

}  // namespace parity::driver
