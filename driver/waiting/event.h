#pragma once

namespace parity::driver {

/// Something that happens once and that a thread can poll for beside a socket. Thread-safe.
class Event {
  public:
    /// Takes a descriptor.
    /// Throws: Error{kResources} where there is no descriptor left.
    Event();
    ~Event();
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    void set() noexcept;

    /// Becomes readable once the event is set, and stays so.
    /// Requires: nobody reads from it.
    int fd() const { return fd_; }

  private:
    const int fd_;
};

}  // namespace parity::driver
