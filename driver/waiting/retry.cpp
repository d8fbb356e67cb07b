#include "driver/waiting/retry.h"

#include <algorithm>
#include <array>

#include "driver/model/sqlstates.h"

namespace parity::driver {
namespace {

constexpr std::size_t kClassLength = 2;

/// All of them: what is short is memory, whoever takes it.
constexpr FallBackSteps kEveryStep{FallBackStep::kFewerWorkers,  FallBackStep::kSpans,     FallBackStep::kFewerRanges,
                                   FallBackStep::kOneConnection, FallBackStep::kAggregate, FallBackStep::kStream};
/// What has a limit may be what spans need, too.
constexpr FallBackSteps kAnyStep{FallBackStep::kFewerWorkers, FallBackStep::kFewerRanges, FallBackStep::kOneConnection,
                                 FallBackStep::kAggregate, FallBackStep::kStream};
/// Under snapshots that last for less.
constexpr FallBackSteps kHalves{FallBackStep::kSpans};
/// Only parallel workers take it.
constexpr FallBackSteps kWithoutWorkers{FallBackStep::kFewerWorkers, FallBackStep::kOneConnection};
/// Fewer workers would only take longer. A stream reads a table by many statements.
constexpr FallBackSteps kShorterStatements{FallBackStep::kStream};
/// What one way of reading lacks another one may have, however many workers it has.
constexpr FallBackSteps kOtherWays{FallBackStep::kAggregate, FallBackStep::kStream};

constexpr std::array kFailureRules = {
    FailureRule{"", Remedy::kReconnect,
                "the connection broke, nobody answers at the address, or a server was silent for --stall-timeout"},
    FailureRule{"08", Remedy::kReconnect, "a connection failed, the server's own to another one included"},
    FailureRule{kAdminShutdown, Remedy::kReconnect, "the server is shut down, or somebody ended the session"},
    FailureRule{kCrashShutdown, Remedy::kReconnect, "another session of the server crashed"},
    FailureRule{kCannotConnectNow, Remedy::kReconnect, "the server starts, stops or recovers"},
    FailureRule{kTooManyConnections, Remedy::kReconnect,
                "the server, the database or the role has no connection left; fewer tables are compared at a time"},
    FailureRule{kDiskFull, Remedy::kFallBack, "the memory that parallel workers share is full (/dev/shm)",
                ErrorCause::kSharedMemory, kWithoutWorkers},
    FailureRule{kDiskFull, Remedy::kStopSide, "a disk of the server is full"},
    FailureRule{kInsufficientResources, Remedy::kFallBack, "the server is out of memory, or of another resource",
                ErrorCause::kUnknown, kEveryStep},
    FailureRule{kProgramLimitExceeded, Remedy::kFallBack,
                "the digests do not fit into parity.max_digest_memory, or another limit of a program was reached",
                ErrorCause::kUnknown, kAnyStep},
    FailureRule{kFeatureNotSupported, Remedy::kFallBack, "the server cannot do what was asked for",
                ErrorCause::kUnknown, kOtherWays},
    FailureRule{kQueryCanceled, Remedy::kFallBack, "the statement ran for --statement-timeout", ErrorCause::kOwnTimeout,
                kShorterStatements},
    FailureRule{kIdleInTransactionTimeout, Remedy::kReconnect, "the server ended a session that was idle"},
    FailureRule{kTransactionTimeout, Remedy::kReconnect, "the server ended a session whose transaction took long"},
    FailureRule{kIdleSessionTimeout, Remedy::kReconnect, "the server ended a session that was idle"},
    FailureRule{kSerializationFailure, Remedy::kNewSnapshot, "replay on a standby ended the query or the session",
                ErrorCause::kRecoveryConflict, kHalves},
    FailureRule{kSerializationFailure, Remedy::kNewSnapshot, "the table was rewritten after the snapshot was taken"},
    FailureRule{kDeadlockDetected, Remedy::kNewSnapshot, "two sessions waited for each other's locks"},
    FailureRule{kLockNotAvailable, Remedy::kNewSnapshot, "the lock could not be had within --lock-timeout"},
    FailureRule{kDataCorrupted, Remedy::kDeadLetter, "a block, a row or a stored value is damaged"},
    FailureRule{kIndexCorrupted, Remedy::kDeadLetter, "an index is damaged"},
    FailureRule{kUndefinedFile, Remedy::kDeadLetter, "a file is missing that something in the table refers to"},
    FailureRule{kDataException, Remedy::kDeadLetter,
                "a value cannot be read as what it should be, as bytes that are no text"},
};

/// Whether the answer of a server, or that there is none, is what the rules are about.
bool is_of_server(const Error& error) {
    return error.kind() == ErrorKind::kServer || error.kind() == ErrorKind::kConnection;
}

bool is_about(const FailureRule& rule, const Error& error) {
    if (rule.cause != ErrorCause::kUnknown && rule.cause != error.cause()) return false;
    if (rule.sqlstate.size() == kClassLength) return error.sqlstate().starts_with(rule.sqlstate);
    return error.sqlstate() == rule.sqlstate;
}

}  // namespace

std::span<const FailureRule> failure_rules() { return kFailureRules; }

const FailureRule* rule_for(const Error& error) {
    if (!is_of_server(error)) return nullptr;
    if (error.sqlstate().empty() && error.kind() != ErrorKind::kConnection) return nullptr;
    const auto* rule = std::find_if(kFailureRules.begin(), kFailureRules.end(),
                                    [&](const FailureRule& each) { return is_about(each, error); });
    return rule == kFailureRules.end() ? nullptr : rule;
}

Remedy remedy_for(const Error& error) {
    const FailureRule* rule = rule_for(error);
    return rule ? rule->remedy : Remedy::kNone;
}

bool may_pass(const Error& error) {
    const Remedy remedy = remedy_for(error);
    return remedy == Remedy::kReconnect || remedy == Remedy::kNewSnapshot;
}

}  // namespace parity::driver
