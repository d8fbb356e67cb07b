#pragma once

#include "backend/pg.h"

#include "backend/sums/matrix.h"
#include "core/hash.h"

/// Adding a hashed row to a matrix. `H` is of the matrix's width.
namespace parity::backend {

template <typename H>
inline constexpr std::size_t kWords = sizeof(H) / sizeof(core::u64);

/// Adds a row's hashes to the sums of its range. `cells` are one a column.
template <typename H>
inline void add_row(const DigestMatrix& matrix, std::uint32_t range, H key_hash, const H* __restrict cells,
                    std::size_t columns) {
    core::u64* __restrict sums = matrix.range(range);
    core::u64* __restrict column_sum = matrix.column_sums(range);
    core::RowFold<H> fold(key_hash);
    for (std::size_t i = 0; i < columns; ++i, column_sum += kWords<H>) {
        fold.add(cells[i]);
        core::add_to_sum(column_sum, cells[i]);
    }
    sums[0]++;
    core::add_to_sum(sums + key_sum_at(matrix), key_hash);
    core::add_to_sum(sums + row_sum_at(matrix), fold.result());
    if (matrix.buckets == 1) return;
    core::add_to_sum(matrix.bucket(bucket_index(range, core::low_half(key_hash), matrix.buckets)), fold.result());
}

}  // namespace parity::backend
