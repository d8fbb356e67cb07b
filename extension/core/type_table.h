#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/form.h"

/// Which types have which forms (docs/digest-format.md, sections 2.8 and 2.9): the one table of types that are made of
/// no others. Each side adds how values are read: the backend in values/type_rules.cpp, the driver in
/// postgres/values/type_rules.cpp; neither compiles where it reads other types and forms than these.
namespace parity::core {

/// How a type's values have a form.
enum class TypeUse : std::uint8_t {
    kFreely,  ///< values that differ have different bytes
    kLossy,   ///< only when asked for: values that differ may be equal under it
    kInZone,  ///< the same, and a time zone must be named with it
    kStored,  ///< only inside a server: the bytes as they are stored
};

struct TypeForm {
    std::string_view type;  ///< pg_type.typname, in pg_catalog or of an extension
    Form form;
    TypeUse use = TypeUse::kFreely;
    std::string_view extension{};  ///< empty: the type is PostgreSQL's own
};

/// A type's first form is its default, its lossy ones come last.
inline constexpr TypeForm kTypeForms[] = {
    {"bool", Form::kBool},
    {"int2", Form::kInt},
    {"int2", Form::kDecimal},
    {"int4", Form::kInt},
    {"int4", Form::kDecimal},
    {"int8", Form::kInt},
    {"int8", Form::kDecimal},
    {"oid", Form::kInt},
    {"oid", Form::kDecimal},
    {"numeric", Form::kDecimal},
    {"float4", Form::kFloat},
    {"float4", Form::kFloat4},
    {"float8", Form::kFloat},
    {"float8", Form::kFloat4, TypeUse::kLossy},
    {"text", Form::kText},
    {"text", Form::kTrimmed, TypeUse::kLossy},
    {"text", Form::kUuid, TypeUse::kLossy},
    {"text", Form::kJson, TypeUse::kLossy},
    {"varchar", Form::kText},
    {"varchar", Form::kTrimmed, TypeUse::kLossy},
    {"varchar", Form::kUuid, TypeUse::kLossy},
    {"varchar", Form::kJson, TypeUse::kLossy},
    {"bpchar", Form::kText},
    {"bpchar", Form::kTrimmed},
    {"bpchar", Form::kUuid, TypeUse::kLossy},
    {"name", Form::kText},
    {"bytea", Form::kBytes},
    {"uuid", Form::kUuid},
    {"uuid", Form::kText},
    {"date", Form::kDate},
    {"date", Form::kTimestamp},
    {"time", Form::kTime},
    {"timetz", Form::kTimetz},
    {"timestamp", Form::kTimestamp},
    {"timestamp", Form::kTimestamptz, TypeUse::kInZone},
    {"timestamptz", Form::kTimestamptz},
    {"timestamptz", Form::kTimestamp, TypeUse::kInZone},
    {"interval", Form::kInterval},
    {"json", Form::kText},
    {"json", Form::kJson},
    {"jsonb", Form::kJson},
    {"jsonb", Form::kJsonbRaw, TypeUse::kStored},
    {"bit", Form::kBits},
    {"varbit", Form::kBits},
    {"inet", Form::kInet},
    {"cidr", Form::kInet},
    {"macaddr", Form::kMacaddr},
    {"macaddr8", Form::kMacaddr8},
    {"money", Form::kMoney},
    {"money", Form::kDecimal},
    {"point", Form::kPoint},
    {"line", Form::kLine},
    {"lseg", Form::kLseg},
    {"box", Form::kBox},
    {"circle", Form::kCircle},
    {"path", Form::kPath},
    {"polygon", Form::kPolygon},
    {"pg_lsn", Form::kUnsigned},
    {"xid8", Form::kUnsigned},
    {"xid", Form::kUnsigned},
    {"cid", Form::kUnsigned},
    {"tid", Form::kTid},
    {"pg_snapshot", Form::kSnapshot},
    {"txid_snapshot", Form::kSnapshot},
    {"char", Form::kBytes},
    {"xml", Form::kText},
    {"refcursor", Form::kText},
    {"jsonpath", Form::kText},
    {"aclitem", Form::kText},
    {"regclass", Form::kText},
    {"regtype", Form::kText},
    {"regproc", Form::kText},
    {"regprocedure", Form::kText},
    {"regoper", Form::kText},
    {"regoperator", Form::kText},
    {"regrole", Form::kText},
    {"regnamespace", Form::kText},
    {"regconfig", Form::kText},
    {"regdictionary", Form::kText},
    {"regcollation", Form::kText},
    {"tsvector", Form::kTsvector},
    {"tsquery", Form::kTsquery},
    {"citext", Form::kText, TypeUse::kFreely, "citext"},
    {"hstore", Form::kHstore, TypeUse::kFreely, "hstore"},
    {"ltree", Form::kText, TypeUse::kFreely, "ltree"},
    {"lquery", Form::kText, TypeUse::kFreely, "ltree"},
    {"ltxtquery", Form::kText, TypeUse::kFreely, "ltree"},
};

constexpr bool is_lossy(TypeUse use) { return use == TypeUse::kLossy || use == TypeUse::kInZone; }

/// The table's entry for a type and form.
/// Returns: null where there is none.
constexpr const TypeForm* find_type_form(std::string_view extension, std::string_view type, Form form) {
    for (const TypeForm& known : kTypeForms)
        if (known.form == form && known.type == type && known.extension == extension) return &known;
    return nullptr;
}

/// Whether `rules`, which have `extension`, `type` and `form`, are rules for exactly the types and forms of the table
/// that `wanted` chooses, in its order. Several rules for one of them may follow each other.
template <typename Rules, typename Wanted>
constexpr bool covers_type_table(const Rules& rules, Wanted wanted) {
    std::size_t at = 0;
    const std::size_t count = std::size(rules);
    for (const TypeForm& known : kTypeForms) {
        if (!wanted(known)) continue;
        std::size_t found = 0;
        for (; at < count && rules[at].form == known.form && rules[at].type == known.type &&
               rules[at].extension == known.extension;
             ++at)
            ++found;
        if (found == 0) return false;
    }
    return at == count;
}

}  // namespace parity::core
