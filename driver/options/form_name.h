#pragma once

#include <string>
#include <string_view>

/// Forms that ask for a time zone: "timestamptz@Europe/Berlin".
namespace parity::driver {

/// What parity.forms() has in the place of a time zone's name.
inline constexpr std::string_view kAnyZone = "zone";

/// A form's name without the time zones that it asks for: "timestamptz[]" of "timestamptz@Europe/Berlin[]".
std::string without_zones(std::string_view form);

/// The name of the zone that a form asks for.
/// Returns: an empty text where the form asks for none.
std::string_view zone_of(std::string_view form);

/// A form's name with this time zone in the place of each that it asks for; without it where `zone` is empty.
std::string with_zones(std::string_view form, std::string_view zone);

}  // namespace parity::driver
