#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "driver/model/error.h"

namespace parity::driver {

/// What is done about a failure of a table.
enum class Remedy {
    kReconnect,    ///< connect anew, prove that the servers are the same ones, then begin the table again
    kNewSnapshot,  ///< begin the table again under a new pair of snapshots
    kFallBack,     ///< the same, and the side asks less of its server: FailureRule::steps
    kStopSide,     ///< the table fails, and no other one is begun: every one would burden the server in the same way
    kDeadLetter,   ///< something cannot be read: the table is read again around it
    kNone,         ///< the table fails: another attempt would fail in the same way, or what failed is our own check
};

/// How a side may ask less of its server, in the order in which that is tried. Each is tried once.
enum class FallBackStep : std::uint8_t {
    kFewerWorkers,   ///< half as many parallel workers, or connections of a stream
    kSpans,          ///< the table in spans, or those that are left in halves: each takes less memory and time
    kFewerRanges,    ///< fewer key ranges on both sides, whose sums take less memory
    kOneConnection,  ///< no parallel workers, or one connection of a stream
    kAggregate,      ///< the server's executor reads, and not the extension's scan
    kStream,         ///< rows are streamed, and not digested by the extension; only with --fall-back-to-stream
};

inline constexpr FallBackStep kFallBackSteps[] = {FallBackStep::kFewerWorkers, FallBackStep::kSpans,
                                                  FallBackStep::kFewerRanges,  FallBackStep::kOneConnection,
                                                  FallBackStep::kAggregate,    FallBackStep::kStream};

/// A set of such steps.
class FallBackSteps {
  public:
    constexpr FallBackSteps(std::initializer_list<FallBackStep> steps) {
        for (const FallBackStep step : steps) add(step);
    }
    constexpr bool contains(FallBackStep step) const { return (bits_ & bit(step)) != 0; }
    constexpr void add(FallBackStep step) { bits_ = static_cast<std::uint8_t>(bits_ | bit(step)); }
    constexpr bool empty() const { return bits_ == 0; }

  private:
    static constexpr std::uint8_t bit(FallBackStep step) {
        return static_cast<std::uint8_t>(1U << static_cast<unsigned>(step));
    }
    std::uint8_t bits_ = 0;
};

/// A row of the table of failures.
struct FailureRule {
    std::string_view sqlstate;  ///< all five characters, or the two of a class; empty: a connection that broke
    Remedy remedy;
    std::string_view meaning;                 ///< what happened, for people
    ErrorCause cause = ErrorCause::kUnknown;  ///< only failures with this cause; kUnknown: with any
    FallBackSteps steps{};                    ///< of Remedy::kFallBack; of kNewSnapshot, what is done beside it
};

/// Every failure that has a remedy; all others have none. A rule about one cause goes before that about any, and one
/// about one SQLSTATE before that about its class.
std::span<const FailureRule> failure_rules();

/// The rule about a failure. Failures of our own have none, nor has a connection to another server than the one that
/// was named.
/// Returns: nullptr where there is none.
const FailureRule* rule_for(const Error& error);

/// What is done about a failure, by its rule.
Remedy remedy_for(const Error& error);

/// Whether the same attempt, made again later, may succeed.
bool may_pass(const Error& error);

}  // namespace parity::driver
