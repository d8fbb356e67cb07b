#pragma once

#include <memory>

#include "driver/compare/context.h"
#include "driver/engine/server.h"
#include "driver/model/error.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/salvage/salvage.h"

/// Tables of which something cannot be read.
namespace parity::driver {

/// Which sides an attempt at a table could not read: those that its failure is about.
/// Returns: none where reading around the place would not help.
Both<bool> unreadable_sides(const TablePlan& table, const Error& failure);

/// The table as it is read around what cannot be read on these sides: with conditions, which are planned with this
/// role's rights, and under the forms that count.
TablePlan salvage_plan(TablePlan table, const Both<bool>& sides, bool run_owners_code);

/// What could not be read stays so until it was read: a result that failed has the letters of the one before, and a
/// letter that both have counts the attempts.
void carry_dead_letters(const TableResult& before, TableResult& result);

/// The sides of a table that are read around what cannot be read.
class SalvagedSides {
  public:
    /// Requires: the transactions on `table` are open.
    SalvagedSides(const RunContext& context, const TablePlan& table, const Both<ServerSession*>& sessions,
                  const Both<bool>& sides);

    Both<Salvage*> get() const { return {sides_.source.get(), sides_.target.get()}; }

    /// Puts what could not be read into the result.
    void store(TableResult& result);

  private:
    Both<std::unique_ptr<Salvage>> sides_;
};

}  // namespace parity::driver
