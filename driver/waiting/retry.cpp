#include "driver/waiting/retry.h"

#include <algorithm>
#include <array>

#include "driver/model/sqlstates.h"

namespace parity::driver {
namespace {

constexpr std::size_t kClassLength = 2;

constexpr std::array kFailureRules = {
    FailureRule{"", Remedy::kReconnect,
                "the connection broke, nobody answers at the address, or a server was silent for --stall-timeout"},
    FailureRule{"08", Remedy::kReconnect, "a connection failed, the server's own to another one included"},
    FailureRule{kAdminShutdown, Remedy::kReconnect, "the server is shut down, or somebody ended the session"},
    FailureRule{kCrashShutdown, Remedy::kReconnect, "another session of the server crashed"},
    FailureRule{kCannotConnectNow, Remedy::kReconnect, "the server starts, stops or recovers"},
    FailureRule{kTooManyConnections, Remedy::kReconnect, "the server, the database or the role has no connection left"},
    FailureRule{kIdleInTransactionTimeout, Remedy::kReconnect, "the server ended a session that was idle"},
    FailureRule{kTransactionTimeout, Remedy::kReconnect, "the server ended a session whose transaction took long"},
    FailureRule{kIdleSessionTimeout, Remedy::kReconnect, "the server ended a session that was idle"},
    FailureRule{kSerializationFailure, Remedy::kNewSnapshot,
                "the table was rewritten after the snapshot was taken, or replay on a standby ended the query"},
    FailureRule{kDeadlockDetected, Remedy::kNewSnapshot, "two sessions waited for each other's locks"},
    FailureRule{kLockNotAvailable, Remedy::kNewSnapshot, "the lock could not be had within --lock-timeout"},
};

/// Whether the answer of a server, or that there is none, is what the rules are about.
bool is_of_server(const Error& error) {
    return error.kind() == ErrorKind::kServer || error.kind() == ErrorKind::kConnection;
}

bool is_about(const FailureRule& rule, std::string_view sqlstate) {
    if (rule.sqlstate.size() == kClassLength) return sqlstate.starts_with(rule.sqlstate);
    return sqlstate == rule.sqlstate;
}

}  // namespace

std::span<const FailureRule> failure_rules() { return kFailureRules; }

Remedy remedy_for(const Error& error) {
    if (!is_of_server(error)) return Remedy::kNone;
    if (error.sqlstate().empty() && error.kind() != ErrorKind::kConnection) return Remedy::kNone;
    const auto* rule = std::find_if(kFailureRules.begin(), kFailureRules.end(),
                                    [&](const FailureRule& each) { return is_about(each, error.sqlstate()); });
    return rule == kFailureRules.end() ? Remedy::kNone : rule->remedy;
}

}  // namespace parity::driver
