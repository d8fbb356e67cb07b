#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/bytes.h"
#include "core/hash.h"
#include "driver/digests/ranges.h"
#include "driver/engine/spec.h"

namespace parity::driver {

/// How many 64-bit words a sum of hashes takes.
constexpr std::size_t words_per_sum(bool wide) { return wide ? 2 : 1; }

/// Counts and sums of every range, as one participant has them.
class SumMatrix {
  public:
    SumMatrix() = default;
    SumMatrix(std::size_t ranges, std::size_t columns, bool wide);

    /// The bytes that such a matrix takes.
    static std::size_t bytes(std::size_t ranges, std::size_t columns, bool wide);

    /// A range's words, from 0: the count, then the sums of the key, the row and `columns` columns, one word or two
    /// each.
    std::uint64_t* range(std::size_t range) { return words_.data() + range * stride_; }

    /// How many rows were added, of all ranges.
    std::uint64_t rows() const;

    /// Adds another participant's.
    void add(const SumMatrix& other);

  private:
    std::vector<std::uint64_t> words_;
    std::size_t stride_ = 0;
    bool wide_ = false;
};

/// The digests of one range (from 0) out of a matrix; `tags` are those of slice_tags().
RangeDigests digests_of_range(SumMatrix& sums, std::size_t range, const StreamSpec& spec,
                              const std::vector<std::uint32_t>& tags);

/// The tags of the key slice, the row slice and each column's.
std::vector<std::uint32_t> slice_tags(const StreamSpec& spec);

}  // namespace parity::driver
