#pragma once

#include "backend/pg.h"

#include <string_view>

#include "backend/values/type_forms.h"
#include "core/type_table.h"

/// The table of types that are made of no others: which forms they have, and how they are read.
namespace parity::backend {

/// How a type's values are read under one of its forms.
struct TypeRule {
    std::string_view type;  ///< its name
    Oid oid;                ///< InvalidOid: it is of an extension
    core::Form form;
    ReadMethod method;
    bool native_order;  ///< the default B-tree order is the form's
    std::string_view extension{};
};

/// The rules of a base type, its default first and lossy ones last; none where it is not comparable.
struct TypeRules {
    const TypeRule* rules[kMaxForms];
    int count;
};
TypeRules rules_of_type(Oid type);

/// Whether values that differ may be equal under the rule's form.
bool is_lossy(const TypeRule& rule);

/// Whether reading a value can raise an error although it is a valid value of its type.
bool can_fail(ReadMethod method);

/// Whether the form is that of a time zone, which must be named with it.
constexpr bool needs_zone(ReadMethod method) {
    return method == ReadMethod::kTimestampInZone || method == ReadMethod::kTimestamptzInZone;
}

}  // namespace parity::backend
