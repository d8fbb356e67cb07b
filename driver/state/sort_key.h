#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "core/form.h"

namespace parity::driver {

/// Bytes of a sort key at most. Of longer keys only the beginning is in order; see sort_key().
inline constexpr std::size_t kMaxSortKeyBytes = 1024;

/// Turns a framed key into bytes that memcmp orders as core::compare_keys() orders the keys, so that a database can
/// sort them: integers become big endian with the sign bit turned, texts get an end that is smaller than any byte.
/// Keys that are equal in the first kMaxSortKeyBytes of that have no order among each other.
/// Requires: the key is well formed; bytes that are no frame end it.
std::string sort_key(std::span<const core::Form> forms, std::string_view framed);

}  // namespace parity::driver
