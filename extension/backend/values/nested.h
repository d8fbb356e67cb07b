#pragma once

#include "backend/pg.h"

#include "backend/values/type_forms.h"
#include "core/bytes.h"

/// Values made of others: docs/digest-format.md, sections 2.4, 2.6 and 2.7, and hstore.
namespace parity::backend {

void append_array(const NestedReader& array, Datum value, core::ByteSink& sink);
void append_range(const NestedReader& range, RangeType* value, core::ByteSink& sink);
void append_multirange(const NestedReader& multirange, Datum value, core::ByteSink& sink);
void append_record(const NestedReader& record, HeapTupleHeader value, core::ByteSink& sink);

/// Reads the on-disk format of hstore since PostgreSQL 9.0 (contrib/hstore/hstore.h), whose header is not installed
/// everywhere; its send function depends on client_encoding.
/// Requires: `stored` is the value without its varlena header.
void append_hstore(core::ByteView stored, core::ByteSink& sink);

/// Keeps room for a u32 length before what is appended next; end_counted() fills it in.
std::size_t begin_counted(core::ByteSink& sink);
void end_counted(core::ByteSink& sink, std::size_t start);

/// A value of so many bytes is too long.
/// Errors: 54000.
[[noreturn]] void raise_too_long(std::size_t bytes);

}  // namespace parity::backend
