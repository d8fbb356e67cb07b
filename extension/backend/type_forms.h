#pragma once

#include "backend/pg.h"

#include <optional>

#include "core/bytes.h"
#include "core/form.h"

/// Which types have which forms, and how a Datum becomes canonical bytes (docs/digest-format.md, section 2).
namespace parity::backend {

/// How Datums of one type are read.
enum class Reader : std::uint8_t {
    kBool,
    kInt16,
    kInt32,
    kInt64,
    kOid,
    kInt16AsDecimal,
    kInt32AsDecimal,
    kInt64AsDecimal,
    kOidAsDecimal,
    kNumeric,
    kFloat4,
    kFloat8,
    kText,
    kBpchar,
    kName,
    kEnum,
    kBytea,
    kUuid,
    kDate,
    kMicros,  ///< time, timestamp, timestamptz
    kTimetz,
    kInterval,
    kJsonText,
    kJsonb,
    kJsonbRaw,
    kArray,
};

/// How the values of a column become canonical bytes of a form. Trivially copyable.
struct ColumnReader {
    core::Form form;
    Reader reader;
    Reader element_reader;  ///< kArray only, like what follows
    Oid element_type;
    int16 element_length;
    bool element_by_value;
    char element_align;
};

/// Room for values that do not lie in their Datum. `sink` belongs to the one who made it; other memory is taken from
/// the current context, which should be reset for each row.
struct Scratch {
    std::uint8_t fixed[16];
    core::ByteSink sink;
    core::ByteSink element;
};
Scratch make_scratch(MemoryContext context);

/// Most forms of one type.
inline constexpr int kMaxForms = 2;

/// The forms of a type, the default first; gives how many, 0 where the type is not comparable. Domains are taken as
/// their base type.
int forms_of_type(Oid type, core::Form (&forms)[kMaxForms]);

/// How to read a type under a form; nothing where the type does not have the form.
std::optional<ColumnReader> find_reader(Oid type, core::Form form);

/// The canonical bytes of a non-NULL value. They lie in the Datum, in `scratch` or in the current context, and live
/// until the scratch is used again or the context reset.
core::ByteView canonical_bytes(const ColumnReader& column, Datum value, Scratch& scratch);

/// Whether the order of the form (docs/digest-format.md, section 7) is also the order in which a B-tree of the type's
/// default operator class under `collation` keeps the values.
bool is_natively_ordered(Oid type, core::Form form, Oid collation);

}  // namespace parity::backend
