#pragma once

#include "backend/pg.h"

#include "core/bytes.h"

/// Text search values: docs/digest-format.md, section 2.5.
namespace parity::backend {

void append_tsvector(TSVector vector, core::ByteSink& sink);
void append_tsquery(TSQuery query, core::ByteSink& sink);

}  // namespace parity::backend
