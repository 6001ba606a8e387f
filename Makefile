# tcphs - `make` builds, `make check` runs every test, `make demo` shows it.
#
# One Makefile, no recursion. Sources are listed by room; objects lie under
# $(B). V=1 shows the commands. The test targets are in tests/tests.mk.

VERSION = 0.1.0

CC      ?= gcc
ifeq ($(origin CC),default)
CC      = gcc
endif
B       ?= build
PREFIX  ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
BINDIR  ?= $(PREFIX)/bin
MANDIR  ?= $(PREFIX)/share/man
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
UNITDIR ?= $(PREFIX)/lib/systemd/system
V       ?= 0
Q       = $(if $(filter 1,$(V)),,@)

OPT     ?= -O2 -g
WARN    = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
	  -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings \
	  -Wvla -Wundef -Werror
CPPFLAGS += -D_GNU_SOURCE -DTCPHS_VERSION='"$(VERSION)"' -Iinclude -Idaemon
CFLAGS  += -std=gnu11 $(OPT) -fno-strict-aliasing -fstack-protector-strong \
	  $(WARN)
DEPFLAGS = -MMD -MP

# Rooms.
CORE     = $(wildcard daemon/core/*.c)
ANALYSIS = $(wildcard daemon/analysis/*.c)
SERVICE  = $(wildcard daemon/service/*.c)
DAEMON   = $(wildcard daemon/*.c)
CLI      = $(wildcard cli/*.c)
# What tcphsctl shares with the daemon beside daemon/analysis.
SHARED   = daemon/ipaddr.c daemon/core/stack_names.c daemon/core/addr.c

LIBS_DAEMON = -lev -liniparser -ljansson -lsodium -lmnl -lcap-ng -lseccomp \
	      -lsystemd
LIBS_CLI    = -ljansson -lsmartcols

obj = $(patsubst %.c,$(B)/%.o,$(1))

all: $(B)/tcphsd $(B)/tcphsctl

$(B)/tcphsd: $(call obj,$(CORE) $(ANALYSIS) $(SERVICE) $(DAEMON))
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_DAEMON)

$(B)/tcphsctl: $(call obj,$(CLI) $(ANALYSIS) $(SHARED))
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_CLI)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(DEPFLAGS) -c -o $@ $<

include tests/tests.mk

clean:
	rm -rf build build-*

.PHONY: all clean

-include $(shell find $(B) -name '*.d' 2>/dev/null)
