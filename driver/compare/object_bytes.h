#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "driver/engine/large_objects.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"

/// Whether large objects have the same contents: the bytes that reading them gives, and how many. Nothing here runs
/// anything.
///
/// A server stores an object as pages of at most LOBLKSIZE bytes, a quarter of its blocks' size. A page that is not
/// there, and what a page lacks before the next one, reads as zeros; an object ends where its last page does, and one
/// without pages is empty. So what is stored may differ where contents do not: a dump writes zeros where there were
/// holes.
namespace parity::driver {

/// What was found of one object.
struct LargeObjectComparison {
    std::uint32_t object = 0;
    Both<std::uint64_t> length{0, 0};
    std::optional<std::uint64_t> first_difference;  ///< where contents begin to differ; nothing: they are the same
    FindingCounts stored;  ///< pages that differ as they are stored; says nothing where the sides' pages differ in size
};

/// Compares the objects that any side has pages of, ascending, and calls `take` with each. `page_bytes` is LOBLKSIZE of
/// each side.
/// Throws: Error{kServer} where a side's pages are none: not ascending, or longer than they can be.
void compare_large_object_bytes(Both<LargeObjectPages*> pages, Both<std::int64_t> page_bytes,
                                const std::function<void(const LargeObjectComparison&)>& take);

}  // namespace parity::driver
