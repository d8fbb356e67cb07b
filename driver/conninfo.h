#pragma once

#include <string>
#include <string_view>

#include "driver/model.h"

namespace parity::driver {

/// Refuses a connection string that libpq cannot read, or of which it would take a part of the password for something
/// else (an unescaped "@" or "/" in a URI) and then quote it. Error kUsage; its message holds nothing of the string.
void check_conninfo(Side side, const std::string& conninfo);

/// A message of libpq's reader of connection strings without anything that it quotes.
std::string without_quoted_parts(std::string_view message);

/// A message of several lines as one.
std::string one_line(std::string_view message);

}  // namespace parity::driver
