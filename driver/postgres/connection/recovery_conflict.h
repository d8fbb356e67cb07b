#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "driver/model/error.h"
#include "driver/postgres/connection/session.h"

namespace parity::driver {

/// How often something is read anew where replay on a standby cancels the reading, before it is given up.
inline constexpr int kConflictAttempts = 5;

/// What a standby says about itself when its replay has cancelled a reading.
struct RecoveryConflict {
    std::string server;         ///< "source" or "target"
    std::string delay_setting;  ///< the one that counts there: max_standby_streaming_delay or max_standby_archive_delay
    std::string delay;          ///< its value, with its unit
    std::string feedback;       ///< hot_standby_feedback: "on" or "off"
};

/// Whether it may be that: 40001 or 40P01, from the server itself, not from the extension, which has 40001 for a table
/// that was rewritten. The message says nothing, as it may be in any language.
bool may_be_recovery_conflict(const Error& error);

/// The conflict, where the session's server is in recovery. The session must be connected, its transaction may be
/// failed: it is ended.
std::optional<RecoveryConflict> recovery_conflict(Session& session, const Error& error);

/// How long to wait before the next attempt, so that replay can catch up: twice as long each time.
std::chrono::milliseconds conflict_pause(int conflicts);

/// The last word on `what` ("table \"public.t\"", "the catalogs"), with the values of the settings that decide.
Error conflict_error(const std::string& what, const RecoveryConflict& conflict, int attempts, const Error& error);

}  // namespace parity::driver
