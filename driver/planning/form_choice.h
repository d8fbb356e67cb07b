#pragma once

#include <string>
#include <string_view>

#include "driver/model/inventory.h"
#include "driver/model/sides.h"

/// What two columns are hashed as (docs/digest-format.md, sections 2.8 and 2.9). Pure.
namespace parity::driver {

struct FormChoice {
    std::string form;                 ///< empty: there is none
    Both<std::string> asked_forms{};  ///< as ColumnPlan::asked_forms
    bool lossy = false;               ///< of either side
    std::string reason;               ///< why there is none, and what can be done
};

/// The form of a pair without --form: the first of the source's that the target has too, without lossy ones and never
/// `jsonb_raw`. `real` and `double precision` share forms but not their values, so that one must be asked for.
FormChoice default_form(const ColumnDesc& source, const ColumnDesc& target);

/// The form that --form names, in the way that each side has it.
/// Throws: Error{kUsage}, where a side has no such form, naming `option`, the column, the side, its type and the forms
/// that it has.
FormChoice asked_form_of(std::string_view option, const std::string& form, const ColumnDesc& source,
                         const ColumnDesc& target);

/// "ignores blanks at the end of a text": what a lossy form (as asked for) does with values.
std::string describe_loss(std::string_view form);

}  // namespace parity::driver
