#include "driver/options/form_name.h"

#include <algorithm>
#include <cstddef>

#include <fmt/core.h>

namespace parity::driver {

namespace {

/// A zone ends where a form that it stands in goes on.
std::size_t end_of_zone(std::string_view form, std::size_t start) {
    return std::min(form.find_first_of("[],<>", start), form.size());
}

}  // namespace

std::string with_zones(std::string_view form, std::string_view zone) {
    std::string replaced;
    for (std::size_t at = 0; at < form.size();) {
        if (form[at] != '@') {
            replaced += form[at++];
            continue;
        }
        if (!zone.empty()) replaced += fmt::format("@{}", zone);
        at = end_of_zone(form, at);
    }
    return replaced;
}

std::string without_zones(std::string_view form) { return with_zones(form, ""); }

std::string_view zone_of(std::string_view form) {
    const std::size_t at = form.find('@');
    return at == std::string_view::npos ? "" : form.substr(at + 1, end_of_zone(form, at) - at - 1);
}

}  // namespace parity::driver
