#pragma once

#include <functional>
#include <optional>
#include <string_view>

namespace parity::driver {

/// Calls `element` with each element of an array of one dimension (or none) in PostgreSQL's binary format, nothing for
/// NULL.
/// Throws: Error{kInternal} where `wire` is anything else.
void read_wire_array(std::string_view wire, const std::function<void(std::optional<std::string_view>)>& element);

}  // namespace parity::driver
