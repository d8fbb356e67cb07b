#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "driver/engine/row_sorter.h"
#include "driver/salvage/damage.h"
#include "driver/salvage/place_reader.h"
#include "driver/salvage/place_survey.h"
#include "driver/salvage/readable_rows.h"

namespace parity::driver {

/// A table whose rows have places: what can be read are blocks, lines of others, and columns of single rows.
class ReadablePlaces : public ReadableRows {
  public:
    /// Requires: both outlive this.
    ReadablePlaces(PlaceReader& reader, Damage& damage) : reader_(reader), damage_(damage) {}

    std::vector<RangeDigests> digest(const RangeList& ranges) override;
    std::unique_ptr<RowSource> rows(const RangeList& ranges) override;
    void values(const std::vector<std::string>& keys, const TakeValues& take) override;

  private:
    PlaceReader& reader_;
    Damage& damage_;
    std::optional<SurveyedPlaces> readable_;
    /// The rows that were read last, and of which ranges. Their parts are the places, then the partial rows.
    std::unique_ptr<RowSorter> sorter_;
    RangeList sorted_ranges_;
};

}  // namespace parity::driver
