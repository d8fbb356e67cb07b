#pragma once

#include "backend/pg.h"

#include "backend/values/type_forms.h"

/// The table of types that are made of no others: which forms they have, and how they are read.
namespace parity::backend {

/// When the form of a rule is used.
enum class Offer : std::uint8_t {
    kFreely,  ///< it keeps apart what the type's values are
    kLossy,   ///< only when asked for: values that differ may be equal under it
};

struct TypeRule {
    Oid type;
    core::Form form;
    Reader reader;
    bool native_order;  ///< the default B-tree order is the form's
    Offer offer = Offer::kFreely;
};

/// Gives `rules` the rules of a base type, its default first and lossy ones last; none where it is not comparable.
struct TypeRules {
    const TypeRule* rules[kMaxForms];
    int count;
};
TypeRules rules_of_type(Oid type);

/// Whether reading a value can raise an error although it is a valid value of its type.
bool can_fail(Reader reader);

/// Whether the form is that of a time zone, which must be named with it.
constexpr bool needs_zone(Reader reader) {
    return reader == Reader::kTimestampInZone || reader == Reader::kTimestamptzInZone;
}

}  // namespace parity::backend
