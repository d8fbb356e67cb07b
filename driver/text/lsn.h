#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parity::driver {

/// A position in a server's log as PostgreSQL writes it, "16/B374D848".
/// Returns: the number of bytes before it; nothing where the text is none.
std::optional<std::uint64_t> parse_lsn(std::string_view text);

/// The reverse.
std::string show_lsn(std::uint64_t lsn);

}  // namespace parity::driver
