#pragma once

#include <string_view>

#include "driver/model/error.h"

/// The SQLSTATEs that the driver knows by name: those it acts on, and those it gives.
namespace parity::driver {

// What a server may answer.
inline constexpr std::string_view kSerializationFailure = "40001";  ///< also of a query that replay cancelled
inline constexpr std::string_view kDeadlockDetected = "40P01";      ///< also between a query and replay
inline constexpr std::string_view kLockNotAvailable = "55P03";
inline constexpr std::string_view kQueryCanceled = "57014";  ///< also by statement_timeout
inline constexpr std::string_view kInsufficientPrivilege = "42501";
inline constexpr std::string_view kUndefinedTable = "42P01";
inline constexpr std::string_view kUndefinedColumn = "42703";
inline constexpr std::string_view kUndefinedObject = "42704";
inline constexpr std::string_view kUndefinedSchema = "3F000";
inline constexpr std::string_view kInvalidRegularExpression = "2201B";
inline constexpr std::string_view kObjectNotInPrerequisiteState = "55000";
inline constexpr std::string_view kFeatureNotSupported = "0A000";
inline constexpr std::string_view kProgramLimitExceeded = "54000";
inline constexpr std::string_view kInternalError = "XX000";
inline constexpr std::string_view kDataCorrupted = "XX001";
inline constexpr std::string_view kIndexCorrupted = "XX002";
inline constexpr std::string_view kUndefinedFile = "58P01";         ///< also of a transaction's state
inline constexpr std::string_view kInvalidPassword = "28P01";       ///< of a connection, as the next four
inline constexpr std::string_view kInvalidAuthorization = "28000";  ///< such as no such role, or no line of pg_hba.conf
inline constexpr std::string_view kInvalidCatalogName = "3D000";    ///< no such database
inline constexpr std::string_view kInsufficientResources = "53";    ///< a class: memory, disks, connections
inline constexpr std::string_view kDiskFull = "53100";
inline constexpr std::string_view kTooManyConnections = "53300";
inline constexpr std::string_view kCannotConnectNow = "57P03";
inline constexpr std::string_view kAdminShutdown = "57P01";  ///< ends a session, as the next four
inline constexpr std::string_view kCrashShutdown = "57P02";
inline constexpr std::string_view kIdleInTransactionTimeout = "25P03";
inline constexpr std::string_view kTransactionTimeout = "25P04";
inline constexpr std::string_view kIdleSessionTimeout = "57P05";
inline constexpr std::string_view kProgressReport = "PP001";  ///< of the extension's notices
inline constexpr std::string_view kIndexLacksRows = "PP004";  ///< of the extension's reading by blocks, as the next one
inline constexpr std::string_view kIndexChanged = "PP005";    ///< other spans were read through another index

inline constexpr std::string_view kDataException = "22";  ///< the class of the next four

// What a value is refused with that a form cannot hold, as a server would.
inline constexpr std::string_view kNumericValueOutOfRange = "22003";
inline constexpr std::string_view kDatetimeFieldOverflow = "22008";
inline constexpr std::string_view kInvalidTextRepresentation = "22P02";
inline constexpr std::string_view kUntranslatableCharacter = "22P05";

/// How often a snapshot is taken before what was to be counted under it is given up.
inline constexpr int kSnapshotAttempts = 3;

/// Whether another transaction with a new snapshot may cure the failure.
inline bool is_snapshot_failure(const Error& error) {
    return error.sqlstate() == kSerializationFailure || error.sqlstate() == kLockNotAvailable;
}

}  // namespace parity::driver
