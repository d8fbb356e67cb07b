#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "driver/state/run_store.h"
#include "driver/state/store.h"

namespace parity::driver {

/// Whether a file that exists is an SQLite database, as a state is; a report is not.
bool is_database_file(const std::string& file);

/// Refuses a file for a report that is a state's, or belongs to it. Empty names are of no file.
/// Throws: Error{kUsage}.
void require_other_file(const std::string& output, const std::string& state);

/// A run in an SQLite file (--state). Only its owner may read it. Whoever writes it holds a lock that ends with the
/// process, however that ends.
class RunFile : public RunStore {
  public:
    /// Makes the file of a run that begins. It goes away again unless begin_run() is called.
    /// Throws: Error{kUsage} where there is such a file already, Error{kOutput} where it cannot be made.
    static std::unique_ptr<RunFile> create(const std::string& file);

    /// Opens the file of a run that goes on.
    /// Throws: Error{kUsage} where there is no such file, it is none of ours or of a newer version, it is damaged, or
    /// another process goes on with it.
    static std::unique_ptr<RunFile> open(const std::string& file);

    /// Opens the file to read it, while others may write it.
    static std::unique_ptr<RunFile> read(const std::string& file);

    ~RunFile() override;
    RunFile(const RunFile&) = delete;
    RunFile& operator=(const RunFile&) = delete;

    std::string name() const override;
    std::optional<RunRow> read_run() override;
    void begin_run(const RunRow& run, const std::function<bool(UnitRow& unit)>& next_unit) override;
    void save_head(const std::string& head) override;
    void continue_run(const std::string& head, const std::vector<UnitRow>& units,
                      const std::vector<std::int64_t>& gone_jobs) override;
    void for_each_unit(const std::function<void(const UnitRow& unit)>& take) override;
    void save_unit(const UnitRow& unit, const GiveFindings& findings,
                   const std::optional<std::vector<UnitRow>>& spans) override;
    void save_units(const std::vector<UnitRow>& units) override;
    void for_each_finding(std::int64_t job, std::int64_t unit,
                          const std::function<void(const StoredFinding&)>& take) override;

  private:
    class Lock;
    RunFile(std::string file, std::unique_ptr<Lock> lock);

    static std::unique_ptr<RunFile> open_checked(const std::string& file);
    void require_ours(bool writes);
    void mark_holder();
    void prepare_statements();
    template <typename Work>
    void in_transaction(Work work);
    void write_head(const std::string& head);
    void replace_spans(std::int64_t job, const std::vector<UnitRow>& spans);
    void write_unit(const UnitRow& unit);

    const std::string file_;
    std::mutex mutex_;
    std::unique_ptr<Lock> lock_;  ///< none: the file is only read. Ends after the store.
    std::unique_ptr<Store> store_;
    std::unique_ptr<StoreStatement> put_unit_, drop_findings_, put_finding_, select_units_, select_findings_;
};

}  // namespace parity::driver
