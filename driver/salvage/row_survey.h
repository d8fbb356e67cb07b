#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/digests/merge.h"
#include "driver/model/dead_letter.h"
#include "driver/model/error.h"
#include "driver/model/plan.h"
#include "driver/salvage/damage.h"
#include "driver/salvage/place_reader.h"
#include "driver/salvage/survey_log.h"

namespace parity::driver {

/// Finds out what of single rows can be read: the key first, then the other columns, which are halved.
class RowSurvey {
  public:
    /// Requires: all of them outlive this.
    RowSurvey(PlaceReader& reader, Damage& damage, SurveyLog& log) : reader_(reader), damage_(damage), log_(log) {}

    /// Looks at the row at a place, which failed to be read as a whole, and notes the damage; `letter` tells the place.
    /// Returns: nothing where its key cannot be read.
    std::optional<PartialRow> survey(const HeapPlace& place, DeadLetter letter, const Error& failure);

  private:
    void lose(const HeapPlace& place, DeadLetter letter, const Error& failure);
    std::string unreadable_key_column(const HeapPlace& place);
    void find_unreadable(const HeapPlace& place, const std::vector<int>& columns, const DeadLetter& letter,
                         std::vector<int>& unreadable);
    std::optional<RowDigest> read(const TablePlan& table, const HeapPlace& place);

    PlaceReader& reader_;
    Damage& damage_;
    SurveyLog& log_;
};

}  // namespace parity::driver
