#include "driver/salvage/salvage.h"

#include <functional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "driver/model/sqlstates.h"
#include "driver/salvage/readable_places.h"
#include "driver/salvage/readable_ranges.h"
#include "driver/salvage/unread_ranges.h"

namespace parity::driver {
namespace {

/// Digests that are computed when the first range is asked for.
class LaterRanges : public RangeSource {
  public:
    /// `path` is told by what computes them.
    LaterRanges(std::function<std::vector<RangeDigests>()> make, const std::string& path)
        : make_(std::move(make)), path_(path) {}

    bool next(RangeDigests& range) override {
        if (!made_) ranges_ = make_();
        made_ = true;
        if (next_ == ranges_.size()) return false;
        range = std::move(ranges_[next_++]);
        return true;
    }
    const std::string& path() const override { return path_; }

  private:
    const std::function<std::vector<RangeDigests>()> make_;
    const std::string& path_;
    std::vector<RangeDigests> ranges_;
    std::size_t next_ = 0;
    bool made_ = false;
};

/// Rows that are read when the first one is asked for.
class LaterRows : public RowSource {
  public:
    explicit LaterRows(std::function<std::unique_ptr<RowSource>()> make) : make_(std::move(make)) {}
    bool next(RowDigest& row) override {
        if (!rows_) rows_ = make_();
        return rows_->next(row);
    }

  private:
    const std::function<std::unique_ptr<RowSource>()> make_;
    std::unique_ptr<RowSource> rows_;
};

std::unique_ptr<ReadableRows> make_readable(PlaceReader& reader, Damage& damage) {
    if (reader.heap().parts().empty()) return std::make_unique<ReadableRanges>(reader, damage);
    return std::make_unique<ReadablePlaces>(reader, damage);
}

}  // namespace

/// Failures of the other side end no wait of this one, which is for a part of the table at most.
class SalvageReader : public TableReader {
  public:
    explicit SalvageReader(Salvage& salvage) : salvage_(salvage) {}

    std::vector<std::string> split(int ranges) override { return salvage_.split(ranges); }
    void set_failure(SharedFailure* /*failure*/) override {}
    std::unique_ptr<RangeSource> digest(const RangeList& ranges) override {
        return std::make_unique<LaterRanges>([this, ranges] { return salvage_.readable_->digest(ranges); },
                                             salvage_.places_.path());
    }
    std::unique_ptr<RowSource> rows(const RangeList& ranges) override {
        return std::make_unique<LaterRows>([this, ranges] { return salvage_.readable_->rows(ranges); });
    }
    void values(const std::vector<std::string>& keys, const TakeValues& take) override {
        salvage_.readable_->values(keys, take);
    }
    /// Each part is read under a savepoint of its own.
    void set_savepoint() override {}
    void return_to_savepoint() override {}
    /// Rows are read by no index as it is.
    void avoid_indexes() override {}

  private:
    Salvage& salvage_;
};

Salvage::Salvage(ServerSession& session, const TablePlan& table, const TableReaderSettings& settings,
                 DeadLetterCount& count)
    : damage_(table, session.side(), count),
      places_(session, table, settings),
      readable_(make_readable(places_, damage_)) {}

std::unique_ptr<TableReader> Salvage::reader() { return std::make_unique<SalvageReader>(*this); }

/// Without bounds of this side those of the other one, or hashes, divide the table.
std::vector<std::string> Salvage::split(int ranges) {
    try {
        return places_.heap().split(places_.table(), ranges);
    } catch (const Error& error) {
        if (!damage_.explains(error)) throw;
        if (error.sqlstate() == kIndexCorrupted)
            notes_.push_back(fmt::format("an index of the key is damaged on {}: {}; the table was read without it",
                                         side_name(damage_.side()), error.what()));
        return {};
    }
}

void Salvage::find_unread(const std::vector<std::string>& bounds, const std::vector<DivergentRange>& divergent) {
    find_unread_ranges(places_.heap(), places_.table(), bounds, divergent, damage_);
}

std::vector<std::string> Salvage::notes() const {
    std::set<std::string> all = places_.notes();
    all.insert(notes_.begin(), notes_.end());
    return {all.begin(), all.end()};
}

}  // namespace parity::driver
