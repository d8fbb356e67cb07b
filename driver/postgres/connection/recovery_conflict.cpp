#include "driver/postgres/connection/recovery_conflict.h"

#include <fmt/core.h>

#include "driver/model/sqlstates.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/queries/session.h"

namespace parity::driver {
namespace {

std::optional<RecoveryConflict> find_conflict(Session& session, const Error& error) {
    session.end();
    const Result standby = session.connection().query(standby_settings_query().sql);
    if (standby.text(0, 0) != "t") return std::nullopt;
    const bool streams = standby.is_true(0, 1);
    return RecoveryConflict{error.server(), streams ? "max_standby_streaming_delay" : "max_standby_archive_delay",
                            std::string(standby.text(0, streams ? 2 : 3)), std::string(standby.text(0, 4))};
}

}  // namespace

Error conflict_error(const std::string& what, const RecoveryConflict& conflict, int attempts, const Error& error) {
    const std::string hint =
        conflict.feedback == "on"
            ? fmt::format(
                  "let {} on the {} be longer than reading this takes: with hot_standby_feedback on, it is locks "
                  "that conflict, those of DDL and of a VACUUM that truncates",
                  conflict.delay_setting, conflict.server)
            : fmt::format("set hot_standby_feedback = on on the {}, or let {} be longer than reading this takes",
                          conflict.server, conflict.delay_setting);
    return {error.kind(),
            fmt::format("gave {} up after {} {}: the {} is a standby, whose replay ended each of them ({}); {} is "
                        "{} there, hot_standby_feedback is {}",
                        what, attempts, attempts == 1 ? "attempt" : "attempts", conflict.server, error.what(),
                        conflict.delay_setting, conflict.delay, conflict.feedback),
            hint, error.server(), error.sqlstate()};
}

bool may_be_recovery_conflict(const Error& error) {
    return (error.sqlstate() == kSerializationFailure || error.sqlstate() == kDeadlockDetected) &&
           error.by_server_itself();
}

std::optional<Error> explain_conflict(Session& session, const Error& error, const std::string& what, int attempts) {
    const std::optional<RecoveryConflict> conflict = find_conflict(session, error);
    if (!conflict) return std::nullopt;
    return conflict_error(what, *conflict, attempts, error);
}

}  // namespace parity::driver
