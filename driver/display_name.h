#pragma once

#include <string>
#include <string_view>

#include "driver/model.h"

namespace parity::driver {

/// An identifier for people: in double quotes only where SQL would need them (keywords aside), control characters
/// escaped.
std::string display_name(std::string_view identifier);

/// "public.orders".
std::string display_name(const QualifiedName& name);

/// "public.orders", or "old.orders → new.orders" where the names differ.
std::string display_name(const Both<QualifiedName>& names);

/// What a plan is about: a table's names, or "large objects", which is no table's name; or how one side calls it.
std::string display_name(const TablePlan& plan);
std::string display_name(const TablePlan& plan, Side side);

}  // namespace parity::driver
