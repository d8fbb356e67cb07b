#pragma once

#include <string>

#include "driver/model/dead_letter.h"
#include "driver/model/plan.h"

/// How what could not be read is told to people.
namespace parity::driver {

/// The place, as "column doc of the row (id)=(17) at (12,3)".
std::string place_words(const TablePlan& table, const DeadLetter& letter);

/// The place and why, as "target: block 12 could not be read: … (XX001)".
std::string dead_letter_words(const TablePlan& table, const DeadLetter& letter);

}  // namespace parity::driver
