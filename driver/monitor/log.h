#pragma once

#include <memory>
#include <string_view>

#include <spdlog/logger.h>

#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/monitor/observer.h"
#include "driver/monitor/terminal.h"

namespace parity::driver {

/// A logger that prints through `terminal`: "pgparity: warning: …", one line a message, notes (info) without a level's
/// name, and debug messages only if `verbose`. Thread-safe.
/// Requires: `terminal` outlives it.
std::shared_ptr<spdlog::logger> make_log(Terminal& terminal, bool verbose);

/// Writes what observers hear into the log: failures of tables as errors, those that may pass as warnings, details as
/// debug messages.
class LogObserver : public Observer {
  public:
    explicit LogObserver(std::shared_ptr<spdlog::logger> log) : log_(std::move(log)) {}

    void begin_run(const Plan& plan) override { plan_ = &plan; }
    void detail(std::size_t table, const std::string& text) override;
    bool wants_details() const override;
    void reopen_table(std::size_t table, const TableResult& before) override;
    void postpone_table(std::size_t table, const Error& why, std::chrono::milliseconds pause) override;
    /// Nothing of what an interruption made fail.
    void read_around(std::size_t table, const Error& why) override;
    void finish_table(std::size_t table, const TableResult& result) override;

  private:
    const std::shared_ptr<spdlog::logger> log_;
    const Plan* plan_ = nullptr;
};

}  // namespace parity::driver
