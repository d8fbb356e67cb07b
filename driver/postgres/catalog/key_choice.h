#pragma once

#include <functional>
#include <string>
#include <vector>

#include "driver/model/inventory.h"

namespace parity::driver {

/// A valid unique index over whole columns, none of which may be NULL, and not partial.
struct UniqueIndex {
    bool primary = false;
    bool immediate = false;
    std::vector<std::string> columns;
};

/// The key of a relation out of its unique indexes, in the order of their OIDs: what parity.key() says inside a server
/// (extension/backend/task/key_choice.cpp). `comparable` tells whether a column has a form. `has_plain_children`: it
/// has inheritance children that are no partitions, about which an index proves nothing.
KeyDesc choose_key(const std::vector<UniqueIndex>& indexes, bool has_plain_children,
                   const std::function<bool(const std::string&)>& comparable);

}  // namespace parity::driver
