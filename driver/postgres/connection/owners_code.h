#pragma once

#include <string>
#include <string_view>

namespace parity::driver {

/// What would run, from a row of owners_code_query(): "function public.f(integer) of role app, which index public.i
/// uses".
std::string describe_owners_code(std::string_view function, std::string_view owner, std::string_view user);

/// Why a table is not read, with what to do about it. `side` is its name.
std::string why_owners_code_is_not_run(std::string_view code, std::string_view side);

}  // namespace parity::driver
