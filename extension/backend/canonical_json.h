#pragma once

#include "backend/pg.h"

#include "core/bytes.h"

/// JSON documents as the `json` form (docs/digest-format.md, section 2.3).
namespace parity::backend {

/// The canonical bytes of a jsonb document, in `sink`.
core::ByteView jsonb_bytes(Jsonb* document, core::ByteSink& sink);

/// The canonical bytes of a json text, in `sink`. It is read by the server's own jsonb input; its errors are raised.
core::ByteView json_text_bytes(Datum json, core::ByteSink& sink);

}  // namespace parity::backend
