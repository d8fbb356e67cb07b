#pragma once

#include <string_view>

#include "core/bytes.h"

namespace parity::driver {

/// Appends the canonical `decimal` bytes of a number in JSON's notation.
/// Requires: the caller has checked that it is -?digits(.digits)?([eE][+-]?digits)?
/// Throws: Error{kServer} with 22003 where numeric's input function would refuse the number, which depends on the
/// number of written digits behind the point too.
void append_decimal_text(core::ByteSink& sink, std::string_view number);

}  // namespace parity::driver
