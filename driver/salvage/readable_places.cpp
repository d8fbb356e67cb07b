#include "driver/salvage/readable_places.h"

#include <cstdint>
#include <utility>

#include "driver/engine/memory.h"

namespace parity::driver {

std::vector<RangeDigests> ReadablePlaces::digest(const RangeList& ranges) {
    if (!readable_) {
        PlaceSurvey survey(reader_, damage_, ranges);
        survey.run();
        readable_ = survey.take_readable();
        return survey.take_digests();
    }
    std::vector<RangeDigests> total = reader_.digest_nothing(ranges);
    for (const HeapPlace& place : readable_->places) add_digests(total, reader_.digest(&place, ranges));
    for (const PartialRow& partial : readable_->partial_rows)
        reader_.partial_row(partial, ranges, [&](const RowDigest& row) { reader_.add_row(total, row); });
    return total;
}

std::unique_ptr<RowSource> ReadablePlaces::rows(const RangeList& ranges) {
    sorter_ = std::make_unique<RowSorter>(kSorterBytes);
    sorted_ranges_ = ranges;
    std::uint32_t part = 0;
    const PlaceReader::TakeRow add = [&](const RowDigest& row) { sorter_->add(row, {part, {}}); };
    for (const HeapPlace& place : readable_->places) {
        reader_.rows(&place, ranges, add);
        ++part;
    }
    for (const PartialRow& partial : readable_->partial_rows) {
        reader_.partial_row(partial, ranges, add);
        ++part;
    }
    return sorter_->sorted();
}

void ReadablePlaces::values(const std::vector<std::string>& keys, const TakeValues& take) {
    for (const auto& [part, of_part] : keys_by_part(*sorter_, keys)) {
        const bool is_place = part < readable_->places.size();
        if (is_place)
            reader_.values(&readable_->places[part], sorted_ranges_, of_part, take);
        else
            reader_.partial_values(readable_->partial_rows[part - readable_->places.size()], sorted_ranges_, of_part,
                                   take);
    }
}

}  // namespace parity::driver
