#pragma once

#include <span>
#include <string_view>

#include "driver/model/error.h"

namespace parity::driver {

/// What is done about a failure of a table.
enum class Remedy {
    kReconnect,    ///< connect anew, prove that the servers are the same ones, then begin the table again
    kNewSnapshot,  ///< begin the table again under a new pair of snapshots
    kNone,         ///< the table fails: another attempt would fail in the same way, or what failed is our own check
};

/// A row of the table of failures.
struct FailureRule {
    std::string_view sqlstate;  ///< all five characters, or the two of a class; empty: a connection that broke
    Remedy remedy;
    std::string_view meaning;  ///< what happened, for people
};

/// Every failure that has a remedy; all others have none. A rule about one SQLSTATE goes before that about its class.
std::span<const FailureRule> failure_rules();

/// What is done about a failure: what the table of failures says of its SQLSTATE. Failures of our own have no remedy,
/// nor has a connection to another server than the one that was named.
Remedy remedy_for(const Error& error);

}  // namespace parity::driver
