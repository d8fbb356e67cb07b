#pragma once

#include <string_view>

#include "core/bytes.h"
#include "driver/postgres/values/scratch.h"

/// Decoders of text search values and of hstore, whose parts are kept in another order than that of their UTF-8 bytes;
/// as SimpleDecoder takes them (decoder.h).
/// Throws: each of them Error{kInternal} for bytes that are no value of the type.
namespace parity::driver {

void append_tsvector(std::string_view wire, WireScratch& scratch, core::ByteSink& sink);
void append_tsquery(std::string_view wire, WireScratch& scratch, core::ByteSink& sink);

/// What hstore_send() makes. In a database of another encoding than the client's the lengths in it are those of the
/// strings before they were converted, so that it cannot be read.
/// Requires: the database's encoding is that of the client.
void append_hstore(std::string_view wire, WireScratch& scratch, core::ByteSink& sink);
/// What hstore_out() makes, which no setting influences.
void append_hstore_text(std::string_view wire, WireScratch& scratch, core::ByteSink& sink);

}  // namespace parity::driver
