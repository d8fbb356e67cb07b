#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "driver/model/error.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/waiting/retry.h"

namespace parity::driver {

/// How a table is read after failures for want of something: memory, time, a feature. The side that failed asks less of
/// its server with each step (FallBackStep); the other side goes on as it did, but for the number of ranges, which both
/// share. Sums of an attempt that failed count for nothing: each attempt digests everything under snapshots of its own,
/// and under the same forms on both sides. So a stream, which has no jsonb_raw, makes both sides leave out that first
/// pass.
///
/// The executor and a stream plan queries with this role's rights. So a table is not read by them if that may run its
/// owner's code (TablePlan::must_run_no_code).
class FallBack {
  public:
    /// As SpanCourse::halve(). None: the table is not read in spans.
    using HalveSpans = std::function<std::optional<std::string>()>;

    /// Takes the next step that may help against the failure. `halve` does FallBackStep::kSpans.
    /// Returns: what is different from now on, for people; nothing where no step is left.
    std::optional<std::string> take_step(const Options& options, const TablePlan& table, const Error& failure,
                                         const HalveSpans& halve = {});

    /// The table as it is to be read now. `table` is the plan of the run.
    TablePlan adapted(const TablePlan& table, bool run_owners_code) const;

    /// Remembers how an attempt read the table.
    void add_paths(const TablePlan& adapted, const Both<std::string>& taken);

    /// Tells in the table's result which steps were taken and, where it has a path, all of them.
    void tell(TableResult& result) const;

  private:
    struct SideCourse {
        FallBackSteps taken{};
        ReadingManner manner;
        std::vector<std::string> paths;  ///< each once
    };

    std::optional<std::string> apply(FallBackStep step, const Options& options, const TablePlan& table, Side side,
                                     const HalveSpans& halve);
    std::optional<std::string> take_workers(bool none, const Options& options, const TablePlan& table, Side side);
    std::optional<std::string> take_fewer_ranges(const TablePlan& table);

    Both<SideCourse> sides_;
    std::optional<int> ranges_;
    std::vector<std::string> notes_;
};

}  // namespace parity::driver
