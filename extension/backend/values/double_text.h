#pragma once

#include "backend/pg.h"

#include "core/bytes.h"

namespace parity::backend {

/// Appends the shortest text of a double that reads back as the same (core::DoubleWriter).
void write_double(core::ByteSink& sink, double value);

}  // namespace parity::backend
