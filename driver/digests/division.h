#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/form.h"
#include "driver/digests/ranges.h"
#include "driver/model/sides.h"

/// Arithmetic on bounds (docs/digest-format.md, section 7): how a table is divided into ranges, and divided again.
namespace parity::driver {

/// What a server allows for the digests of all its participants in a scan by default.
inline constexpr std::size_t kMostDigestBytes = std::size_t{64} << 20;

/// How many ranges a table is divided into where the user does not say: a range for each 1250 rows, at least 1 and at
/// most 2048, and so few that the digests of a side, of so many slices each, fit into 8 MB.
int default_ranges(double estimated_rows, std::int64_t estimated_bytes, std::size_t slices);

/// Into how many ranges a table may be divided at most: so many that the digests of a side fit into 64 MB.
std::size_t most_ranges(std::size_t slices);

/// Whether bounds divide by key hash.
/// Returns: false where there are none.
bool are_hash_bounds(const std::vector<std::string>& bounds);

/// Checks bounds of a division.
/// Throws: Error{kInternal} unless the bounds are well formed for these key forms, of one kind and ascending.
void check_bounds(const std::vector<std::string>& bounds, const std::vector<core::Form>& key_forms);

/// Ranges of a table by the keys of one of its sides.
struct KeyDivision {
    std::vector<std::string> bounds;  ///< ascending; none: one range
    Side by = Side::kSource;          ///< the side that drew them
};

/// Which side's bounds divide the table better: the one that has more of them, but key bounds before hash bounds unless
/// they are less than half as many; the source's in doubt.
Side better_bounds(const Both<std::vector<std::string>>& bounds);

/// A finer division of some ranges of another one.
struct Subdivision : RangeList {
    std::vector<std::int32_t> parents;  ///< parallel to `only`: the number of the range that each is a part of
};

/// Divides each divergent range further. The result keeps the outer bounds of the divergent ranges, so that every new
/// range lies within one old range, and asks for those inside of divergent ranges only; equal ranges that are
/// neighbours become one. Candidates outside of divergent ranges are left out, and so are some, evenly, where more than
/// `max_candidates` lie inside.
/// Requires: `candidates` are ascending key bounds of a finer division of the table.
/// Returns: nothing where no candidate lies inside of a divergent range.
std::optional<Subdivision> subdivide_by_keys(const std::vector<std::string>& bounds,
                                             const std::vector<DivergentRange>& divergent,
                                             const std::vector<std::string>& candidates, std::size_t max_candidates,
                                             const std::vector<core::Form>& key_forms);

/// The same for hash bounds (or none), by arithmetic: each divergent range into `parts` even ones.
std::optional<Subdivision> subdivide_by_hash(const std::vector<std::string>& bounds,
                                             const std::vector<DivergentRange>& divergent, std::uint32_t parts);

/// The bounds of `ranges` even hash ranges of a whole table.
std::vector<std::string> even_hash_bounds(std::uint32_t ranges);

/// The ranges that are asked for by `list`, ascending.
std::vector<std::int32_t> requested_ranges(const RangeList& list);

/// The numbers of divergent ranges, for RangeList::only.
std::vector<std::int32_t> range_numbers(const std::vector<DivergentRange>& divergent);

}  // namespace parity::driver
