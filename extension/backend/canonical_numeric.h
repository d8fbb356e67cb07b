#pragma once

#include "backend/pg.h"

#include "core/bytes.h"

namespace parity::backend {

/// Appends the `decimal` bytes of a stored numeric, given without its varlena header. It reads the on-disk format of
/// PostgreSQL 9.1 and later directly (src/backend/utils/adt/numeric.c, "Numeric storage"): numeric's own accessors are
/// private and its send function allocates for every value. Raises XX001 where the bytes are none.
void append_numeric(core::ByteSink& sink, core::ByteView stored);

}  // namespace parity::backend
