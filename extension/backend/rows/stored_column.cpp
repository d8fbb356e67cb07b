#include "backend/rows/stored_column.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "backend/values/numeric.h"
#include "backend/values/text.h"
#include "core/float_form.h"
#include "core/order.h"

namespace parity::backend {
namespace {

template <typename T>
T load(StoredValue from) {
    T value;
    memcpy(&value, from, sizeof value);
    return value;
}

// ---- values of fixed width: find() gives kBytes canonical bytes, in the tuple or in `room` --------------------------

struct FixedBool {
    static constexpr std::size_t kBytes = 1;
    static const std::uint8_t* find(StoredValue value, std::uint8_t* room) {
        *room = *value != 0;
        return room;
    }
};

template <typename T>
struct FixedInteger {
    static constexpr std::size_t kBytes = sizeof(std::int64_t);
    static const std::uint8_t* find(StoredValue value, std::uint8_t* room) {
        core::store_le(room, std::int64_t{load<T>(value)});
        return room;
    }
};

template <typename T>
struct FixedFloat {
    static constexpr std::size_t kBytes = sizeof(std::uint64_t);
    static const std::uint8_t* find(StoredValue value, std::uint8_t* room) {
        core::store_le(room, core::canonical_float(load<T>(value)));
        return room;
    }
};

template <std::size_t Bytes>
struct FixedBytes {
    static constexpr std::size_t kBytes = Bytes;
    static const std::uint8_t* find(StoredValue value, std::uint8_t*) {
        return reinterpret_cast<const std::uint8_t*>(value);
    }
};

/// Calls `use` with the reader of a form of fixed width; false where the form has none.
template <typename Use>
bool with_fixed(StoredForm form, Use use) {
    switch (form) {
        case StoredForm::kBool:
            return use(FixedBool{}), true;
        case StoredForm::kInt16:
            return use(FixedInteger<std::int16_t>{}), true;
        case StoredForm::kInt32:
            return use(FixedInteger<std::int32_t>{}), true;
        case StoredForm::kUint32:
            return use(FixedInteger<std::uint32_t>{}), true;
        case StoredForm::kBytes4:
            return use(FixedBytes<4>{}), true;
        case StoredForm::kBytes6:
            return use(FixedBytes<6>{}), true;
        case StoredForm::kBytes8:
            return use(FixedBytes<8>{}), true;
        case StoredForm::kBytes12:
            return use(FixedBytes<12>{}), true;
        case StoredForm::kBytes16:
            return use(FixedBytes<16>{}), true;
        case StoredForm::kFloat4:
            return use(FixedFloat<float>{}), true;
        case StoredForm::kFloat8:
            return use(FixedFloat<double>{}), true;
        default:
            return false;
    }
}

/// Whether the database's texts are canonical as they are stored.
bool texts_are_canonical() { return GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII; }

/// The form of types whose values are canonical as they are stored, but for the order of bytes.
StoredForm form_of_little_endian(std::int16_t length) {
    if (std::endian::native != std::endian::little) return StoredForm::kOther;
    switch (length) {
        case 4:
            return StoredForm::kBytes4;
        case 8:
            return StoredForm::kBytes8;
        case 12:
            return StoredForm::kBytes12;
        case 16:
            return StoredForm::kBytes16;
        default:
            return StoredForm::kOther;
    }
}

StoredForm form_of(const ColumnReader& reader, std::int16_t length) {
    if (reader.guard) return StoredForm::kOther;
    switch (reader.method) {
        case ReadMethod::kBool:
            return StoredForm::kBool;
        case ReadMethod::kInt16:
            return StoredForm::kInt16;
        case ReadMethod::kInt32:
            return StoredForm::kInt32;
        case ReadMethod::kOid:
        case ReadMethod::kUint32:
            return StoredForm::kUint32;
        case ReadMethod::kInt64:
        case ReadMethod::kMicros:
        case ReadMethod::kUint64:
        case ReadMethod::kDate:
        case ReadMethod::kTimetz:
        case ReadMethod::kInterval:
            return form_of_little_endian(length);
        case ReadMethod::kMacaddr:
            return StoredForm::kBytes6;
        case ReadMethod::kMacaddr8:
            return StoredForm::kBytes8;
        case ReadMethod::kUuid:
            return StoredForm::kBytes16;
        case ReadMethod::kFloat4:
            return StoredForm::kFloat4;
        case ReadMethod::kFloat8:
            return StoredForm::kFloat8;
        case ReadMethod::kText:
            return texts_are_canonical() ? StoredForm::kVarlena : StoredForm::kOther;
        case ReadMethod::kBpchar:
            return texts_are_canonical() ? StoredForm::kPadded : StoredForm::kOther;
        case ReadMethod::kBytea:
        case ReadMethod::kJsonbRaw:
            return StoredForm::kVarlena;
        case ReadMethod::kNumeric:
            return StoredForm::kNumeric;
        default:
            return StoredForm::kOther;
    }
}

// ---- values of varying width ---------------------------------------------------------------------------------------

/// The bytes behind the header of a varlena that is neither compressed nor elsewhere.
inline std::optional<core::ByteView> plain_varlena(StoredValue value) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(value);
    if (VARATT_IS_1B(value)) {
        if (VARATT_IS_1B_E(value)) return std::nullopt;
        return core::ByteView(bytes + VARHDRSZ_SHORT, VARSIZE_1B(value) - VARHDRSZ_SHORT);
    }
    if (!VARATT_IS_4B_U(value)) return std::nullopt;
    return core::ByteView(bytes + VARHDRSZ, VARSIZE_4B(value) - VARHDRSZ);
}

/// What most values need no memory for; nothing for the others.
inline std::optional<core::ByteView> plain_bytes(StoredForm form, StoredValue value, Scratch& scratch) {
    std::optional<core::ByteView> bytes = plain_varlena(value);
    if (!bytes) return std::nullopt;
    switch (form) {
        case StoredForm::kVarlena:
            return bytes;
        case StoredForm::kPadded:
            return without_trailing_blanks(*bytes);
        case StoredForm::kNumeric:
            scratch.sink.clear();
            append_numeric(scratch.sink, *bytes);
            return scratch.sink.view();
        default:
            return std::nullopt;
    }
}

// ---- cells ---------------------------------------------------------------------------------------------------------

template <typename H>
struct CellBatch {
    const StoredValue* values;
    std::size_t rows;
    const core::u64* seeds;
    H* cells;
    std::size_t stride;
};

/// The length is known when this is compiled, so that of XXH3 only its case is left.
template <typename H, typename Fixed>
[[gnu::flatten]] void hash_fixed_cells(const CellBatch<H>& batch) {
    for (std::size_t i = 0; i < batch.rows; ++i) {
        std::uint8_t room[Fixed::kBytes];
        StoredValue value = batch.values[i];
        batch.cells[i * batch.stride] =
            value ? core::hash_bytes<H>({Fixed::find(value, room), Fixed::kBytes}, batch.seeds[i])
                  : core::null_cell_hash<H>(batch.seeds[i]);
    }
}

template <typename H>
[[gnu::noinline]] H hash_kept_cell(const StoredColumn& column, StoredValue value, core::u64 seed, Scratch& scratch) {
    CHECK_FOR_INTERRUPTS();
    return core::hash_bytes<H>(
        canonical_bytes(column.reader, fetch_att(value, column.by_value, column.length), scratch), seed);
}

template <typename H>
H hash_other_cell(const StoredColumn& column, StoredValue value, core::u64 seed, Scratch& scratch) {
    H cell = hash_kept_cell<H>(column, value, seed, scratch);
    release_value();
    return cell;
}

template <typename H, StoredForm Form>
[[gnu::flatten]] void hash_plain_cells(const StoredColumn& column, const CellBatch<H>& batch, Scratch& scratch) {
    for (std::size_t i = 0; i < batch.rows; ++i) {
        H& cell = batch.cells[i * batch.stride];
        const core::u64 seed = batch.seeds[i];
        StoredValue value = batch.values[i];
        if (!value)
            cell = core::null_cell_hash<H>(seed);
        else if (std::optional<core::ByteView> bytes = plain_bytes(Form, value, scratch))
            cell = core::hash_bytes<H>(*bytes, seed);
        else
            cell = hash_other_cell<H>(column, value, seed, scratch);
    }
}

/// Bytes are hashed after all of them are written, as with frames.
template <typename H>
[[gnu::flatten]] void hash_numeric_cells(const StoredColumn& column, const CellBatch<H>& batch, Scratch& scratch) {
    std::uint8_t rooms[kBatchRows][kNumericRoom];
    std::size_t lengths[kBatchRows];
    for (std::size_t i = 0; i < batch.rows; ++i) {
        std::optional<core::ByteView> stored;
        if (batch.values[i]) stored = plain_varlena(batch.values[i]);
        lengths[i] = stored ? write_numeric(*stored, rooms[i]) : 0;
    }
    for (std::size_t i = 0; i < batch.rows; ++i) {
        H& cell = batch.cells[i * batch.stride];
        if (lengths[i] > 0)
            cell = core::hash_bytes<H>({rooms[i], lengths[i]}, batch.seeds[i]);
        else if (!batch.values[i])
            cell = core::null_cell_hash<H>(batch.seeds[i]);
        else
            cell = hash_other_cell<H>(column, batch.values[i], batch.seeds[i], scratch);
    }
}

template <typename H>
void hash_other_cells(const StoredColumn& column, const CellBatch<H>& batch, Scratch& scratch) {
    for (std::size_t i = 0; i < batch.rows; ++i)
        batch.cells[i * batch.stride] = batch.values[i]
                                            ? hash_other_cell<H>(column, batch.values[i], batch.seeds[i], scratch)
                                            : core::null_cell_hash<H>(batch.seeds[i]);
}

// ---- cells of one row ----------------------------------------------------------------------------------------------

/// The cell of a value of varying width that needs no memory; nothing for the others.
template <typename H>
inline std::optional<H> hash_plain_cell(StoredForm form, StoredValue value, core::u64 seed) {
    const std::optional<core::ByteView> bytes = plain_varlena(value);
    if (!bytes) return std::nullopt;
    switch (form) {
        case StoredForm::kVarlena:
            return core::hash_bytes<H>(*bytes, seed);
        case StoredForm::kPadded:
            return core::hash_bytes<H>(without_trailing_blanks(*bytes), seed);
        case StoredForm::kNumeric: {
            std::uint8_t room[kNumericRoom];
            const std::size_t length = write_numeric(*bytes, room);
            if (length == 0) return std::nullopt;
            return core::hash_bytes<H>({room, length}, seed);
        }
        default:
            return std::nullopt;
    }
}

template <typename H>
[[gnu::always_inline]] inline H hash_given_cell(const StoredColumn& column, StoredValue value, core::u64 seed,
                                                Scratch& scratch) {
    if (!value) return core::null_cell_hash<H>(seed);
    H cell;
    if (with_fixed(column.form, [&](auto fixed) {
            std::uint8_t room[decltype(fixed)::kBytes];
            cell = core::hash_bytes<H>({decltype(fixed)::find(value, room), decltype(fixed)::kBytes}, seed);
        }))
        return cell;
    if (column.form != StoredForm::kOther)
        if (std::optional<H> plain = hash_plain_cell<H>(column.form, value, seed)) return *plain;
    return hash_kept_cell<H>(column, value, seed, scratch);
}

// ---- keys ----------------------------------------------------------------------------------------------------------

/// Frames are hashed after all of them are written: a load that spans two stores has to wait for them.
template <typename H, typename Fixed>
[[gnu::flatten]] FixedKeys frame_and_hash(const StoredValue* values, std::size_t rows, core::u64 seed,
                                          std::uint8_t* frames, H* hashes) {
    FixedKeys keys{1 + Fixed::kBytes, std::numeric_limits<std::int64_t>::max(),
                   std::numeric_limits<std::int64_t>::min()};
    for (std::size_t i = 0; i < rows; ++i) {
        std::uint8_t room[Fixed::kBytes];
        const auto* value = Fixed::find(values[i], room);
        frames[i * kFrameRoom] = core::kFrameValue;
        memcpy(frames + i * kFrameRoom + 1, value, Fixed::kBytes);
        if constexpr (Fixed::kBytes == sizeof(std::int64_t)) {
            const auto number = core::load_le<std::int64_t>(value);
            keys.lowest = std::min(keys.lowest, number);
            keys.highest = std::max(keys.highest, number);
        }
    }
    for (std::size_t i = 0; i < rows; ++i)
        hashes[i] = core::hash_bytes<H>({frames + i * kFrameRoom, keys.frame_bytes}, seed);
    return keys;
}

}  // namespace

StoredColumn stored_column(TupleDesc descriptor, const RowInput& input, const TupleLayout& layout) {
    Form_pg_attribute attribute = TupleDescAttr(descriptor, input.position);
    return {input.reader, form_of(input.reader, attribute->attlen), attribute->attbyval, attribute->attlen,
            layout.slot_of(input.position)};
}

StoredColumn given_column(const RowInput& input) {
    std::int16_t length;
    bool by_value;
    get_typlenbyval(input.type, &length, &by_value);
    return {input.reader, form_of(input.reader, length), by_value, length, static_cast<std::size_t>(input.position)};
}

core::ByteView stored_bytes(const StoredColumn& column, StoredValue value, Scratch& scratch) {
    core::ByteView bytes;
    if (with_fixed(column.form, [&](auto fixed) {
            bytes = {decltype(fixed)::find(value, scratch.fixed), decltype(fixed)::kBytes};
        }))
        return bytes;
    if (column.form != StoredForm::kOther)
        if (std::optional<core::ByteView> plain = plain_bytes(column.form, value, scratch)) return *plain;
    return canonical_bytes(column.reader, fetch_att(value, column.by_value, column.length), scratch);
}

void append_stored_frame(const StoredColumn& column, StoredValue value, Scratch& scratch, core::ByteSink& sink) {
    if (!value) return core::append_null_frame(sink);
    if (column.form != StoredForm::kOther)
        core::append_frame(sink, column.reader.form, stored_bytes(column, value, scratch));
    else
        append_framed(column.reader, fetch_att(value, column.by_value, column.length), false, sink);
}

template <typename H>
FixedKeys hash_fixed_keys(const StoredColumn& column, const StoredValue* values, std::size_t rows, core::u64 seed,
                          std::uint8_t* frames, H* hashes) {
    for (std::size_t i = 0; i < rows; ++i)
        if (!values[i]) return {};
    FixedKeys keys{};
    with_fixed(column.form,
               [&](auto fixed) { keys = frame_and_hash<H, decltype(fixed)>(values, rows, seed, frames, hashes); });
    return keys;
}

template <typename H>
void hash_cells(const StoredColumn& column, const StoredValue* values, std::size_t rows, const core::u64* seeds,
                Scratch& scratch, H* cells, std::size_t stride) {
    const CellBatch<H> batch{values, rows, seeds, cells, stride};
    if (with_fixed(column.form, [&](auto fixed) { hash_fixed_cells<H, decltype(fixed)>(batch); })) return;
    switch (column.form) {
        case StoredForm::kVarlena:
            return hash_plain_cells<H, StoredForm::kVarlena>(column, batch, scratch);
        case StoredForm::kPadded:
            return hash_plain_cells<H, StoredForm::kPadded>(column, batch, scratch);
        case StoredForm::kNumeric:
            return hash_numeric_cells<H>(column, batch, scratch);
        default:
            return hash_other_cells<H>(column, batch, scratch);
    }
}

template <typename H>
[[gnu::flatten]] void hash_given_cells(std::span<const StoredColumn> columns, const Datum* values, const bool* nulls,
                                       core::u64 seed, Scratch& scratch, H* cells) {
    for (const StoredColumn& column : columns)
        *cells++ = hash_given_cell<H>(column, given_value(column, values, nulls), seed, scratch);
}

template FixedKeys hash_fixed_keys(const StoredColumn&, const StoredValue*, std::size_t, core::u64, std::uint8_t*,
                                   core::u64*);
template FixedKeys hash_fixed_keys(const StoredColumn&, const StoredValue*, std::size_t, core::u64, std::uint8_t*,
                                   core::u128*);
template void hash_cells(const StoredColumn&, const StoredValue*, std::size_t, const core::u64*, Scratch&, core::u64*,
                         std::size_t);
template void hash_cells(const StoredColumn&, const StoredValue*, std::size_t, const core::u64*, Scratch&, core::u128*,
                         std::size_t);
template void hash_given_cells(std::span<const StoredColumn>, const Datum*, const bool*, core::u64, Scratch&,
                               core::u64*);
template void hash_given_cells(std::span<const StoredColumn>, const Datum*, const bool*, core::u64, Scratch&,
                               core::u128*);

}  // namespace parity::backend
