#pragma once

#include "backend/pg.h"

#include <span>

#include "backend/memory.h"
#include "core/bounds.h"
#include "core/form.h"
#include "core/hash.h"

/// What is to be digested, apart from where the rows come from. Leader, workers and aggregates build the same digests
/// from the same spec.
namespace parity::backend {

/// What the reader of a key's part or of a column is made from.
struct InputSpec {
    std::string_view form;   ///< as it is asked for
    std::string_view label;  ///< what errors call it, as in: column "v"
};

/// A range's rows fall into at most so many buckets.
inline constexpr std::uint32_t kMaxBuckets = 64;

/// The bucket of a row, of so many, by the low half of its key's hash: by the low bits, since the high ones tell hash
/// ranges.
inline std::uint32_t bucket_of(core::u64 key_hash, std::uint32_t buckets) {
    return static_cast<std::uint32_t>(key_hash) & (buckets - 1);
}

/// The number, from 0, of a bucket when those of all ranges are counted through.
inline std::size_t bucket_index(std::uint32_t range, core::u64 key_hash, std::uint32_t buckets) {
    return std::size_t{range} * buckets + bucket_of(key_hash, buckets);
}

struct DigestSpec {
    bool wide;                  ///< width 128 instead of 64
    bool totals_only;           ///< the columns' sums are not kept
    std::uint32_t buckets = 1;  ///< of each range: a power of two
    core::u64 seed;
    std::span<const core::Form> key_forms;             ///< empty: keyless
    std::span<const core::Form> column_forms;          ///< in the agreed order
    std::span<const std::string_view> key_form_names;  ///< in full, parallel to key_forms
    std::span<const std::string_view> column_form_names;
    std::span<const InputSpec> inputs;       ///< the key's, then the columns'
    std::span<const core::ByteView> bounds;  ///< checked and ascending
    std::span<const std::uint8_t> kept;      ///< one flag a range; empty: all ranges are digested
    /// Parallel to it, a flag a bucket from the lowest bit on; empty: all of them. Only where rows are read.
    std::span<const core::u64> kept_buckets;

    std::uint32_t ranges() const { return static_cast<std::uint32_t>(bounds.size()) + 1; }
    bool keeps(std::uint32_t range) const { return kept.empty() || kept[range]; }
    /// Of a kept range. `key_hash` is the low half of the row's.
    bool keeps_bucket(std::uint32_t range, core::u64 key_hash) const {
        return kept_buckets.empty() || (kept_buckets[range] >> bucket_of(key_hash, buckets) & 1);
    }
    int width() const { return wide ? 128 : 64; }
};

/// Whether it is a power of two up to kMaxBuckets.
bool is_bucket_count(std::uint32_t buckets);

/// The size of a packed spec.
/// Errors: 54000 where no value can be so large.
std::size_t packed_bytes(const DigestSpec& spec);

/// Writes the spec to packed_bytes() bytes of memory, as a value that can be handed to workers and aggregates of the
/// same server.
void pack_spec(const DigestSpec& spec, void* to, std::size_t bytes);

/// The same in the current context.
bytea* pack_spec(const DigestSpec& spec);

/// The spec in a packed value. Forms, bounds and flags lie in a copy in `context`.
/// Errors: 22023 for bytes that pack_spec() did not make.
DigestSpec unpack_spec(const bytea* packed, MemoryContext context);

/// The spec in a packed value. It points into that value; views of its bounds lie in `room`, and what forms need in
/// `context`.
/// Requires: another process of this program made the value.
DigestSpec view_spec(const void* packed, MemoryContext context, LargeBuffer& buffer);

}  // namespace parity::backend
