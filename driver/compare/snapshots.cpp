#include "driver/compare/snapshots.h"

namespace parity::driver {
namespace {

class TransactionsEnd {
  public:
    explicit TransactionsEnd(const Both<ServerSession*>& sessions) : sessions_(sessions) {}
    ~TransactionsEnd() {
        for (Side side : kSides) sessions_[side]->end();
    }
    TransactionsEnd(const TransactionsEnd&) = delete;
    TransactionsEnd& operator=(const TransactionsEnd&) = delete;

  private:
    const Both<ServerSession*> sessions_;
};

}  // namespace

Both<ServerIdentity> with_table_snapshots(const Both<ServerSession*>& sessions, const TablePlan& table,
                                          const std::function<void(const Both<TableSnapshot>&)>& work) {
    const TransactionsEnd transactions_end(sessions);
    const Both<TableSnapshot> snapshots{sessions.source->begin_table(table), sessions.target->begin_table(table)};
    work(snapshots);
    return {sessions.source->require_named_server(), sessions.target->require_named_server()};
}

}  // namespace parity::driver
