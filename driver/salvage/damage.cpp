#include "driver/salvage/damage.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "driver/text/display_name.h"
#include "driver/text/show.h"
#include "driver/waiting/retry.h"

namespace parity::driver {
namespace {

/// A server's message begins with the side, which an entry tells already.
std::string without_side(std::string message, Side side) {
    const std::string prefix = std::string(side_name(side)) + ": ";
    return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

}  // namespace

bool is_dead_letter(const Error& error) { return remedy_for(error) == Remedy::kDeadLetter; }

Damage::Damage(const TablePlan& table, Side side, DeadLetterCount& count)
    : table_(table), side_(side), count_(count), unread_(forms_of(table.key)) {}

Damage::~Damage() { count_.remove(places_.size()); }

bool Damage::explains(const Error& error) const {
    return is_dead_letter(error) && (error.server().empty() || error.server() == side_name(side_));
}

void Damage::add(DeadLetter place, const Error& error) {
    place.side = side_;
    place.sqlstate = error.sqlstate();
    place.message = without_side(error.what(), side_);
    if (!error.hint().empty()) place.message += "; hint: " + error.hint();
    places_.push_back(std::move(place));
    const bool within_run = count_.add();
    if (within_run && places_.size() <= kMostDeadLettersOfTable) return;
    throw Error(ErrorKind::kResources,
                within_run ? fmt::format("more than {} places of {} cannot be read on the {}; the last one: {}",
                                         kMostDeadLettersOfTable, display_name(table_.name[side_]), side_name(side_),
                                         error.what())
                           : fmt::format("more than {} places cannot be read in all tables together; the last one: {}",
                                         kMostDeadLettersOfRun, error.what()),
                {}, std::string(side_name(side_)), error.sqlstate());
}

void Damage::forget() {
    count_.remove(places_.size());
    places_.clear();
    unindexed_ = unknown_ = 0;
    unread_ = UnreadRows(forms_of(table_.key));
}

std::vector<DeadLetter> Damage::take_places() { return std::exchange(places_, {}); }

}  // namespace parity::driver
