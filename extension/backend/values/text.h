#pragma once

#include "backend/pg.h"

#include "core/bytes.h"

/// Text of the server as the `text` form (docs/digest-format.md, section 2.2).
namespace parity::backend {

/// UTF-8 bytes of text in the database's encoding: the same bytes in a UTF8 or SQL_ASCII database, else a conversion in
/// the current context.
core::ByteView server_text_to_utf8(core::ByteView text);

/// A copy of text in the database's encoding as a UTF-8 string, in the current context.
const char* utf8_string(const char* text, std::size_t length);

/// char(n) without its blanks at the end.
core::ByteView without_trailing_blanks(core::ByteView text);

}  // namespace parity::backend
