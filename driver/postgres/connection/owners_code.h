#pragma once

#include <string>
#include <string_view>

namespace parity::driver {

/// Why a table is not read, with what to do about it, from a row of owners_code_query(): planning would run "function
/// public.f(integer) of role app, which index public.i uses". `side` is its name.
std::string why_owners_code_is_not_run(std::string_view function, std::string_view owner, std::string_view user,
                                       std::string_view side);

}  // namespace parity::driver
