#include "driver/compare/snapshots.h"

namespace parity::driver {
namespace {

class TransactionsEnd {
  public:
    TransactionsEnd(const Both<ServerSession*>& sessions, Observer& observer, std::size_t table_no)
        : sessions_(sessions), observer_(observer), table_no_(table_no) {}
    ~TransactionsEnd() {
        for (Side side : kSides) sessions_[side]->end();
        observer_.drop_snapshots(table_no_);
    }
    TransactionsEnd(const TransactionsEnd&) = delete;
    TransactionsEnd& operator=(const TransactionsEnd&) = delete;

  private:
    const Both<ServerSession*> sessions_;
    Observer& observer_;
    const std::size_t table_no_;
};

}  // namespace

Both<ServerIdentity> with_table_snapshots(const Both<ServerSession*>& sessions, const TablePlan& table,
                                          Observer& observer, std::size_t table_no,
                                          const std::function<void(const Both<TableSnapshot>&)>& work) {
    const TransactionsEnd transactions_end(sessions, observer, table_no);
    Both<TableSnapshot> snapshots;
    for (Side side : kSides) {
        snapshots[side] = sessions[side]->begin_table(table);
        observer.take_snapshot(table_no, side);
    }
    work(snapshots);
    return {sessions.source->require_named_server(), sessions.target->require_named_server()};
}

}  // namespace parity::driver
