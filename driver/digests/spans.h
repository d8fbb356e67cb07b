#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/form.h"
#include "driver/digests/ranges.h"
#include "driver/model/span.h"

/// Arithmetic on spans: parts of a table, by its key, that are compared each under snapshots of its own.
namespace parity::driver {

/// About so many spans, of about as many of the ranges between `bounds` each. Of bounds that begin with the same value
/// of the key's first column only the first one ends a span: an index is searched by that column alone.
/// Requires: the bounds are ascending key bounds of these forms; spans > 0.
std::vector<Span> spans_of_ranges(const std::vector<std::string>& bounds, std::size_t spans,
                                  const std::vector<core::Form>& key_forms);

/// The span as two of about as many of the ranges between `bounds` each; as it is where it cannot be divided so.
/// Requires: as spans_of_ranges().
std::vector<Span> halves_of_span(const Span& span, const std::vector<std::string>& bounds,
                                 const std::vector<core::Form>& key_forms);

/// The bounds that lie inside of a span, and not at its ends.
std::vector<std::string> bounds_inside(const std::vector<std::string>& bounds, const Span& span,
                                       const std::vector<core::Form>& key_forms);

/// How many numbers stand before those of a span's ranges when the ranges of the table are numbered: those of the range
/// before the span, which has so many (1, or its buckets).
std::int32_t numbers_before(const Span& span, int numbers_of_a_range);

/// Ranges of a span as ranges of the whole table: what is outside of the span becomes a range at each end that is not
/// asked for. `before` is numbers_before(), of ranges or of the buckets that `of_span` asks for.
RangeList ranges_of_table(const RangeList& of_span, const Span& span, std::int32_t before);

}  // namespace parity::driver
