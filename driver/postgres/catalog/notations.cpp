#include "driver/postgres/catalog/notations.h"

#include <utility>

namespace parity::driver {
namespace {

using Kind = Notation::Kind;

/// Types of PostgreSQL's own with the arrays of them, by their numbers in pg_type.dat.
struct KnownType {
    std::uint32_t type;
    std::uint32_t array;
    Kind kind;
};
constexpr KnownType kKnownTypes[] = {
    {18, 1002, Kind::kChar}, {700, 1021, Kind::kReal}, {790, 791, Kind::kMoney},      {3220, 3221, Kind::kLsn},
    {22, 0, Kind::kVector},  {30, 0, Kind::kVector},   {2203, 2208, Kind::kOperator}, {2204, 2209, Kind::kOperator},
};

/// The first number that pg_type.dat does not give: types with lower ones are alike everywhere.
constexpr std::uint32_t kFirstOtherType = 10000;

/// Deeper than any type is.
constexpr int kMaxDepth = 1000;

}  // namespace

bool has_known_notation(std::uint32_t type) { return type < kFirstOtherType; }

NotationFinder::NotationFinder(const TypeCatalog& catalog, int money_digits, std::string money_point)
    : catalog_(catalog), money_digits_(money_digits), money_point_(std::move(money_point)) {}

Notation NotationFinder::find(std::uint32_t type) const { return find(type, 0); }

Notation NotationFinder::known(std::uint32_t type) const {
    for (const KnownType& own : kKnownTypes) {
        if (own.type != type && own.array != type) continue;
        Notation notation{.kind = own.kind};
        if (own.kind == Kind::kMoney) notation = {.kind = own.kind, .digits = money_digits_, .point = money_point_};
        return own.type == type ? notation : Notation{.parts = {notation}};
    }
    return {};
}

Notation NotationFinder::find(std::uint32_t type, int depth) const {
    if (has_known_notation(type)) return known(type);
    const auto found = catalog_.find(type);
    if (found == catalog_.end() || depth > kMaxDepth) return {};
    const TypeDesc& desc = found->second;
    if (desc.kind == 'd') return find(desc.base, depth + 1);
    for (const std::uint32_t inner : {desc.element, desc.subtype})
        if (inner != 0) return {.parts = {find(inner, depth + 1)}};
    Notation notation;
    for (const TypeDesc::Attribute& attribute : desc.attributes) {
        notation.names.push_back(attribute.name);
        notation.parts.push_back(find(attribute.type, depth + 1));
    }
    return notation;
}

}  // namespace parity::driver
