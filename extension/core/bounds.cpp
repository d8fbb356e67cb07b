#include "core/bounds.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/leading_number.h"
#include "core/order.h"

namespace parity::core {
namespace {

u64 hash_of(ByteView bound) noexcept { return load_be<u64>(&bound[1]); }

bool is_well_formed_prefix(ByteView framed, std::span<const Form> forms) noexcept {
    FrameReader reader(framed);
    if (reader.at_end()) return false;
    for (Form form : forms) {
        if (reader.at_end()) return true;
        std::optional<FramedValue> value = reader.next(form);
        if (!value || (!value->null && !is_canonical(form, value->bytes))) return false;
    }
    return reader.at_end();
}

/// The first value of a framed key that does not begin with NULL.
inline ByteView first_value(ByteView framed, Form form) noexcept {
    if (const std::uint32_t width = fixed_width(form)) return framed.subspan(1, width);
    return framed.subspan(1 + kFrameLengthBytes, load_le<std::uint32_t>(&framed[1]));
}

/// The integer of what follows `shared` in a value that begins so; others are below or above all of those.
inline std::int64_t number_behind(ByteView shared, ByteView value) noexcept {
    const int order = std::memcmp(value.data(), shared.data(), std::min(value.size(), shared.size()));
    if (order > 0) return std::numeric_limits<std::int64_t>::max();
    if (order < 0 || value.size() < shared.size()) return std::numeric_limits<std::int64_t>::min();
    return leading_bytes_number(value.subspan(shared.size()));
}

/// The integer that a framed key begins with, behind what all bounds share. NULLs are last.
inline std::int64_t first_number(ByteView framed, Form form, ByteView shared) noexcept {
    if (framed[0] == kFrameNull) return std::numeric_limits<std::int64_t>::max();
    const ByteView value = first_value(framed, form);
    return shared.empty() ? leading_number(form, value) : number_behind(shared, value);
}

/// The bytes with which the first value of every bound begins; none where bytes do not tell the order.
ByteView shared_beginning(std::span<const ByteView> bounds, Form form) noexcept {
    if (!is_ordered_by_bytes(form)) return {};
    const auto is_null = [](ByteView bound) { return bound[1] == kFrameNull; };
    if (is_null(bounds.front())) return {};
    const auto last = std::find_if_not(bounds.rbegin(), bounds.rend(), is_null);
    const ByteView low = first_value(bounds.front().subspan(1), form);
    const ByteView high = first_value(last->subspan(1), form);
    const auto differing = std::mismatch(low.begin(), low.end(), high.begin(), high.end()).first;
    return low.first(static_cast<std::size_t>(differing - low.begin()));
}

/// With the form known when this is compiled, little is left of it.
template <Form kForm>
[[gnu::flatten]] void read_numbers_of(const FramedKeys& keys, std::span<std::int64_t> numbers) noexcept {
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = first_number(keys[i], kForm, {});
}

/// Whether values are integers of eight bytes, ordered as such.
bool is_long_integer(Form form) noexcept {
    return is_integer_ordered(form) && fixed_width(form) == sizeof(std::int64_t);
}

/// Whether the integers alone order bounds and keys: one column, and no bound that is NULL.
bool numbers_decide(std::span<const ByteView> bounds, std::span<const Form> forms) noexcept {
    if (forms.size() != 1 || number_kind(forms[0]) != NumberKind::kExact) return false;
    return std::all_of(bounds.begin(), bounds.end(), [](ByteView bound) { return bound[1] == kFrameValue; });
}

}  // namespace

std::string_view describe(BoundStatus status) noexcept {
    switch (status) {
        case BoundStatus::kOk:
            return "it is well formed";
        case BoundStatus::kMalformed:
            return "it is no framed key of the key's forms";
        case BoundStatus::kMixedKinds:
            return "it is of another kind than the bound before it";
        case BoundStatus::kNotAscending:
            return "it is not above the bound before it";
        case BoundStatus::kNoKey:
            return "a relation without a key has hash bounds only";
    }
    return "unknown";
}

BoundStatus check_bound(ByteView bound, std::span<const Form> key_forms) noexcept {
    if (bound.empty()) return BoundStatus::kMalformed;
    if (bound[0] == kHashBound) return bound.size() == kHashBoundBytes ? BoundStatus::kOk : BoundStatus::kMalformed;
    if (bound[0] != kKeyBound) return BoundStatus::kMalformed;
    if (key_forms.empty()) return BoundStatus::kNoKey;
    return is_well_formed_prefix(bound.subspan(1), key_forms) ? BoundStatus::kOk : BoundStatus::kMalformed;
}

BoundStatus check_succession(ByteView before, ByteView after, std::span<const Form> key_forms) noexcept {
    if (before[0] != after[0]) return BoundStatus::kMixedKinds;
    return compare_bounds(before, after, key_forms) < 0 ? BoundStatus::kOk : BoundStatus::kNotAscending;
}

int compare_bounds(ByteView a, ByteView b, std::span<const Form> key_forms) noexcept {
    if (a[0] == kHashBound) return hash_of(a) < hash_of(b) ? -1 : hash_of(a) > hash_of(b) ? 1 : 0;
    return compare_keys(key_forms, a.subspan(1), b.subspan(1));
}

void write_hash_bound(std::uint32_t i, std::uint32_t n, std::span<std::uint8_t, kHashBoundBytes> to) noexcept {
    to[0] = kHashBound;
    store_be(&to[1], static_cast<u64>((static_cast<u128>(i) << 64) / n));
}

RangeFinder::RangeFinder(std::span<const ByteView> bounds, std::span<const Form> key_forms,
                         std::int64_t* numbers) noexcept
    : bounds_(bounds), key_forms_(key_forms), numbers_(numbers) {
    if (bounds.empty()) return;
    if (bounds[0][0] == kHashBound) {
        kind_ = Kind::kHash;
        for (std::size_t i = 0; i < bounds.size(); ++i) numbers[i] = ordered_number(hash_of(bounds[i]));
        return;
    }
    kind_ = numbers_decide(bounds, key_forms) ? Kind::kInteger : Kind::kPrefix;
    of_long_integers_ = kind_ == Kind::kInteger && is_long_integer(key_forms[0]);
    shared_ = shared_beginning(bounds, key_forms[0]);
    for (std::size_t i = 0; i < bounds.size(); ++i)
        numbers[i] = first_number(bounds[i].subspan(1), key_forms[0], shared_);
}

std::uint32_t RangeFinder::find(ByteView framed_key, u64 key_hash_low) noexcept {
    if (kind_ == Kind::kOne) return 0;
    const std::int64_t number =
        kind_ == Kind::kHash ? ordered_number(key_hash_low) : first_number(framed_key, key_forms_[0], shared_);
    std::uint32_t range;
    find_all({framed_key.data(), 0, framed_key.size()}, {&number, 1}, &range);
    return range;
}

std::optional<std::uint32_t> RangeFinder::find_same(std::int64_t lowest, std::int64_t highest) noexcept {
    if (kind_ == Kind::kOne) return 0;
    if (!of_long_integers_) return std::nullopt;
    if (!is_within(last_, lowest) && !move_beside(lowest)) {
        if (!orderly_) return std::nullopt;
        last_ = static_cast<std::uint32_t>(std::upper_bound(numbers_, numbers_ + bounds_.size(), lowest) - numbers_);
        orderly_ = false;
    }
    if (!is_within(last_, highest)) return std::nullopt;
    orderly_ = true;
    return last_;
}

void RangeFinder::read_numbers(const FramedKeys& keys, std::span<std::int64_t> numbers) const noexcept {
    const Form form = key_forms_[0];
    if (form == Form::kUuid && shared_.empty()) return read_numbers_of<Form::kUuid>(keys, numbers);
    if (is_long_integer(form)) return read_numbers_of<Form::kInt>(keys, numbers);
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = first_number(keys[i], form, shared_);
}

void RangeFinder::find_all(const FramedKeys& keys, std::span<const std::int64_t> numbers,
                           std::uint32_t* ranges) noexcept {
    std::size_t done = stay(numbers, ranges);
    while (done < numbers.size() && move_beside(numbers[done])) done += stay(numbers.subspan(done), ranges + done);
    if (done < numbers.size()) search_all(numbers.subspan(done), ranges + done);
    if (kind_ != Kind::kPrefix) return;
    for (std::size_t i = 0; i < numbers.size(); ++i) ranges[i] = decide_by_key(ranges[i], numbers[i], keys[i]);
}

bool RangeFinder::is_within(std::uint32_t range, std::int64_t number) const noexcept {
    return (range == 0 || numbers_[range - 1] <= number) && (range == bounds_.size() || number < numbers_[range]);
}

/// Of the last range; none where bounds with the same integer leave none between them.
std::optional<RangeFinder::NumberInterval> RangeFinder::last_interval() const noexcept {
    const std::int64_t lower = last_ > 0 ? numbers_[last_ - 1] : std::numeric_limits<std::int64_t>::min();
    if (last_ < bounds_.size() && numbers_[last_] <= lower) return std::nullopt;
    const std::int64_t highest =
        last_ < bounds_.size() ? numbers_[last_] - 1 : std::numeric_limits<std::int64_t>::max();
    return NumberInterval{static_cast<u64>(lower), static_cast<u64>(highest) - static_cast<u64>(lower)};
}

/// Gives how many rows, from the first one on, are in the last range.
std::size_t RangeFinder::stay(std::span<const std::int64_t> numbers, std::uint32_t* ranges) const noexcept {
    const std::optional<NumberInterval> last = last_interval();
    if (!last) return 0;
    std::size_t count = 0;
    while (count < numbers.size() && last->has(static_cast<u64>(numbers[count]))) ++count;
    std::fill_n(ranges, count, last_);
    return count;
}

/// Whether a row is in a range beside the last one, which then becomes the last one: keys that ascend from page to page
/// may descend within them.
bool RangeFinder::move_beside(std::int64_t number) noexcept {
    const bool above = last_ < bounds_.size() && numbers_[last_] <= number;
    if (!above && last_ == 0) return false;
    const std::uint32_t beside = above ? last_ + 1 : last_ - 1;
    if (!is_within(beside, number)) return false;
    last_ = beside;
    return true;
}

/// Counts the bounds that are not above each number, without a branch that data decides. All rows take a step before
/// any takes the next one, so that they do not wait for each other's loads.
void RangeFinder::search_all(std::span<const std::int64_t> numbers, std::uint32_t* ranges) noexcept {
    std::fill_n(ranges, numbers.size(), 0u);
    std::size_t count = bounds_.size();
    for (std::size_t half = count / 2; count > 1; count -= half, half = count / 2)
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            const std::uint32_t is_below = numbers_[ranges[i] + half - 1] <= numbers[i];
            ranges[i] += static_cast<std::uint32_t>(half) & (0 - is_below);
        }
    for (std::size_t i = 0; i < numbers.size(); ++i) ranges[i] += numbers_[ranges[i]] <= numbers[i];
    last_ = ranges[numbers.size() - 1];
}

/// Bounds with a smaller integer than the key's are below it, those with a larger one above it.
std::uint32_t RangeFinder::decide_by_key(std::uint32_t range, std::int64_t number, ByteView framed_key) noexcept {
    if (kind_ != Kind::kPrefix || range == 0 || numbers_[range - 1] != number) return range;
    return find_equal(framed_key, number, range);
}

bool RangeFinder::in_range(std::uint32_t range, ByteView framed_key) const noexcept {
    return (range == 0 || compare_keys(key_forms_, framed_key, bounds_[range - 1].subspan(1)) >= 0) &&
           (range == bounds_.size() || compare_keys(key_forms_, framed_key, bounds_[range].subspan(1)) < 0);
}

/// The last of the bounds with the key's integer is the one before `end`.
std::uint32_t RangeFinder::find_equal(ByteView framed_key, std::int64_t number, std::uint32_t end) noexcept {
    if (in_range(last_equal_, framed_key)) return last_equal_;
    auto first = std::lower_bound(numbers_, numbers_ + end, number) - numbers_;
    auto above = std::upper_bound(
        bounds_.begin() + first, bounds_.begin() + end, framed_key,
        [this](ByteView key, ByteView bound) { return compare_keys(key_forms_, key, bound.subspan(1)) < 0; });
    return last_equal_ = static_cast<std::uint32_t>(above - bounds_.begin());
}

}  // namespace parity::core
