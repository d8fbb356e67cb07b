#pragma once

#include "backend/pg.h"

#include <bit>
#include <span>

#include "backend/rows/tuple_layout.h"
#include "backend/values/value.h"
#include "core/bytes.h"
#include "core/hash.h"

/// Hashing a column's stored values: what canonical_bytes() and the core's hash do with one Datum, done with the bytes
/// of heap tuples, many rows at a time.
namespace parity::backend {

/// Where a key part or a column stands among a row's values, and how it is read.
struct RowInput {
    int position;
    Oid type;
    ColumnReader reader;
};

/// How canonical bytes are made of stored ones where no Datum is needed.
enum class StoredForm : std::uint8_t {
    kOther,  ///< as canonical_bytes() does it
    kBool,
    kInt16,  ///< widened to eight bytes, as the next two
    kInt32,
    kUint32,
    kBytes4,  ///< as they are stored
    kBytes6,
    kBytes8,
    kBytes12,
    kBytes16,
    kFloat4,
    kFloat8,
    kVarlena,  ///< the bytes behind the header
    kPadded,   ///< the same without blanks at the end
    kNumeric,
};

/// A wanted column of a heap, or of a row that is given as Datums.
struct StoredColumn {
    ColumnReader reader;
    StoredForm form;
    bool by_value;
    std::int16_t length;  ///< pg_attribute.attlen
    std::size_t slot;     ///< in its TupleLayout, or the index among the row's Datums
};

/// The column of a relation's tuples that a reader reads.
StoredColumn stored_column(TupleDesc descriptor, const RowInput& input, const TupleLayout& layout);

/// The same of rows of Datums.
StoredColumn given_column(const RowInput& input);

/// A Datum as it would be stored: a pointer to it, or to what it points to.
inline StoredValue given_value(const StoredColumn& column, const Datum* values, const bool* nulls) {
    if (nulls[column.slot]) return nullptr;
    const Datum& value = values[column.slot];
    if (!column.by_value) return DatumGetPointer(value);
    const char* bytes = reinterpret_cast<const char*>(&value);
    return std::endian::native == std::endian::little ? bytes : bytes + sizeof(Datum) - column.length;
}

/// Canonical bytes of a stored value other than NULL, as canonical_bytes() gives them.
core::ByteView stored_bytes(const StoredColumn& column, StoredValue value, Scratch& scratch);

/// Appends a stored value, or NULL, as a frame.
void append_stored_frame(const StoredColumn& column, StoredValue value, Scratch& scratch, core::ByteSink& sink);

/// A batch's keys, of which each was framed. Those of eight bytes lie between two integers when they are read as such.
struct FixedKeys {
    std::size_t frame_bytes;  ///< of each; 0: the key is another one
    std::int64_t lowest;
    std::int64_t highest;
};

/// The key of a batch's rows, if it is one column of fixed width and not NULL in any of them: frames them, each into
/// kFrameRoom bytes, and hashes the frames.
inline constexpr std::size_t kFrameRoom = 24;
template <typename H>
FixedKeys hash_fixed_keys(const StoredColumn& column, const StoredValue* values, std::size_t rows, core::u64 seed,
                          std::uint8_t* frames, H* hashes);

/// Hashes a batch's values of one column, the cell of row i under seeds[i], into cells[i * stride]. The current context
/// is reset after each value that needs memory.
template <typename H>
void hash_cells(const StoredColumn& column, const StoredValue* values, std::size_t rows, const core::u64* seeds,
                Scratch& scratch, H* cells, std::size_t stride);

/// Hashes the cells of one row of Datums. What values need memory for is the current context's, which keeps it.
template <typename H>
void hash_given_cells(std::span<const StoredColumn> columns, const Datum* values, const bool* nulls, core::u64 seed,
                      Scratch& scratch, H* cells);

/// Gives back what was allocated in the current context, which is the caller's own for values.
inline void release_value() {
    if (!CurrentMemoryContext->isReset) MemoryContextReset(CurrentMemoryContext);
}

}  // namespace parity::backend
