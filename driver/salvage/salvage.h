#pragma once

#include <memory>
#include <string>
#include <vector>

#include "driver/digests/ranges.h"
#include "driver/digests/unread_rows.h"
#include "driver/engine/server.h"
#include "driver/engine/table_reader.h"
#include "driver/model/dead_letter.h"
#include "driver/model/plan.h"
#include "driver/salvage/damage.h"
#include "driver/salvage/dead_letter_count.h"
#include "driver/salvage/place_reader.h"
#include "driver/salvage/readable_rows.h"

namespace parity::driver {

/// Reads one side of a table around what cannot be read.
///
/// The first pass finds out what that is: it reads the table by its blocks and divides what fails (place_survey.h), or,
/// where rows have no places, as those of a view, by the ranges of keys that were asked for (readable_ranges.h). Later
/// passes read what could be read then.
class Salvage {
  public:
    /// Requires: the session's transaction on `table` is open, and all of it outlives this.
    Salvage(ServerSession& session, const TablePlan& table, const TableReaderSettings& settings,
            DeadLetterCount& count);

    /// Reads what can be read. It knows no buckets, and leaves out no columns.
    /// Requires: this outlives it.
    std::unique_ptr<TableReader> reader();

    /// Asks the key's index in which of these divergent ranges of the first pass what was not read may be.
    void find_unread(const std::vector<std::string>& bounds, const std::vector<DivergentRange>& divergent);

    /// What was not read, as far as the other side's rows are concerned.
    /// Requires: find_unread() has returned.
    const UnreadRows& unread() const { return damage_.unread(); }

    /// Every place that could not be read. The count is theirs from now on.
    std::vector<DeadLetter> take_letters() { return damage_.take_places(); }

    std::vector<std::string> notes() const;

  private:
    friend class SalvageReader;

    std::vector<std::string> split(int ranges);

    Damage damage_;
    PlaceReader places_;
    const std::unique_ptr<ReadableRows> readable_;
    std::vector<std::string> notes_;
};

}  // namespace parity::driver
