#pragma once

#include <string>
#include <string_view>

namespace parity::driver {

/// Refuses a connection string that libpq cannot read, or of which it would take a part of the password for something
/// else (an unescaped "@" or "/" in a URI) and then quote it.
/// Throws: Error{kUsage} for such a string; its message names the `server` and holds nothing of the string.
void check_conninfo(std::string_view server, const std::string& conninfo);

/// Which database a connection string leads to, as one line for people: what it says of service, host, port, database
/// and user, or the environment where it says nothing. Never a password.
/// Requires: check_conninfo() accepts the string.
/// Returns: "defaults" where neither the string nor the environment says anything.
std::string describe_conninfo(const std::string& conninfo);

/// A message of libpq's reader of connection strings without anything that it quotes.
std::string without_quoted_parts(std::string_view message);

/// A message of several lines as one.
std::string one_line(std::string_view message);

}  // namespace parity::driver
