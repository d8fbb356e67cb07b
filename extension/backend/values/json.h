#pragma once

#include "backend/pg.h"

#include "core/bytes.h"

/// JSON documents as the `json` form (docs/digest-format.md, section 2.3).
namespace parity::backend {

void append_jsonb(Jsonb* document, core::ByteSink& sink);

/// A json text is read by the server's own jsonb input.
/// Errors: those of jsonb input.
void append_json_text(Datum json, core::ByteSink& sink);

}  // namespace parity::backend
