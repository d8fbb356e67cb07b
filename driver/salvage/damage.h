#pragma once

#include <cstdint>
#include <vector>

#include "driver/digests/unread_rows.h"
#include "driver/model/dead_letter.h"
#include "driver/model/error.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"
#include "driver/salvage/dead_letter_count.h"

namespace parity::driver {

/// A failure at something that is damaged, around which a table can be read: waiting/retry.h says which ones are such.
bool is_dead_letter(const Error& error);

/// What of one side of a table cannot be read, as far as it was found: the places, for people, and the rows there, as
/// far as the other side's are concerned.
class Damage {
  public:
    /// Requires: `table` and `count` outlive this.
    Damage(const TablePlan& table, Side side, DeadLetterCount& count);
    ~Damage();
    Damage(const Damage&) = delete;
    Damage& operator=(const Damage&) = delete;

    Side side() const { return side_; }

    /// Whether a failure tells of something on this side that cannot be read. The peer's failure comes out of this
    /// side's wait, too, and is none.
    bool explains(const Error& error) const;

    /// Takes a place, and why it cannot be read.
    /// Throws: Error{kResources} where the table or the run has more places than it may have.
    void add(DeadLetter place, const Error& error);

    /// A row whose key is not known. `visible`: it can be looked at, but its key cannot be read: then no index that is
    /// asked for it tells that.
    void lose_row(bool visible) { ++(visible ? unindexed_ : unknown_); }
    /// A block whose rows, so many at most, are not known.
    void lose_rows(std::uint64_t most) { unknown_ += most; }
    std::uint64_t unindexed_rows() const { return unindexed_; }
    std::uint64_t unknown_rows() const { return unknown_; }

    /// What was not read, as far as the other side's rows are concerned.
    UnreadRows& unread() { return unread_; }
    const UnreadRows& unread() const { return unread_; }

    /// Begins anew: the table is read under another division.
    void forget();

    /// All places. Whoever takes them keeps them in the count of the run.
    std::vector<DeadLetter> take_places();

  private:
    const TablePlan& table_;
    const Side side_;
    DeadLetterCount& count_;
    std::vector<DeadLetter> places_;
    std::uint64_t unindexed_ = 0;
    std::uint64_t unknown_ = 0;
    UnreadRows unread_;
};

}  // namespace parity::driver
