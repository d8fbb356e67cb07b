#include "backend/index/page_check.h"

#include <algorithm>

namespace parity::backend {
namespace {

/// How many of ascending places are on a block or before it. `guess`: on the one before, as blocks have about as many
/// rows each, which finds the end in fewer steps than a binary search does.
std::size_t places_up_to(std::span<const core::u64> places, BlockNumber block, std::size_t guess) {
    const core::u64 next = place_of(block, 0) + (core::u64{1} << 16);
    std::size_t count = std::min(guess, places.size());
    while (count < places.size() && places[count] < next) ++count;
    while (count > 0 && places[count - 1] >= next) --count;
    return count;
}

}  // namespace

BlockNumber ListedBlocks::next_block(void* blocks) {
    auto& self = *static_cast<ListedBlocks*>(blocks);
    if (self.places.empty()) return InvalidBlockNumber;
    const BlockNumber block = block_of(self.places.front());
    self.on_block = places_up_to(self.places, block, self.on_block);
    self.places = self.places.subspan(self.on_block);
    return block;
}

void PageCheck::begin_page(bool checks_others) {
    checks_others_ = checks_others;
    block_ = pages_.block();
    if (block_ > 0 && !places_.empty() && block_of(places_.front()) < block_)
        places_ = places_.subspan(places_up_to(places_, block_ - 1, 0));
    listed_ = places_.first(places_up_to(places_, block_, listed_.size()));
    places_ = places_.subspan(listed_.size());
    left_ = listed_.size();
}

void PageCheck::see(void* state, std::size_t first, std::span<const std::uint32_t> ranges) {
    auto& self = *static_cast<PageCheck*>(state);
    if (self.lists_next(first, ranges)) {
        self.left_ -= ranges.size();
        return;
    }
    for (std::size_t i = 0; i < ranges.size(); ++i) self.check(first + i, ranges[i]);
}

/// Whether these tuples are all of the piece, the first ones of their chains, and what the index lists next: they
/// come in the reverse order of their line pointers. Mostly they are, so nothing is decided before the end.
bool PageCheck::lists_next(std::size_t first, std::span<const std::uint32_t> ranges) const {
    if (left_ < ranges.size()) return false;
    const HeapTupleHeader* tuples = pages_.tuples().data() + first;
    const OffsetNumber* numbers = pages_.numbers().data() + first;
    const core::u64* last = listed_.data() + left_ - 1;
    unsigned others = 0;
    for (std::size_t i = 0; i < ranges.size(); ++i)
        others |= static_cast<unsigned>(!window_.holds(ranges[i])) | (tuples[i]->t_infomask2 & HEAP_ONLY_TUPLE) |
                  (numbers[i] ^ static_cast<unsigned>(number_of(*(last - i))));
    return others == 0;
}

void PageCheck::check(std::size_t tuple, std::uint32_t range) {
    const bool ours = window_.holds(range);
    if (!ours && !checks_others_) return;
    const OffsetNumber root = pages_.root_of(tuple);
    const core::u64 place = place_of(block_, root);
    if (ours && std::binary_search(listed_.begin(), listed_.end(), place)) return;
    if (ours || root == InvalidOffsetNumber) listing_.complain(place);
    listing_.require_listed(pages_.tuples()[tuple], place);
}

}  // namespace parity::backend
