#pragma once

#include "backend/pg.h"

#include <type_traits>

#include "backend/rows/stored_column.h"
#include "backend/sums/matrix.h"
#include "backend/task/spec.h"
#include "core/bounds.h"
#include "core/hash.h"

/// One row's values to hashes: the only place where the backend applies docs/digest-format.md, section 4.
namespace parity::backend {

/// Hashes rows of values under one spec. Each process has its own.
class RowHasher {
  public:
    /// `key` and `columns` are parallel to the spec's forms. The hasher's own memory comes from `context`.
    /// Requires: everything that is given outlives the hasher.
    RowHasher(const DigestSpec& spec, std::span<const RowInput> key, std::span<const RowInput> columns,
              MemoryContext context);

    /// Adds a row to its range's sums, unless that range is not kept.
    void accumulate(const Datum* values, const bool* nulls, const DigestMatrix& matrix) {
        if (spec_.wide)
            accumulate_as<core::u128>(values, nulls, matrix);
        else
            accumulate_as<core::u64>(values, nulls, matrix);
    }

    /// Frames a row's key (keyless: all of it). The bytes live until the next row.
    core::ByteView frame_key(const Datum* values, const bool* nulls);

    /// The range, from 0, of the row whose key was framed last.
    std::uint32_t range_of_framed_key();

    /// That key's hash; under a width of 64 the high half is 0.
    core::u128 hash_of_framed_key() const;

    /// Hashes the cells of the row whose key was framed last, into `cells` (one a column). Under a width of 64 the high
    /// halves are 0.
    /// Returns: the row hash.
    core::u128 hash_cells(const Datum* values, const bool* nulls, core::u128* cells);

  private:
    template <typename H>
    void accumulate_as(const Datum* values, const bool* nulls, const DigestMatrix& matrix);
    template <typename H>
    H hash_key(const Datum* values, const bool* nulls);
    template <typename H>
    void hash_cells_as(const Datum* values, const bool* nulls, H key_hash);
    template <typename H>
    void hash_framed_cells();
    template <typename H>
    H* cells() const {
        return static_cast<H*>(cells_);
    }

    const DigestSpec& spec_;
    std::span<const StoredColumn> key_;
    std::span<const StoredColumn> columns_;
    core::RangeFinder finder_;
    core::ByteSink framed_;
    Scratch scratch_;
    core::ByteView key_frame_;  ///< of the last row
    void* cells_;               ///< its cells, of the spec's width
    std::uint8_t fixed_frame_[kFrameRoom];
};
static_assert(std::is_trivially_destructible_v<RowHasher>);

}  // namespace parity::backend
