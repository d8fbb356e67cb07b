#pragma once

#include <cstdint>
#include <string>

#include "driver/model/notation.h"
#include "driver/postgres/values/types.h"

namespace parity::driver {

/// Whether a type is PostgreSQL's own, and so has a notation without being looked up in the catalogs.
bool has_known_notation(std::uint32_t type);

/// Finds how the values of types are written on one side.
class NotationFinder {
  public:
    /// The digits and the point are those of an amount of money there.
    /// Requires: the catalog outlives it.
    NotationFinder(const TypeCatalog& catalog, int money_digits, std::string money_point);

    /// Returns: that of a type whose form tells everything, where the catalogs do not have it.
    Notation find(std::uint32_t type) const;

  private:
    Notation find(std::uint32_t type, int depth) const;
    Notation known(std::uint32_t type) const;

    const TypeCatalog& catalog_;
    const int money_digits_;
    const std::string money_point_;
};

}  // namespace parity::driver
