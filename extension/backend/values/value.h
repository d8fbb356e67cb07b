#pragma once

#include "backend/pg.h"

#include "backend/values/type_forms.h"
#include "core/bytes.h"

/// How a Datum becomes canonical bytes (docs/digest-format.md, section 2).
namespace parity::backend {

/// Canonical values that are neither in their Datum nor written to a sink are at most so long.
inline constexpr std::size_t kFixedRoom = 32;

/// Room for values that do not lie in their Datum. `sink` belongs to the one who made it; other memory is taken from
/// the current context, which should be reset for each row.
struct Scratch {
    std::uint8_t fixed[kFixedRoom];
    core::ByteSink sink;
};
Scratch make_scratch(MemoryContext context);

/// The canonical bytes of a value. They lie in the Datum, in `scratch` or in the current context, and live until the
/// scratch is used again or the context reset.
/// Requires: the value is not NULL.
/// Errors: an error about the value names the column of a guarded reader.
core::ByteView canonical_bytes(const ColumnReader& column, Datum value, Scratch& scratch);

/// Appends a value, or NULL, as a frame (section 3).
void append_framed(const ColumnReader& column, Datum value, bool null, core::ByteSink& sink);

}  // namespace parity::backend
