#include "driver/waiting/event.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/core.h>

#include "driver/model/error.h"

namespace parity::driver {

Event::Event() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ < 0) throw Error(ErrorKind::kResources, fmt::format("could not create an event: {}", std::strerror(errno)));
}

Event::~Event() { close(fd_); }

void Event::set() noexcept { eventfd_write(fd_, 1); }

}  // namespace parity::driver
