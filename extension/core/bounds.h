#pragma once

#include <cstdint>
#include <span>

#include "core/bytes.h"
#include "core/form.h"
#include "core/hash.h"

/// Bounds between ranges, and finding a row's range: docs/digest-format.md, section 7.
namespace parity::core {

inline constexpr std::uint8_t kKeyBound = 'k';
inline constexpr std::uint8_t kHashBound = 'h';
inline constexpr std::size_t kHashBoundBytes = 9;

enum class BoundStatus { kOk, kMalformed, kMixedKinds, kNotAscending, kNoKey };

/// A phrase for people, such as "it is not above the bound before it".
std::string_view describe(BoundStatus status) noexcept;

/// Whether one bound is well formed for keys of these forms (`key_forms` empty: keyless, only hash bounds).
BoundStatus check_bound(ByteView bound, std::span<const Form> key_forms) noexcept;

/// Whether a checked bound may follow a checked one.
BoundStatus check_succession(ByteView before, ByteView after, std::span<const Form> key_forms) noexcept;

/// Orders two checked bounds of one kind.
int compare_bounds(ByteView a, ByteView b, std::span<const Form> key_forms) noexcept;

/// The i-th (1 … n − 1) of n even hash ranges' bounds.
void write_hash_bound(std::uint32_t i, std::uint32_t n, std::span<std::uint8_t, kHashBoundBytes> to) noexcept;

/// Finds the range of a row among checked bounds. Keeps the last range: neighbours in a heap often share it.
/// Ranges count from 0 here.
class RangeFinder {
  public:
    RangeFinder() noexcept = default;

    /// `bounds` are checked and ascending. `numbers` is the caller's room for bounds.size() integers; it serves hash
    /// bounds and keys of one integer-ordered column. All three must outlive the finder.
    RangeFinder(std::span<const ByteView> bounds, std::span<const Form> key_forms, std::int64_t* numbers) noexcept;

    std::uint32_t find(ByteView framed_key, u64 key_hash_low) noexcept;

    /// Whether find() looks at the key's hash alone.
    bool by_hash() const noexcept { return kind_ == Kind::kHash; }

  private:
    enum class Kind : std::uint8_t { kOne, kHash, kInteger, kKeys };
    bool in_range(std::uint32_t range, ByteView framed_key) const noexcept;
    std::uint32_t find_key(ByteView framed_key) noexcept;
    std::uint32_t find_number(std::int64_t value) noexcept;

    Kind kind_ = Kind::kOne;
    std::uint32_t last_ = 0;
    std::span<const ByteView> bounds_;
    std::span<const Form> key_forms_;
    const std::int64_t* numbers_ = nullptr;
};

}  // namespace parity::core
