#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "driver/digests/ranges.h"
#include "driver/digests/tiling.h"
#include "driver/engine/heap.h"
#include "driver/model/dead_letter.h"
#include "driver/model/error.h"
#include "driver/salvage/damage.h"
#include "driver/salvage/place_reader.h"
#include "driver/salvage/row_survey.h"
#include "driver/salvage/survey_log.h"

namespace parity::driver {

/// What of a table can be read.
struct SurveyedPlaces {
    std::vector<HeapPlace> places;
    std::vector<PartialRow> partial_rows;  ///< besides
};

/// Finds out which places of a table can be read, and adds up their digests: ranges of blocks are halved where they
/// cannot be read, then the lines of a block, and a row that cannot be read is looked at by columns. The parts cover
/// all blocks and all lines, which is checked.
class PlaceSurvey {
  public:
    /// Requires: rows have places (HeapReader::parts()), and all of them outlive this.
    PlaceSurvey(PlaceReader& reader, Damage& damage, const RangeList& ranges);

    /// Throws: Error, as when the first part failed, where nothing can be read at all.
    void run();

    SurveyedPlaces take_readable() { return std::move(readable_); }
    /// Of the ranges that were asked for.
    std::vector<RangeDigests> take_digests() { return std::move(total_); }

  private:
    void survey_part(std::size_t part);
    void survey_blocks(std::size_t part, std::int64_t first, std::int64_t end);
    void survey_block(std::size_t part, std::int64_t block);
    void survey_lines(std::size_t part, std::int64_t block, int first, int end, std::vector<int>& readable);
    void survey_row(const HeapPlace& place, const Error& failure);

    std::optional<Error> read(const HeapPlace& place);
    void cover(std::int64_t block, int line, std::int64_t end_block, int end_line);
    void add_blocks(const HeapPlace& place);
    DeadLetter letter_at(std::size_t part, std::int64_t block, int line) const;

    PlaceReader& reader_;
    HeapReader& heap_;
    Damage& damage_;
    const RangeList& ranges_;
    SurveyLog log_;
    RowSurvey rows_;
    std::optional<Tiling> tiling_;  ///< of the part that is being read, in line pointers
    SurveyedPlaces readable_;
    std::vector<RangeDigests> total_;
};

}  // namespace parity::driver
