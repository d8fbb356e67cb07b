#pragma once

#include "backend/pg.h"

#include <algorithm>

#include "backend/pg_compat.h"
#include "backend/task/spec.h"
#include "core/digest.h"

/// The sums that digesting builds: for each range a count, and the key's, the row's and each column's sum.
namespace parity::backend {

/// A matrix of 64-bit words in somebody's memory (a context, or shared memory). The words of a range lie
/// together: the count, then the sums of 1 (width 64) or 2 words (width 128: low, high). Where the columns' sums are
/// not kept, there are spare words behind the last range: the columns of every range are added there, so that adding a
/// row asks no question, and nobody reads them. Behind the spare words lie the sums of rows in buckets, where there are
/// any.
struct DigestMatrix {
    core::u64* words;
    std::uint32_t ranges;
    std::uint32_t sum_words;  ///< 1 or 2
    std::size_t stride;       ///< words of one range
    std::size_t spare;        ///< words behind the last range
    std::uint32_t buckets;    ///< of each range; 1: none

    core::u64* range(std::uint32_t number) const { return words + number * stride; }
    core::u64* column_sums(std::uint32_t number) const {
        return spare > 0 ? words + stride * ranges : range(number) + 1 + sum_words * std::size_t{2};
    }
    /// The sum of a bucket.
    /// Requires: `index` is bucket_index().
    core::u64* bucket(std::size_t index) const { return words + stride * ranges + spare + index * sum_words; }
    std::size_t bucket_words() const { return buckets > 1 ? std::size_t{ranges} * buckets * sum_words : 0; }
    std::size_t total_words() const { return stride * ranges + spare + bucket_words(); }
    std::size_t bytes() const { return total_words() * sizeof(core::u64); }
};

/// The shape that a spec asks for, without memory.
DigestMatrix shape_matrix(const DigestSpec& spec);

/// A zeroed matrix in `context`.
DigestMatrix make_matrix(const DigestSpec& spec, MemoryContext context);

/// Chunks have at most so many words, unless a single range has more, and all but the last ones more than half. Each
/// is a message of its own.
inline constexpr std::size_t kChunkWords = kEachMessageWakes ? 1024 : 128;

/// Calls `work(offset, words)` for chunks of sums that can be added one by one; all together they are all sums, but
/// for the spare words, which nobody reads.
template <typename Work>
void for_each_chunk(const DigestMatrix& matrix, Work work) {
    const std::size_t ranges = std::max<std::size_t>(kChunkWords / matrix.stride, 1);
    for (std::size_t first = 0; first < matrix.ranges; first += ranges)
        work(first * matrix.stride, std::min(ranges, matrix.ranges - first) * matrix.stride);
    const std::size_t behind = matrix.total_words() - matrix.bucket_words();
    for (std::size_t at = behind; at < matrix.total_words(); at += kChunkWords)
        work(at, std::min(kChunkWords, matrix.total_words() - at));
}

/// Adds the sums of a chunk, which those of a matrix of the same shape begin with at `part`.
void add_chunk(const DigestMatrix& total, std::size_t offset, std::size_t words, const core::u64* part);

/// Adds the sums of `part`.
/// Requires: `part` has the same shape.
void add_matrix(const DigestMatrix& total, const core::u64* part);

/// Position of a sum inside a range's words; the columns' are there unless the spec wants totals only.
inline std::size_t key_sum_at(const DigestMatrix&) { return 1; }
inline std::size_t row_sum_at(const DigestMatrix& matrix) { return 1 + matrix.sum_words; }
inline std::size_t column_sum_at(const DigestMatrix& matrix, std::size_t column) {
    return 1 + matrix.sum_words * (2 + column);
}

/// Makes the digests of a matrix; knows the tag of each slice.
class DigestMaker {
  public:
    DigestMaker(const DigestSpec& spec, const DigestMatrix& matrix, MemoryContext context);
    core::Digest key(std::uint32_t range) const;
    core::Digest row(std::uint32_t range) const;
    core::Digest column(std::uint32_t range, std::size_t column) const;
    std::size_t columns() const { return spec_.column_forms.size(); }
    /// The digests of all columns of a range.
    void columns(std::uint32_t range, core::Digest* to) const;

  private:
    core::Digest make(std::uint32_t range, std::size_t at, core::Form form, std::uint32_t tag) const;
    const DigestSpec& spec_;
    const DigestMatrix& matrix_;
    std::uint32_t key_tag_;
    std::uint32_t row_tag_;
    std::uint32_t* column_tags_;
};

/// Leaves the spec with buckets if the matrices of `participants` processes, and what keep_buckets() keeps of them, are
/// within parity.max_digest_memory, and takes them away otherwise.
void fit_buckets(DigestSpec& spec, int participants);

/// Checks how much memory the matrices of `participants` processes take.
/// Errors: 54000, naming a number of ranges that would fit, where they exceed parity.max_digest_memory.
void check_digest_memory(const DigestSpec& spec, int participants);

/// The digests of key, row and columns as an SQL array.
Datum digest_array(const DigestMaker& maker, std::uint32_t range, Oid digest_type);

}  // namespace parity::backend
