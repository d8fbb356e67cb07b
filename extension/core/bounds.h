#pragma once

#include <cstdint>
#include <optional>
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

/// Whether one bound may follow another.
/// Requires: both are checked.
BoundStatus check_succession(ByteView before, ByteView after, std::span<const Form> key_forms) noexcept;

/// Orders two bounds.
/// Requires: both are checked, and are of one kind.
int compare_bounds(ByteView a, ByteView b, std::span<const Form> key_forms) noexcept;

/// Writes the i-th bound of n even hash ranges.
/// Requires: i is 1 … n − 1.
void write_hash_bound(std::uint32_t i, std::uint32_t n, std::span<std::uint8_t, kHashBoundBytes> to) noexcept;

/// Framed keys of one length, each some bytes behind the other.
struct FramedKeys {
    const std::uint8_t* first;
    std::size_t distance;
    std::size_t length;
    ByteView operator[](std::size_t i) const noexcept { return {first + i * distance, length}; }
};

/// Finds the ranges of rows among checked bounds. Ranges count from 0 here.
///
/// What is searched are integers: hashes, or what the key's first column begins with (leading_number.h), behind what
/// that of all bounds begins with. Whole keys are compared only where the integers do not decide. The last range is
/// kept: neighbours in a heap often share it.
class RangeFinder {
  public:
    RangeFinder() noexcept = default;

    /// `numbers` is the caller's room for bounds.size() integers.
    /// Requires: `bounds` are checked and ascending, and all three outlive the finder.
    RangeFinder(std::span<const ByteView> bounds, std::span<const Form> key_forms, std::int64_t* numbers) noexcept;

    std::uint32_t find(ByteView framed_key, u64 key_hash_low) noexcept;

    /// The range of all keys between these two, read as integers of eight bytes, if they share one. It is looked for
    /// beside the last one, and elsewhere once after keys that did share one.
    /// Returns: nothing where the keys do not share a range, where looking was in vain, and where keys are not ordered
    /// as such integers.
    std::optional<std::uint32_t> find_same(std::int64_t lowest, std::int64_t highest) noexcept;

    /// The integers that rows are searched by where there are bounds, unless that is their hashes.
    void read_numbers(const FramedKeys& keys, std::span<std::int64_t> numbers) const noexcept;

    /// Finds the ranges of many rows, by the integers that read_numbers() or ordered_number(hash) gave.
    void find_all(const FramedKeys& keys, std::span<const std::int64_t> numbers, std::uint32_t* ranges) noexcept;

    /// Whether find() looks at the key's hash alone.
    bool by_hash() const noexcept { return kind_ == Kind::kHash; }

  private:
    /// What is searched: nothing, hashes, integers that order keys, integers that keys begin with.
    enum class Kind : std::uint8_t { kOne, kHash, kInteger, kPrefix };

    /// The integers of a range: from `lower` on, so many more. An unsigned comparison with `width` tells of others.
    struct NumberInterval {
        u64 lower;
        u64 width;
        bool has(u64 number) const noexcept { return number - lower <= width; }
    };

    std::optional<NumberInterval> last_interval() const noexcept;
    bool is_within(std::uint32_t range, std::int64_t number) const noexcept;
    std::size_t stay(std::span<const std::int64_t> numbers, std::uint32_t* ranges) const noexcept;
    bool move_beside(std::int64_t number) noexcept;
    std::uint32_t decide_by_key(std::uint32_t range, std::int64_t number, ByteView framed_key) noexcept;
    void search_all(std::span<const std::int64_t> numbers, std::uint32_t* ranges) noexcept;
    std::uint32_t find_equal(ByteView framed_key, std::int64_t number, std::uint32_t end) noexcept;
    bool in_range(std::uint32_t range, ByteView framed_key) const noexcept;

    Kind kind_ = Kind::kOne;
    bool orderly_ = true;            ///< find_same() has looked nowhere in vain since keys last shared a range
    bool of_long_integers_ = false;  ///< canonical values of eight bytes, which alone order keys
    std::uint32_t last_ = 0;         ///< that integers told
    std::uint32_t last_equal_ = 0;   ///< that keys told
    std::span<const ByteView> bounds_;
    std::span<const Form> key_forms_;
    ByteView shared_;  ///< bytes with which the first value of every bound begins
    const std::int64_t* numbers_ = nullptr;
};

}  // namespace parity::core
