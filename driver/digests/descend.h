#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/form.h"
#include "driver/digests/buckets.h"
#include "driver/digests/lockstep.h"
#include "driver/digests/ranges.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// Where differences are: divergent ranges of a division.
struct DivergentRanges {
    std::vector<std::string> bounds;
    std::vector<DivergentRange> divergent;
    std::vector<std::int32_t> parents;  ///< parallel to them: the range of the first pass that each is a part of
    bool exact = true;           ///< whether they were digested under the forms that count; if not, they may be equal
    std::vector<int> columns{};  ///< what rows were, in their digests; empty: all columns
    int buckets = 1;             ///< more: `divergent` are buckets of the ranges, so many each
    Both<HashTotal> keys{};      ///< of buckets: those of all rows of their ranges
};

/// Whether a second, finer pass over the divergent ranges is worth its while before their rows are read: they hold many
/// rows, both absolutely and in proportion to the table. (Where every row differs that was one pass too many, which is
/// little beside reading all rows.)
bool worth_descending(const Comparison& comparison);

/// Into how many ranges all divergent ranges together should be divided, so that the digests of the finer ranges and
/// the rows that then are left to be read cost least. The number of differences is estimated from the share of equal
/// ranges, as if differences fell on ranges at random.
std::size_t finer_ranges(const Comparison& comparison);

/// What descending needs from the servers. Digests are under the forms that count where `exact`, else under those of
/// the first pass.
struct DescentCalls {
    /// Bounds of a division of the whole table into at most so many ranges.
    std::function<std::vector<std::string>(int ranges)> split;
    /// Digests the ranges on both sides and compares them.
    /// Returns: nothing where a server has no memory for so many.
    std::function<std::optional<Comparison>(const RangeList& ranges, bool exact)> compare;
    /// The differing buckets of divergent ranges of the last pass.
    /// Returns: nothing where a server has none.
    std::function<std::optional<std::vector<DivergentRange>>(const std::vector<DivergentRange>&)> differing_buckets{};
};

/// What there is to know about the first pass, which is the last one when descending begins.
struct FirstPass {
    const std::vector<std::string>& bounds;
    const std::vector<core::Form>& key_forms;
    int width;
    bool exact;          ///< under the forms that count
    bool can_leave_out;  ///< whether both sides can digest rows without some of their columns
    int buckets = 1;     ///< of each range, which a pass was asked for; 1: none
    /// The differing buckets of its divergent ranges; nothing where a server had none.
    std::optional<std::vector<DivergentRange>> differing_buckets{};
};

/// Into how many buckets each of so many ranges should be divided, of a table with about so many rows (below 0:
/// unknown) and a key of these forms.
int buckets_for(std::size_t ranges, double rows, const std::vector<core::Form>& key_forms);

/// Narrows the divergent ranges of a first pass down: to their buckets where these are known, which costs nothing; else
/// with one finer pass where that is worth its while; otherwise gives them as they are. The finer pass looks at columns
/// that differ. Where the first pass was not exact and many rows are left, they are digested again exactly: they may
/// have been written another way without having been changed.
/// Throws: TotalsError where a further pass does not cover exactly the rows of the ranges that it looks at;
/// Error{kInternal} where a further pass finds no difference and the forms do not allow that.
DivergentRanges descend(const FirstPass& pass, const Comparison& first, const DescentCalls& calls);

}  // namespace parity::driver
