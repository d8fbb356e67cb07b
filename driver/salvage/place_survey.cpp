#include "driver/salvage/place_survey.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "driver/text/display_name.h"
#include "driver/text/show.h"

namespace parity::driver {
namespace {

HeapPlace blocks_at(std::size_t part, std::int64_t first, std::int64_t end) { return {part, first, end, false, {}}; }

HeapPlace lines_at(std::size_t part, std::int64_t block, std::vector<int> lines) {
    return {part, block, block + 1, true, std::move(lines)};
}

/// first … end − 1.
std::vector<int> numbers_from(int first, int end) {
    std::vector<int> numbers(static_cast<std::size_t>(end - first));
    std::iota(numbers.begin(), numbers.end(), first);
    return numbers;
}

}  // namespace

PlaceSurvey::PlaceSurvey(PlaceReader& reader, Damage& damage, const RangeList& ranges)
    : reader_(reader),
      heap_(reader.heap()),
      damage_(damage),
      ranges_(ranges),
      log_(damage),
      rows_(reader, damage, log_) {}

void PlaceSurvey::run() {
    total_ = reader_.digest_nothing(ranges_);
    for (std::size_t part = 0; part < heap_.parts().size(); ++part) survey_part(part);
    log_.require_success();
}

void PlaceSurvey::survey_part(std::size_t part) {
    const HeapPart& heap = heap_.parts()[part];
    tiling_.emplace(fmt::format("rows of {}", exact_name(heap.name)),
                    static_cast<std::uint64_t>(heap.blocks) * static_cast<std::uint64_t>(heap_.lines_per_block()));
    if (heap.blocks == 0) heap_.visit(lines_at(part, 0, {kNoLine}));  // its file may be missing
    const std::int64_t step = heap_.most_blocks();
    for (std::int64_t first = 0; first < heap.blocks; first += step)
        survey_blocks(part, first, std::min(heap.blocks, first + step));
    tiling_->require_whole();
}

void PlaceSurvey::survey_blocks(std::size_t part, std::int64_t first, std::int64_t end) {
    const HeapPlace place = blocks_at(part, first, end);
    if (!read(place)) {
        cover(first, 1, end, 1);
        return add_blocks(place);
    }
    if (end - first == 1) return survey_block(part, first);
    const std::int64_t middle = first + (end - first) / 2;
    survey_blocks(part, first, middle);
    survey_blocks(part, middle, end);
}

void PlaceSurvey::survey_block(std::size_t part, std::int64_t block) {
    const int lines = heap_.lines_per_block();
    try {
        heap_.visit(lines_at(part, block, {kNoLine}));
    } catch (const Error& error) {
        log_.failed(error);
        cover(block, 1, block + 1, 1);
        damage_.lose_rows(static_cast<std::uint64_t>(lines));
        return damage_.add(letter_at(part, block, 0), error);
    }
    std::vector<int> readable;
    survey_lines(part, block, 1, lines + 1, readable);
    if (!readable.empty()) readable_.places.push_back(lines_at(part, block, std::move(readable)));
}

void PlaceSurvey::survey_lines(std::size_t part, std::int64_t block, int first, int end, std::vector<int>& readable) {
    const HeapPlace place = lines_at(part, block, numbers_from(first, end));
    const std::optional<Error> failure = read(place);
    if (!failure) {
        cover(block, first, block, end);
        readable.insert(readable.end(), place.lines.begin(), place.lines.end());
        return;
    }
    if (end - first == 1) {
        cover(block, first, block, end);
        return survey_row(place, *failure);
    }
    const int middle = first + (end - first) / 2;
    survey_lines(part, block, first, middle, readable);
    survey_lines(part, block, middle, end, readable);
}

void PlaceSurvey::survey_row(const HeapPlace& place, const Error& failure) {
    std::optional<PartialRow> row =
        rows_.survey(place, letter_at(place.part, place.first_block, place.lines.front()), failure);
    if (!row) return;
    log_.succeeded();
    reader_.partial_row(*row, ranges_, [&](const RowDigest& read) { reader_.add_row(total_, read); });
    readable_.partial_rows.push_back(std::move(*row));
}

/// Adds up what is at a place.
/// Returns: why it cannot be read; nothing where it can.
std::optional<Error> PlaceSurvey::read(const HeapPlace& place) {
    try {
        const std::vector<RangeDigests> read = reader_.digest(&place, ranges_);
        add_digests(total_, read);
        if (std::any_of(read.begin(), read.end(), [](const RangeDigests& range) { return range.rows > 0; }))
            log_.succeeded();
        return std::nullopt;
    } catch (const Error& error) {
        log_.failed(error);
        return error;
    }
}

/// From a line of a block to before a line of a block; lines count from 1.
void PlaceSurvey::cover(std::int64_t block, int line, std::int64_t end_block, int end_line) {
    const auto lines = static_cast<std::uint64_t>(heap_.lines_per_block());
    const auto at = [&](std::int64_t b, int l) {
        return static_cast<std::uint64_t>(b) * lines + static_cast<std::uint64_t>(l - 1);
    };
    tiling_->add(at(block, line), at(end_block, end_line));
}

/// Blocks that follow one another are one place.
void PlaceSurvey::add_blocks(const HeapPlace& place) {
    std::vector<HeapPlace>& places = readable_.places;
    const bool joins = !places.empty() && !places.back().by_line && places.back().part == place.part &&
                       places.back().end_block == place.first_block &&
                       place.end_block - places.back().first_block <= heap_.most_blocks();
    if (joins)
        places.back().end_block = place.end_block;
    else
        places.push_back(place);
}

DeadLetter PlaceSurvey::letter_at(std::size_t part, std::int64_t block, int line) const {
    const HeapPart& heap = heap_.parts()[part];
    DeadLetter letter;
    if (heap.oid != reader_.table().oid[damage_.side()]) letter.relation = exact_name(heap.name);
    letter.block = block;
    letter.line = line;
    return letter;
}

}  // namespace parity::driver
