#pragma once

#include "backend/pg.h"

#include <optional>
#include <string_view>

#include "core/bytes.h"
#include "core/form.h"

/// Which types have which forms (docs/digest-format.md, section 2.8).
namespace parity::backend {

/// How Datums of one type are read.
enum class ReadMethod : std::uint8_t {
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
    kFloat8Rounded,  ///< to binary32
    kText,           ///< also varchar, json, xml, citext and refcursor: characters behind a varlena header
    kBpchar,         ///< also text and varchar, where blanks at the end do not count
    kName,
    kEnum,
    kOutput,  ///< text by an output function that no setting influences
    kObjectName,
    kBytea,
    kChar,  ///< "char"
    kUuid,
    kUuidAsText,
    kTextAsUuid,  ///< also varchar and char(n)
    kDate,
    kDateAsTimestamp,
    kMicros,             ///< time, timestamp, timestamptz
    kTimestampInZone,    ///< a reading as the instant
    kTimestamptzInZone,  ///< an instant as the reading
    kMoneyAsDecimal,
    kTimetz,
    kInterval,
    kJsonText,  ///< json, also text and varchar
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

/// What an error of reading a value is explained with.
struct ReaderGuard {
    const char* label;         ///< what it is called, as in: column "v"
    const char* default_form;  ///< of its type
};

/// How the values of a column become canonical bytes of a form. Trivially copyable; what it points to lives in the
/// context in which the reader was made.
struct ColumnReader {
    core::Form form;
    ReadMethod method;
    const char* name;            ///< the form's full name
    const char* asked;           ///< what it is asked for with: also names the time zone that a value is read in
    const NestedReader* nested;  ///< for readers that need more than the value
    bool lossy = false;          ///< values that differ may be equal under the form
    bool can_fail = false;       ///< a valid value of the type may have no canonical bytes
    const ReaderGuard* guard = nullptr;  ///< see guard_reader()
};

/// An attribute of a composite type.
struct AttributeReader {
    int position;         ///< in the tuple, from 0
    core::ByteView name;  ///< UTF-8
    ColumnReader reader;
};

/// What reading a value needs besides it.
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
    pg_tz* zone;
    int fraction_digits;  ///< of money
};

/// Most forms of one type.
inline constexpr int kMaxForms = 4;

/// A type's forms by their full names, the default first and lossy ones last. Where a time zone is to be named, the
/// name has the word "zone" for it.
struct TypeForms {
    const char* names[kMaxForms];
    int count;        ///< 0 where the type is not comparable
    int first_lossy;  ///< count where there is none
};

/// Domains are taken as their base type. In the current context.
TypeForms forms_of_type(Oid type);

/// How to read a type under its default form, or under the form of a name. In the current context.
/// Returns: nothing where the type has no such form.
/// Errors: 22023 for a time zone that does not exist.
std::optional<ColumnReader> default_reader(Oid type);
std::optional<ColumnReader> find_reader(Oid type, std::string_view form_name);

/// Lets errors of a reader of `type` name what it reads. In the current context.
void guard_reader(ColumnReader& reader, Oid type, const char* label);

/// The label of a column.
const char* column_label(const char* name);

/// Whether the order of the form (docs/digest-format.md, section 7) is also the order in which a B-tree of the type's
/// default operator class under `collation` keeps the values.
bool is_natively_ordered(Oid type, core::Form form, Oid collation);

}  // namespace parity::backend
