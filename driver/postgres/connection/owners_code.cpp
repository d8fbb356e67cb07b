#include "driver/postgres/connection/owners_code.h"

#include <fmt/format.h>

#include "driver/text/display_name.h"

namespace parity::driver {

std::string why_owners_code_is_not_run(std::string_view function, std::string_view owner, std::string_view user,
                                       std::string_view side) {
    return fmt::format(
        "the planner on {} would run function {} of role {}, which {} uses, with the rights of this role; connect as a "
        "role that has SELECT only, or use the extension without a condition, or accept it with --run-owners-code",
        side, function, display_name(owner), user);
}

}  // namespace parity::driver
