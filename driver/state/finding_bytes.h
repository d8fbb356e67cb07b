#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "driver/model/results.h"

/// Parts of a finding as the bytes of one column of a table that stores findings.
namespace parity::driver {

std::string pack_columns(const std::vector<int>& columns);
std::string pack_values(const ShownValues& values);

/// Requires: the bytes are what the function above gave.
std::vector<int> unpack_columns(std::string_view packed);
ShownValues unpack_values(std::string_view packed);

}  // namespace parity::driver
