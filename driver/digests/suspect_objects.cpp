#include "driver/digests/suspect_objects.h"

#include <algorithm>

namespace parity::driver {
namespace {

void add_pages(FindingCounts& counts, const FindingCounts& more) {
    counts.mismatch += more.mismatch;
    counts.missing_on_target += more.missing_on_target;
    counts.missing_on_source += more.missing_on_source;
    counts.unresolved_on_target += more.unresolved_on_target;
    counts.unresolved_on_source += more.unresolved_on_source;
}

FindingCounts counts_of(FindingKind kind, std::uint64_t pages) {
    switch (kind) {
        case FindingKind::kMissingOnTarget:
            return {0, pages, 0};
        case FindingKind::kMissingOnSource:
            return {0, 0, pages};
        case FindingKind::kMismatch:
        case FindingKind::kUnresolvedOnTarget:
        case FindingKind::kUnresolvedOnSource:
            break;
    }
    return {pages, 0, 0};
}

}  // namespace

void SuspectObjects::add(std::uint32_t object, FindingKind kind, std::uint64_t pages) {
    if (overflowed_) return;
    if (objects_.empty() || objects_.back().object != object) objects_.push_back({object, {}});
    add_pages(objects_.back().pages, counts_of(kind, pages));
    if (objects_.size() >= merge_at_) merge();
}

void SuspectObjects::clear() {
    objects_.clear();
    overflowed_ = false;
}

const std::vector<SuspectObject>& SuspectObjects::list() {
    merge();
    return objects_;
}

void SuspectObjects::merge() {
    std::sort(objects_.begin(), objects_.end(), [](const auto& a, const auto& b) { return a.object < b.object; });
    std::size_t kept = 0;
    for (const SuspectObject& suspect : objects_) {
        if (kept > 0 && objects_[kept - 1].object == suspect.object)
            add_pages(objects_[kept - 1].pages, suspect.pages);
        else
            objects_[kept++] = suspect;
    }
    objects_.resize(kept);
    merge_at_ = std::max<std::size_t>(1024, 2 * kept);
    if (kept <= most_) return;
    overflowed_ = true;
    objects_ = {};
}

}  // namespace parity::driver
