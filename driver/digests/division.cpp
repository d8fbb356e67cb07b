#include "driver/digests/division.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "core/bounds.h"
#include "driver/model/error.h"

namespace parity::driver {
namespace {

/// Few differing rows then lie in ranges that are read row by row at once.
constexpr double kRowsPerRange = 1250;
constexpr double kFewestDefaultRanges = 1;
/// Of more, the sums would leave the processor's cache, for keys whose order is not the table's.
constexpr double kMaxDefaultRanges = 2048;
/// Assumed where a table was never analysed.
constexpr double kBytesPerRow = 100;
/// What one of the participants of a scan is taken to need.
constexpr std::size_t kDigestBytes = kMostDigestBytes / 8;
constexpr std::size_t kBytesPerDigest = 16;

using Bounds = std::vector<std::string>;

/// The bounds of range `range_no` (from 1) of a division; null where it is open.
const std::string* lower_bound_of(const Bounds& bounds, std::size_t range_no) {
    return range_no < 2 ? nullptr : &bounds[range_no - 2];
}
const std::string* upper_bound_of(const Bounds& bounds, std::size_t range_no) {
    return range_no > bounds.size() ? nullptr : &bounds[range_no - 1];
}

/// Builds a division in which each divergent range of the old one is cut at inner bounds.
class Subdivider {
  public:
    explicit Subdivider(const Bounds& old) : old_(old) {}

    void add(std::size_t range_no, const Bounds& inner) {
        if (const std::string* lower = lower_bound_of(old_, range_no)) push_unless_last(*lower);
        only_next_range(range_no);
        for (const std::string& bound : inner) {
            list_.bounds.push_back(bound);
            only_next_range(range_no);
        }
        inner_bounds_ += inner.size();
        if (const std::string* upper = upper_bound_of(old_, range_no)) push_unless_last(*upper);
    }

    std::optional<Subdivision> finish() {
        if (inner_bounds_ == 0) return std::nullopt;
        return std::move(list_);
    }

  private:
    void push_unless_last(const std::string& bound) {
        if (list_.bounds.empty() || list_.bounds.back() != bound) list_.bounds.push_back(bound);
    }
    /// Asks for the range that begins at the last bound.
    void only_next_range(std::size_t parent) {
        list_.only.push_back(static_cast<std::int32_t>(list_.bounds.size()) + 1);
        list_.parents.push_back(static_cast<std::int32_t>(parent));
    }

    const Bounds& old_;
    Subdivision list_;
    std::size_t inner_bounds_ = 0;
};

/// The candidates strictly within each divergent range.
std::vector<Bounds> candidates_within(const Bounds& bounds, const std::vector<DivergentRange>& divergent,
                                      const Bounds& candidates, const std::vector<core::Form>& key_forms) {
    const auto below = [&](const std::string& a, const std::string& b) {
        return core::compare_bounds(core::as_bytes(a), core::as_bytes(b), key_forms) < 0;
    };
    std::vector<Bounds> within(divergent.size());
    auto candidate = candidates.begin();
    for (std::size_t i = 0; i < divergent.size(); ++i) {
        const auto range_no = static_cast<std::size_t>(divergent[i].range_no);
        const std::string* lower = lower_bound_of(bounds, range_no);
        const std::string* upper = upper_bound_of(bounds, range_no);
        while (candidate != candidates.end() && lower && !below(*lower, *candidate)) ++candidate;
        for (; candidate != candidates.end() && (!upper || below(*candidate, *upper)); ++candidate)
            within[i].push_back(*candidate);
    }
    return within;
}

/// Leaves every n-th, so that at most `max` are left of all.
void thin(std::vector<Bounds>& within, std::size_t max) {
    std::size_t total = 0;
    for (const Bounds& bounds : within) total += bounds.size();
    if (total <= max) return;
    const std::size_t step = (total + max - 1) / max;
    std::size_t position = 0;
    for (Bounds& bounds : within) std::erase_if(bounds, [&](const std::string&) { return ++position % step != 0; });
}

core::u128 hash_at(const std::string* bound, core::u128 otherwise) {
    return bound ? core::load_be<core::u64>(core::as_bytes(*bound).data() + 1) : otherwise;
}

std::string hash_bound(core::u128 hash) {
    std::string bound(core::kHashBoundBytes, '\0');
    bound[0] = static_cast<char>(core::kHashBound);
    core::store_be(reinterpret_cast<std::uint8_t*>(&bound[1]), static_cast<core::u64>(hash));
    return bound;
}

Bounds hash_bounds_between(core::u128 lower, core::u128 upper, std::uint32_t parts) {
    Bounds inner;
    core::u128 last = lower;
    for (std::uint32_t i = 1; i < parts; ++i) {
        const core::u128 hash = lower + (upper - lower) / parts * i + (upper - lower) % parts * i / parts;
        if (hash > last) inner.push_back(hash_bound(hash));
        last = hash;
    }
    return inner;
}

}  // namespace

bool are_hash_bounds(const Bounds& bounds) {
    return !bounds.empty() && !bounds[0].empty() && static_cast<std::uint8_t>(bounds[0][0]) == core::kHashBound;
}

void check_bounds(const Bounds& bounds, const std::vector<core::Form>& key_forms) {
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        core::BoundStatus status = core::check_bound(core::as_bytes(bounds[i]), key_forms);
        if (status == core::BoundStatus::kOk && i > 0)
            status = core::check_succession(core::as_bytes(bounds[i - 1]), core::as_bytes(bounds[i]), key_forms);
        if (status != core::BoundStatus::kOk)
            throw Error(ErrorKind::kInternal,
                        fmt::format("bound {} of the split keys is unusable: {}", i + 1, core::describe(status)));
    }
}

Side better_bounds(const Both<Bounds>& bounds) {
    const std::size_t source = bounds.source.size();
    const std::size_t target = bounds.target.size();
    if (are_hash_bounds(bounds.source) && !are_hash_bounds(bounds.target) && 2 * target >= source) return Side::kTarget;
    if (are_hash_bounds(bounds.target) && !are_hash_bounds(bounds.source) && 2 * source >= target) return Side::kSource;
    return target > source ? Side::kTarget : Side::kSource;
}

std::optional<Subdivision> subdivide_by_keys(const Bounds& bounds, const std::vector<DivergentRange>& divergent,
                                             const Bounds& candidates, std::size_t max_candidates,
                                             const std::vector<core::Form>& key_forms) {
    auto within = candidates_within(bounds, divergent, candidates, key_forms);
    thin(within, max_candidates);
    Subdivider subdivider(bounds);
    for (std::size_t i = 0; i < divergent.size(); ++i)
        subdivider.add(static_cast<std::size_t>(divergent[i].range_no), within[i]);
    return subdivider.finish();
}

std::optional<Subdivision> subdivide_by_hash(const Bounds& bounds, const std::vector<DivergentRange>& divergent,
                                             std::uint32_t parts) {
    Subdivider subdivider(bounds);
    for (const DivergentRange& range : divergent) {
        const auto range_no = static_cast<std::size_t>(range.range_no);
        const core::u128 lower = hash_at(lower_bound_of(bounds, range_no), 0);
        const core::u128 upper = hash_at(upper_bound_of(bounds, range_no), core::u128{1} << 64);
        subdivider.add(range_no, hash_bounds_between(lower, upper, parts));
    }
    return subdivider.finish();
}

std::vector<std::string> even_hash_bounds(std::uint32_t ranges) {
    return hash_bounds_between(0, core::u128{1} << 64, ranges);
}

std::vector<std::int32_t> requested_ranges(const RangeList& list) {
    if (!list.only.empty()) return list.only;
    std::vector<std::int32_t> all(list.bounds.size() + 1);
    std::iota(all.begin(), all.end(), 1);
    return all;
}

std::vector<std::int32_t> range_numbers(const std::vector<DivergentRange>& divergent) {
    std::vector<std::int32_t> numbers;
    numbers.reserve(divergent.size());
    for (const DivergentRange& range : divergent) numbers.push_back(range.range_no);
    return numbers;
}

std::size_t most_ranges(std::size_t slices) { return kMostDigestBytes / (kBytesPerDigest * slices); }

int default_ranges(double estimated_rows, std::int64_t estimated_bytes, std::size_t slices) {
    const double rows = estimated_rows >= 0 ? estimated_rows : static_cast<double>(estimated_bytes) / kBytesPerRow;
    const double affordable = static_cast<double>(kDigestBytes) / static_cast<double>(kBytesPerDigest * slices);
    return static_cast<int>(
        std::clamp(rows / kRowsPerRange, kFewestDefaultRanges, std::max(1.0, std::min(kMaxDefaultRanges, affordable))));
}

}  // namespace parity::driver
