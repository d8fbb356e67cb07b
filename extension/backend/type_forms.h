#pragma once

#include "backend/pg.h"

#include <optional>
#include <string_view>

#include "core/bytes.h"
#include "core/form.h"

/// Which types have which forms (docs/digest-format.md, section 2.8).
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
    kUint32,
    kUint64,
    kNumeric,
    kFloat4,
    kFloat8,
    kText,  ///< also varchar, json, xml, citext and refcursor: characters behind a varlena header
    kBpchar,
    kName,
    kEnum,
    kOutput,  ///< text by an output function that no setting influences
    kObjectName,
    kBytea,
    kChar,  ///< "char"
    kUuid,
    kDate,
    kMicros,  ///< time, timestamp, timestamptz
    kTimetz,
    kInterval,
    kJsonText,
    kJsonb,
    kJsonbRaw,
    kBits,
    kInet,
    kMacaddr,
    kMacaddr8,
    kPoint,
    kLine,
    kLseg,
    kBox,
    kCircle,
    kPath,
    kPolygon,
    kTid,
    kSnapshot,
    kTsvector,
    kTsquery,
    kHstore,
    kArray,
    kRange,
    kMultirange,
    kRecord,
};

struct NestedReader;

/// How the values of a column become canonical bytes of a form. Trivially copyable; what it points to lives in the
/// context in which the reader was made.
struct ColumnReader {
    core::Form form;
    Reader reader;
    const char* name;            ///< the form's full name
    const NestedReader* nested;  ///< for kOutput, kObjectName, kArray, kRange, kMultirange, kRecord
};

/// An attribute of a composite type.
struct AttributeReader {
    int position;         ///< in the tuple, from 0
    core::ByteView name;  ///< UTF-8
    ColumnReader reader;
};

/// What reading a value made of others needs.
struct NestedReader {
    Oid type;
    ColumnReader element;  ///< of an array, a range or a multirange
    int16 element_length;
    bool element_by_value;
    char element_align;
    TypeCacheEntry* range;  ///< of a range, or of a multirange's ranges
    TupleDesc record;
    std::span<const AttributeReader> attributes;  ///< in the order of the form
    FmgrInfo output;
};

/// Most forms of one type.
inline constexpr int kMaxForms = 2;

/// The full names of a type's forms, the default first; gives how many, 0 where the type is not comparable. Domains are
/// taken as their base type. In the current context.
int forms_of_type(Oid type, const char* (&names)[kMaxForms]);

/// How to read a type under its default form, or under the form of a name; nothing where it has none. In the current
/// context.
std::optional<ColumnReader> default_reader(Oid type);
std::optional<ColumnReader> find_reader(Oid type, std::string_view form_name);

/// Whether the order of the form (docs/digest-format.md, section 7) is also the order in which a B-tree of the type's
/// default operator class under `collation` keeps the values.
bool is_natively_ordered(Oid type, core::Form form, Oid collation);

}  // namespace parity::backend
