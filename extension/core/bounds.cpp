#include "core/bounds.h"

#include <algorithm>

#include "core/order.h"

namespace parity::core {
namespace {

u64 hash_of(ByteView bound) noexcept { return load_be<u64>(&bound[1]); }

/// Maps hashes to integers of the same order, so that one search serves both.
std::int64_t ordered_number(u64 hash) noexcept { return static_cast<std::int64_t>(hash ^ u64{1} << 63); }

std::int64_t read_integer(Form form, ByteView canonical) noexcept {
    return form == Form::kDate ? load_le<std::int32_t>(canonical.data()) : load_le<std::int64_t>(canonical.data());
}

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

/// A search among integers serves bounds that are one value, not NULL, of one integer-ordered column.
bool all_integers(std::span<const ByteView> bounds, std::span<const Form> forms) noexcept {
    if (forms.size() != 1 || !is_integer_ordered(forms[0])) return false;
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
    } else if (all_integers(bounds, key_forms)) {
        kind_ = Kind::kInteger;
        for (std::size_t i = 0; i < bounds.size(); ++i) numbers[i] = read_integer(key_forms[0], bounds[i].subspan(2));
    } else {
        kind_ = Kind::kKeys;
    }
}

std::uint32_t RangeFinder::find(ByteView framed_key, u64 key_hash_low) noexcept {
    switch (kind_) {
        case Kind::kOne:
            return 0;
        case Kind::kHash:
            return find_number(ordered_number(key_hash_low));
        case Kind::kInteger:
            if (framed_key[0] == kFrameNull) return static_cast<std::uint32_t>(bounds_.size());
            return find_number(read_integer(key_forms_[0], framed_key.subspan(1)));
        case Kind::kKeys:
            return find_key(framed_key);
    }
    return 0;
}

/// Counts the bounds that are not above the value, without a branch that data decides.
std::uint32_t RangeFinder::find_number(std::int64_t value) noexcept {
    std::size_t count = bounds_.size();
    if ((last_ == 0 || numbers_[last_ - 1] <= value) && (last_ == count || value < numbers_[last_])) return last_;
    const std::int64_t* base = numbers_;
    while (count > 1) {
        std::size_t half = count / 2;
        base += base[half - 1] <= value ? half : 0;
        count -= half;
    }
    last_ = static_cast<std::uint32_t>(base - numbers_ + (*base <= value));
    return last_;
}

bool RangeFinder::in_range(std::uint32_t range, ByteView framed_key) const noexcept {
    return (range == 0 || compare_keys(key_forms_, framed_key, bounds_[range - 1].subspan(1)) >= 0) &&
           (range == bounds_.size() || compare_keys(key_forms_, framed_key, bounds_[range].subspan(1)) < 0);
}

std::uint32_t RangeFinder::find_key(ByteView framed_key) noexcept {
    if (in_range(last_, framed_key)) return last_;
    auto above = std::upper_bound(bounds_.begin(), bounds_.end(), framed_key, [this](ByteView key, ByteView bound) {
        return compare_keys(key_forms_, key, bound.subspan(1)) < 0;
    });
    last_ = static_cast<std::uint32_t>(above - bounds_.begin());
    return last_;
}

}  // namespace parity::core
