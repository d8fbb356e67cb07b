#pragma once

#include <optional>
#include <string>

#include "driver/model/error.h"
#include "driver/postgres/connection/session.h"

/// What replay on a standby ends: a reading under a snapshot that replay has to go past.
namespace parity::driver {

/// What a standby says about itself when its replay has cancelled a reading.
struct RecoveryConflict {
    std::string server;         ///< "source" or "target"
    std::string delay_setting;  ///< the one that counts there: max_standby_streaming_delay or max_standby_archive_delay
    std::string delay;          ///< its value, with its unit
    std::string feedback;       ///< hot_standby_feedback: "on" or "off"
};

/// The last word on `what` ("table \"public.t\"", "the catalogs") after so many attempts, with the values of the
/// settings that decide.
Error conflict_error(const std::string& what, const RecoveryConflict& conflict, int attempts, const Error& error);

/// Whether it may be that: 40001 or 40P01, from the server itself, not from the extension, which has 40001 for a table
/// that was rewritten. The message says nothing, as it may be in any language.
bool may_be_recovery_conflict(const Error& error);

/// Where the session's server is in recovery: conflict_error() with its settings. The session's transaction is ended.
/// Requires: the session is connected; its transaction may have failed.
/// Returns: nothing where the server is not in recovery.
std::optional<Error> explain_conflict(Session& session, const Error& error, const std::string& what, int attempts);

}  // namespace parity::driver
