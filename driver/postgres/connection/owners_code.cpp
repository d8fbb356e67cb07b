#include "driver/postgres/connection/owners_code.h"

#include <fmt/format.h>

#include "driver/text/display_name.h"

namespace parity::driver {

std::string describe_owners_code(std::string_view function, std::string_view owner, std::string_view user) {
    return fmt::format("function {} of role {}, which {} uses", function, display_name(owner), user);
}

std::string why_owners_code_is_not_run(std::string_view code, std::string_view side) {
    return fmt::format(
        "the planner on {} would run {} with the rights of this role; connect as a role that has SELECT only, or use "
        "the extension without a condition, or accept it with --run-owners-code",
        side, code);
}

}  // namespace parity::driver
