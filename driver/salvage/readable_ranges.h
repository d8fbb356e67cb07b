#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "driver/engine/row_sorter.h"
#include "driver/salvage/damage.h"
#include "driver/salvage/place_reader.h"
#include "driver/salvage/readable_rows.h"
#include "driver/salvage/survey_log.h"

namespace parity::driver {

/// A table whose rows have no places, as a view: what can be read are ranges of keys, those of the division that was
/// digested last.
class ReadableRanges : public ReadableRows {
  public:
    /// Requires: both outlive this.
    ReadableRanges(PlaceReader& reader, Damage& damage) : reader_(reader), damage_(damage) {}

    std::vector<RangeDigests> digest(const RangeList& ranges) override;
    std::unique_ptr<RowSource> rows(const RangeList& ranges) override;
    void values(const std::vector<std::string>& keys, const TakeValues& take) override;

  private:
    /// The ranges with numbers[first … end − 1]: all at once, or else halves of them.
    void survey(const RangeList& ranges, const std::vector<std::int32_t>& numbers, std::size_t first, std::size_t end,
                SurveyLog& log, std::vector<RangeDigests>& total);
    void lose(const RangeList& ranges, std::int32_t number, const Error& error);
    RangeList readable_of(const RangeList& ranges) const;

    PlaceReader& reader_;
    Damage& damage_;
    std::set<std::int32_t> lost_;
    std::unique_ptr<RowSorter> sorter_;
    RangeList sorted_ranges_;
};

}  // namespace parity::driver
