# Builds and installs the server extension for the PostgreSQL that PG_CONFIG names. Everything else: CMakeLists.txt.
EXTENSION = extension/pg_parity
MODULE_big = pg_parity
DATA_built = extension/pg_parity--1.0.sql
# Scripts of released versions, and what leads from one version to the next. A released version's own is what is built.
DATA = $(filter-out %/$(notdir $(DATA_built)),$(sort $(wildcard extension/versions/*.sql)))
OBJS = $(patsubst %.cpp,%.o,$(sort $(wildcard extension/core/*.cpp extension/backend/*.cpp extension/backend/*/*.cpp)))
REGRESS = $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
EXTRA_CLEAN = $(OBJS:.o=.d) extension/backend/pg.h.gch extension/backend/pg.h.d

PG_CONFIG ?= pg_config

# A zip for PGXN, which needs no server.
ifeq ($(MAKECMDGOALS),dist)
.PHONY: dist
dist:
	scripts/dist
else

# Server headers are system headers to us: they do not compile without warnings as C++. Nothing may throw and no
# destructor may be needed (a server error is a longjmp), so that the module links without libstdc++.
PG_CPPFLAGS = -isystem $(shell $(PG_CONFIG) --includedir-server) -Iextension -MMD -MP
# PGXS passes on gcc's warning options, of which clang does not know all.
PG_CXXFLAGS = -std=c++20 -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-semantic-interposition -Wextra -Wshadow -Wno-unused-parameter -Wno-unknown-warning-option

# PGXS would compile every object a second time as bitcode, by a rule that ignores PG_CXXFLAGS.
override with_llvm = no

# Without a server's own makefiles, make would take the first rule below for all there is to do, and succeed.
PGXS := $(shell $(PG_CONFIG) --pgxs)
ifeq ($(wildcard $(PGXS)),)
$(error PG_CONFIG="$(PG_CONFIG)" leads to no PostgreSQL with the files that an extension is built with (on Debian, those of postgresql-server-dev-NN))
endif
include $(PGXS)
endif

# The script in parts, in the order of their names.
extension/pg_parity--1.0.sql: $(sort $(wildcard extension/sql/*.sql))
	cat $^ >$@

# Reading the server's headers takes half of the time of most files of the backend: a compiler that can reads them once for all.
BACKEND_OBJS = $(filter extension/backend/%,$(OBJS))
PRECOMPILED = extension/backend/pg.h.gch
$(BACKEND_OBJS): $(PRECOMPILED)
$(BACKEND_OBJS): CPPFLAGS += -include extension/backend/pg.h
$(PRECOMPILED): extension/backend/pg.h
	$(COMPILE.cc) -w -x c++-header -o $@ $<

-include $(OBJS:.o=.d) $(PRECOMPILED:.gch=.d)
