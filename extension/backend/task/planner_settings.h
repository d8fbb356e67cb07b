#pragma once

#include "backend/pg.h"

namespace parity::backend {

/// Sets a setting until the level of settings that was begun last (NewGUCNestLevel) or the (sub)transaction ends.
inline void set_for_now(const char* setting, const char* value) {
    set_config_option(setting, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

}  // namespace parity::backend
