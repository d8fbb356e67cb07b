#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/form.h"
#include "driver/compare.h"
#include "driver/model.h"
#include "driver/queries.h"

namespace parity::driver {

/// Where differences are: divergent ranges of a division.
struct Located {
    std::vector<std::string> bounds;
    std::vector<DivergentRange> divergent;
};

/// Whether a second, finer pass over the divergent ranges is worth its while before their rows are read: they hold many
/// rows, both absolutely and in proportion to the table, and enough ranges are equal for the differences to be sparse.
/// A few coarse ranges say nothing about that.
bool worth_descending(const Comparison& comparison);

/// How many ranges of `slices` slices each a server's memory holds in a finer pass.
std::size_t max_finer_ranges(std::size_t slices);

/// What descending needs from the servers.
struct Descent {
    /// Bounds of a division of the whole table into at most so many ranges.
    std::function<std::vector<std::string>(int ranges)> split;
    /// Digests the ranges on both sides and compares them; nothing where a server has no memory for so many.
    std::function<std::optional<Comparison>(const RangeList& ranges)> compare;
};

/// Narrows the divergent ranges of a first pass down with one finer pass where that is worth its while; otherwise gives
/// them as they are. Throws Error{kInternal} where the finer pass does not cover exactly the rows of the divergent
/// ranges (counts and row sums must be the same on each side).
Located descend(const std::vector<std::string>& bounds, Comparison first, const std::vector<core::Form>& key_forms,
                std::size_t slices, int width, const Descent& servers);

}  // namespace parity::driver
