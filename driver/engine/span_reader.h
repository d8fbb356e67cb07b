#pragma once

#include <memory>
#include <vector>

#include "core/form.h"
#include "driver/engine/table_reader.h"
#include "driver/model/span.h"

namespace parity::driver {

/// Reads a span of a table as if it were a table: ranges are those of the span, counted from 1. `spans` is how many
/// spans the table has, about: a division of the whole into so many times as many ranges divides the span well.
/// Requires: why_not_in_spans() of the reader has returned nothing, and its begin_span() is called first.
std::unique_ptr<TableReader> make_span_reader(std::unique_ptr<TableReader> table, Span span, std::size_t spans,
                                              std::vector<core::Form> key_forms);

}  // namespace parity::driver
