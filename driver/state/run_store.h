#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "driver/model/sides.h"
#include "driver/model/span.h"
#include "driver/state/findings.h"

namespace parity::driver {

/// What is kept of a unit's course. Only kDone counts as compared.
enum class UnitState {
    kPending = 0,  ///< nothing is known of it
    kDone = 1,     ///< compared, with or without divergences
    kFailed = 2,   ///< the last attempt failed; what it showed of what differs is kept
};

/// A unit of a run, in the order of the units' numbers: a table, or a span of one. The job says where the table stood
/// in the plan when the run began. Unit 0 is the table; where it is compared in spans, they are units 1 and so on, in
/// the order in which they were made, and have its findings. Blobs are run_codec.h's.
struct UnitRow {
    std::int64_t job = 0;
    std::int64_t unit = 0;
    Span span{};               ///< of all keys, where the unit is a table
    std::int64_t attempt = 0;  ///< how often it was begun
    UnitState state = UnitState::kPending;
    std::string plan;       ///< what was compared with what
    std::string position;   ///< as of when, on each side; empty before it is done
    std::string result;     ///< empty before it is done or failed
    Both<std::string> lsn;  ///< of the snapshots, for people who look into the state
};

/// What is kept of a run as a whole. Blobs are run_codec.h's.
struct RunRow {
    std::string program;        ///< the version that began it
    std::int64_t began_us = 0;  ///< microseconds since 1970
    std::int64_t saved_us = 0;  ///< when something was kept last, also since 1970
    std::string request;        ///< what was asked for
    std::string head;           ///< what the report says of the run as a whole, as far as it is known
};

/// Hands each finding of a unit to `take`, in the order of their places.
using GiveFindings = std::function<void(const std::function<void(const StoredFinding&)>& take)>;

/// Where a run is kept while it goes on, so that it can be continued however it ended. What one call writes is there
/// as a whole or not at all. Thread-safe.
/// Throws: Error{kOutput} where something cannot be written to a file, Error{kUsage} where what is there cannot be read,
/// Error{kConnection} and Error{kServer} where a server keeps the run and fails.
class RunStore {
  public:
    virtual ~RunStore() = default;

    /// What messages call it. It tells nothing of a connection string.
    virtual std::string name() const = 0;

    /// Tells `warn` what whoever runs the comparison should know: now, and as it goes on.
    virtual void warn_by(std::function<void(const std::string&)> warn) { static_cast<void>(warn); }

    /// Returns: nothing where no run was begun in it.
    virtual std::optional<RunRow> read_run() = 0;

    /// Keeps a run that begins, and all of its units as pending.
    virtual void begin_run(const RunRow& run, const std::function<bool(UnitRow& unit)>& next_unit) = 0;

    /// Keeps what the report says of the run as a whole.
    virtual void save_head(const std::string& head) = 0;

    /// The run goes on: keeps what the report says of it as a whole, and, without touching findings, what these units
    /// are now. Units that are `gone` are forgotten with their findings.
    virtual void continue_run(const std::string& head, const std::vector<UnitRow>& units,
                              const std::vector<std::int64_t>& gone_jobs) = 0;

    virtual void for_each_unit(const std::function<void(const UnitRow& unit)>& take) = 0;

    /// Replaces what is kept of a unit, with all of its findings. Of a table, `spans` replace what is kept of its
    /// spans, with their findings, too; nothing: they stay.
    virtual void save_unit(const UnitRow& unit, const GiveFindings& findings,
                           const std::optional<std::vector<UnitRow>>& spans) = 0;

    /// Keeps what these units are now, of which none has findings. There is one at least.
    virtual void save_units(const std::vector<UnitRow>& units) = 0;

    virtual void for_each_finding(std::int64_t job, std::int64_t unit,
                                  const std::function<void(const StoredFinding&)>& take) = 0;
};

}  // namespace parity::driver
