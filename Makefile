# tcphs - `make demo` shows it, `make check` runs every test.
#
#	make			build/tcphsd and build/tcphsctl
#	make deps		install the Debian packages they need (root)
#	make run		the daemon in the foreground, here and now (root)
#	make demo		a walk through it in a namespace of its own (root)
#	make check		all tests (root); each kind has a target: unit
#				wire sim layers cli e2e systemd asan tsan clang lint
#				fuzz coverage
#	make bench		beside the kernel's own TCP (root): how fast, and
#				how much gets through bad networks
#	make install		PREFIX=/usr/local DESTDIR=
#
# One Makefile, no recursion into folders. Sources are listed by room, objects
# lie under $(B). V=1 shows the commands. Tests are in tests/tests.mk.

VERSION = 0.1.0

ifeq ($(origin CC),default)
CC      = gcc
endif
B       ?= build
V       ?= 0
Q       = $(if $(filter 1,$(V)),,@)

PREFIX  ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
BINDIR  ?= $(PREFIX)/bin
MANDIR  ?= $(PREFIX)/share/man
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
# Where Debian's zsh and NetworkManager look, for /usr and for other prefixes.
ZSHDIR  ?= $(PREFIX)/share/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)
NMDIR   ?= $(if $(filter /usr,$(PREFIX)),/usr/lib,/etc)/NetworkManager/conf.d

# Where Debian's Wireshark looks, whatever PREFIX is.
EXTCAPDIR ?= /usr/lib/$(shell gcc -print-multiarch)/wireshark/extcap

OPT     ?= -O2 -g
WARN    = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
	  -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings \
	  -Wvla -Wundef -Werror
CPPFLAGS += -D_GNU_SOURCE -DTCPHS_VERSION='"$(VERSION)"' \
	  -DSYSCONFDIR='"$(SYSCONFDIR)"' -Iinclude -Idaemon
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
SHARED   = daemon/community_id.c daemon/ipaddr.c daemon/jsontext.c \
	   daemon/core/stack_names.c daemon/core/addr.c \
	   daemon/core/csum.c daemon/core/pool.c daemon/core/reasm.c

LIBS_DAEMON = -lev -liniparser -ljansson -lsodium -lmnl -lcap-ng -lseccomp \
	      -lsystemd -lnettle
LIBS_CLI    = -ljansson -lsodium -lnettle -lz -lzstd -lpcap -lncursesw

MAN_SRC  = daemon/tcphsd.8.scd daemon/tcphs-analysis.7.scd cli/tcphsctl.1.scd \
	   cli/tcphs-extcap.1.scd cli/tcphs-json.5.scd conf/tcphsd.conf.5.scd \
	   daemon/tcphs-drops.7.scd daemon/tcphs-events.7.scd \
	   daemon/tcphs-explain.7.scd daemon/tcphs-metrics.7.scd \
	   daemon/tcphs-protocol.7.scd daemon/tcphs-stack.7.scd \
	   daemon/tcphs-tour.7.scd
MAN      = $(patsubst %.scd,$(B)/man/%,$(notdir $(MAN_SRC)))
COMPLETION = $(B)/completion/tcphsctl.bash $(B)/completion/_tcphsctl \
	     $(B)/completion/tcphsctl.fish

obj = $(patsubst %.c,$(B)/%.o,$(1))

# The engine's files are optimized together, and so are the analyser's: a segment
# goes through two dozen small functions of a dozen files, and costs a seventh
# less so. Only where gcc is and speed is wanted; tests link the files one by
# one, as they are.
TOGETHER = $(and $(filter cc gcc,$(notdir $(CC))),$(filter -O2,$(OPT)))
LTO      = $(if $(TOGETHER),-flto -flto-partition=one)
LDFLAGS += -fno-lto
$(B)/daemon/core/%.o $(B)/daemon/analysis/%.o $(B)/daemon/pktmem%.o: \
	CFLAGS += $(if $(TOGETHER),-flto -ffat-lto-objects)

all: $(B)/tcphsd $(B)/tcphsctl

$(B)/tcphsd: $(call obj,$(CORE) $(ANALYSIS) $(SERVICE) $(DAEMON))
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(LTO) -o $@ $^ $(LIBS_DAEMON)

$(B)/tcphsctl: $(call obj,$(CLI) $(ANALYSIS) $(SHARED))
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(LTO) -o $@ $^ $(LIBS_CLI)

$(B)/cli/schema.o: cli/analyze.schema.json $(B)/cli/schemas.json
$(B)/cli/schema.o: CFLAGS += -Wa,-I$(B)

$(B)/cli/schemas.json: cli/schema.awk cli/tcphs-json.5.scd
	@mkdir -p $(@D)
	$(Q)awk -f $^ >$@ || { rm -f $@; exit 1; }

$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(DEPFLAGS) -c -o $@ $<

vpath %.scd daemon cli conf
$(B)/man/%: %.scd
	@mkdir -p $(@D)
	@echo "  MAN     $@"
	$(Q)scdoc <$< >$@ || { rm -f $@; exit 1; }

man: $(MAN)

$(B)/completion/tcphsctl.bash: SHELL_NAME = bash
$(B)/completion/_tcphsctl: SHELL_NAME = zsh
$(B)/completion/tcphsctl.fish: SHELL_NAME = fish
$(COMPLETION): $(B)/tcphsctl
	@mkdir -p $(@D)
	$(Q)$(B)/tcphsctl completion $(SHELL_NAME) >$@

install: all $(MAN) $(COMPLETION)
	install -D -m 0755 $(B)/tcphsd $(DESTDIR)$(SBINDIR)/tcphsd
	install -D -m 0755 $(B)/tcphsctl $(DESTDIR)$(BINDIR)/tcphsctl
	install -D -m 0644 $(B)/man/tcphsd.8 $(DESTDIR)$(MANDIR)/man8/tcphsd.8
	install -D -m 0644 $(B)/man/tcphsctl.1 \
		$(DESTDIR)$(MANDIR)/man1/tcphsctl.1
	install -D -m 0644 $(B)/man/tcphs-extcap.1 \
		$(DESTDIR)$(MANDIR)/man1/tcphs-extcap.1
	install -d $(DESTDIR)$(EXTCAPDIR)
	ln -srf $(DESTDIR)$(BINDIR)/tcphsctl \
		$(DESTDIR)$(EXTCAPDIR)/tcphs-extcap
	install -D -m 0644 $(B)/man/tcphsd.conf.5 \
		$(DESTDIR)$(MANDIR)/man5/tcphsd.conf.5
	install -D -m 0644 $(B)/man/tcphs-json.5 \
		$(DESTDIR)$(MANDIR)/man5/tcphs-json.5
	install -D -m 0644 $(B)/man/tcphs-analysis.7 \
		$(DESTDIR)$(MANDIR)/man7/tcphs-analysis.7
	install -D -m 0644 $(B)/man/tcphs-drops.7 \
		$(DESTDIR)$(MANDIR)/man7/tcphs-drops.7
	install -D -m 0644 $(B)/man/tcphs-events.7 \
		$(DESTDIR)$(MANDIR)/man7/tcphs-events.7
	install -D -m 0644 $(B)/man/tcphs-explain.7 \
		$(DESTDIR)$(MANDIR)/man7/tcphs-explain.7
	install -D -m 0644 $(B)/man/tcphs-metrics.7 \
		$(DESTDIR)$(MANDIR)/man7/tcphs-metrics.7
	install -D -m 0644 $(B)/man/tcphs-protocol.7 \
		$(DESTDIR)$(MANDIR)/man7/tcphs-protocol.7
	install -D -m 0644 $(B)/man/tcphs-stack.7 \
		$(DESTDIR)$(MANDIR)/man7/tcphs-stack.7
	install -D -m 0644 $(B)/man/tcphs-tour.7 \
		$(DESTDIR)$(MANDIR)/man7/tcphs-tour.7
	[ -e $(DESTDIR)$(SYSCONFDIR)/tcphsd/tcphsd.conf ] || \
		install -D -m 0644 conf/tcphsd.conf \
			$(DESTDIR)$(SYSCONFDIR)/tcphsd/tcphsd.conf
	install -d $(DESTDIR)$(UNITDIR)
	sed 's|/usr/sbin/tcphsd|$(SBINDIR)/tcphsd|' systemd/tcphsd.service \
		>$(DESTDIR)$(UNITDIR)/tcphsd.service
	install -D -m 0644 systemd/tcphsd.sysusers \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d/tcphsd.conf
	install -D -m 0644 systemd/tcphsd.tmpfiles \
		$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/tcphsd.conf
	install -D -m 0644 systemd/tcphs.catalog \
		$(DESTDIR)$(PREFIX)/lib/systemd/catalog/tcphs.catalog
	install -D -m 0644 systemd/tcphs.network \
		$(DESTDIR)$(PREFIX)/lib/systemd/network/10-tcphs.network
	install -D -m 0644 systemd/tcphs-networkmanager.conf \
		$(DESTDIR)$(NMDIR)/10-tcphs.conf
	install -D -m 0644 $(B)/completion/tcphsctl.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/tcphsctl
	install -D -m 0644 $(B)/completion/_tcphsctl \
		$(DESTDIR)$(ZSHDIR)/_tcphsctl
	install -D -m 0644 $(B)/completion/tcphsctl.fish \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/tcphsctl.fish

run: all
	$(B)/tcphsd --foreground -c conf/tcphsd.conf

# Debian's names. What is missing is installed; nothing missing costs nothing.
DEPS_BUILD = gcc libc6-dev pkg-config libev-dev libiniparser-dev \
	     libjansson-dev libsodium-dev libmnl-dev libcap-ng-dev \
	     libseccomp-dev libsystemd-dev zlib1g-dev libzstd-dev nettle-dev libpcap-dev \
	     libncurses-dev scdoc
DEPS_DEMO  = iproute2 iputils-ping netcat-openbsd curl procps
DEPS_TEST  = libcunit1-dev libhttp-parser-dev clang libclang-rt-14-dev llvm \
	     clang-format clang-tidy cppcheck mandoc socat wrk tcpdump tshark \
	     python3 python3-scapy python3-jsonschema jq systemd systemd-container \
	     dbus gawk liblwip-dev gcovr nmap prometheus tmux valgrind zstd

define install_missing
@missing=$$(for p in $(1); do \
	dpkg-query -W -f='$${db:Status-Status}' $$p 2>/dev/null | \
		grep -qx installed || echo $$p; \
done); \
if [ -n "$$missing" ]; then \
	echo "  DEPS    $$missing" | tr '\n' ' '; echo; \
	{ apt-get update && DEBIAN_FRONTEND=noninteractive \
	apt-get install -y --no-install-recommends $$missing; } \
		>/dev/null || exit 1; \
fi
endef

deps-build:
	$(call install_missing,$(DEPS_BUILD) $(DEPS_DEMO))

deps: deps-build
	$(call install_missing,$(DEPS_TEST))

include tests/tests.mk

clean:
	rm -rf build build-*

.PHONY: all man install run deps deps-build clean

-include $(shell find $(B) -name '*.d' 2>/dev/null)
