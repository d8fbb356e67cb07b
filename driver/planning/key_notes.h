#pragma once

#include <optional>
#include <string>

#include "driver/model/inventory.h"
#include "driver/model/sides.h"

/// What the report says about a table's key.
namespace parity::driver {

/// What a key that is not both sides' own lacks. `key` are its columns, by the sides' names.
struct KeyRemark {
    std::string text;
    bool sides_differ = false;  ///< the schemas differ in it; else it is the same on both sides
};

/// Why a chosen key of the sides' own is not proven: the sides have other keys, or a key proves nothing on a side.
/// `keys` are those of the relations; `has_children`: they are read with the rows of inheritance children.
KeyRemark explain_unproven(const Both<KeyDesc>& keys, const Both<bool>& has_children);

/// The note about a key that a side would have, had each of its columns a form. `used`: the key that is taken instead,
/// by its columns' names as they are shown; empty: none.
/// Returns: nothing where there is no such key.
std::optional<std::string> explain_unused(Side side, const RelationDesc& relation, const std::string& used);

}  // namespace parity::driver
