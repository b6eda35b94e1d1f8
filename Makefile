# SPDX-License-Identifier: GPL-2.0-or-later
#
# hairpind. `make demo` and `make check` are all a newcomer needs; V=1 shows the commands.
# Every path is a variable, DESTDIR is respected, CFLAGS and LDFLAGS are the user's.

VERSION     := 0.1.0

PREFIX      ?= /usr/local
SBINDIR     ?= $(PREFIX)/sbin
BINDIR      ?= $(PREFIX)/bin
LIBEXECDIR  ?= $(PREFIX)/libexec
DATADIR     ?= $(PREFIX)/share
MANDIR      ?= $(DATADIR)/man
DOCDIR      ?= $(DATADIR)/doc/hairpind
SYSCONFDIR  ?= /etc
RUNSTATEDIR ?= /run
STATEDIR    ?= /var/lib
# Whose files make install brings: systemd, openrc, procd or none.
INIT        ?= systemd
UNITDIR     ?= /lib/systemd/system
SYSUSERSDIR ?= /usr/lib/sysusers.d
BASHCOMPDIR ?= $(DATADIR)/bash-completion/completions
ZSHCOMPDIR  ?= $(DATADIR)/zsh/site-functions
FISHCOMPDIR ?= $(DATADIR)/fish/vendor_completions.d

# Whom a DNS provider may write to, an address or a URL: part of the User-Agent of updates.
CONTACT     ?=

CC          ?= cc
INSTALL     ?= install
PKG_CONFIG  ?= pkg-config
CFLAGS      ?= -O2 -g
ifeq ($(origin CC),default)
CC := cc
endif

BUILD       := build
ASAN        := $(BUILD)/asan

# --- rooms and programs -----------------------------------------------------------------------
# A program is its file in src/ and the rooms it may enter; tests/check-layers guards the floors.

ROOMS           := base model config kernel internet system provider doctor import hooks core publisher ctl supervisor
ROOMS_hairpind        := base model config kernel system hooks core supervisor
ROOMS_hairpin-publish := base model config internet system provider publisher
ROOMS_hairpinctl      := base model config kernel system doctor import hooks ctl
# hairpinctl does without libev.
WITHOUT_hairpinctl    := src/system/loop.c
PROGRAMS        := hairpind hairpin-publish hairpinctl

LIBS_hairpind        := libmnl libnftnl libcjson
LIBS_hairpin-publish := libcurl libcares libcjson libssl libcrypto ldns
LIBS_hairpinctl      := libmnl libnftnl libcjson
LDLIBS_hairpind        := -lev
LDLIBS_hairpin-publish := -lev
LDLIBS_hairpinctl      := -lresolv
LIBS_all   := libmnl libnftnl libcjson libcurl libcares libssl libcrypto ldns
LDLIBS_all := -lev -lresolv

# Optional: its parsers, for the address source "upnp". UPNP= builds without.
UPNP := $(shell $(PKG_CONFIG) --exists miniupnpc 2>/dev/null && echo miniupnpc)
LIBS_hairpin-publish += $(UPNP)
LIBS_all             += $(UPNP)

# --- flags ------------------------------------------------------------------------------------

STANDARD := -std=gnu17 -D_GNU_SOURCE -Iinclude -MMD -MP
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wwrite-strings -Wvla -Wformat=2 -Wundef
HARDENING := -fPIE -fstack-protector-strong -fstack-clash-protection \
             -fno-plt -ffunction-sections -fdata-sections
HARDENING_LD := -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--gc-sections -Wl,--as-needed
SANITIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
ifneq ($(filter x86_64-%,$(shell $(CC) -dumpmachine 2>/dev/null)),)
HARDENING += -fcf-protection
else ifneq ($(filter aarch64-%,$(shell $(CC) -dumpmachine 2>/dev/null)),)
HARDENING += -mbranch-protection=standard
endif

# The C library checks sizes only in optimized code; its level 3 needs a compiler that knows sizes at run time. A
# distribution that sets its own level keeps it.
OPTIMIZED := $(filter-out -O0,$(filter -O%,$(CFLAGS)))
ifeq ($(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),)
FORTIFY := $(if $(OPTIMIZED),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(shell printf '\043include <string.h>\n' | \
	$(CC) -O2 -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -E - >/dev/null 2>&1 && echo 3 || echo 2))
HARDENING += $(FORTIFY)
endif

PATHS := -DHAIRPIN_VERSION='"$(VERSION)"' -DHAIRPIN_SYSCONFDIR='"$(SYSCONFDIR)/hairpind"' \
         -DHAIRPIN_RUNSTATEDIR='"$(RUNSTATEDIR)/hairpind"' -DHAIRPIN_STATEDIR='"$(STATEDIR)/hairpind"' \
         -DHAIRPIN_LIBEXECDIR='"$(LIBEXECDIR)/hairpind"' -DHAIRPIN_DATADIR='"$(DATADIR)/hairpind"' \
         $(if $(UPNP),-DHAIRPIN_UPNP) $(if $(CONTACT),-DHAIRPIN_CONTACT='"$(CONTACT)"')

pc_cflags = $(shell $(PKG_CONFIG) --cflags $(1) 2>/dev/null)
pc_libs   = $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null)

Q := @
ifeq ($(V),1)
Q :=
endif
say = @printf '  %-8s %s\n' '$(1)' '$(2)'
ifeq ($(V),1)
say = @:
endif

# --- programs ---------------------------------------------------------------------------------

sources = $(foreach room,$(1),$(wildcard src/$(room)/*.c))
sources_of = $(filter-out $(WITHOUT_$(1)),$(call sources,$(ROOMS_$(1)))) src/$(1).c
objects = $(patsubst src/%.c,$(1)/obj/%.o,$(2))

all: $(addprefix $(BUILD)/,$(PROGRAMS))
asan: $(addprefix $(ASAN)/,$(PROGRAMS)) $(BUILD)/lab/warp.so $(BUILD)/lab/forbidden.so $(BUILD)/lab/starve.so

define program
$(BUILD)/$(1): $(call objects,$(BUILD),$(call sources_of,$(1)))
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(CFLAGS) $$(HARDENING_LD) $$(LDFLAGS) -o $$@ $$^ $$(call pc_libs,$$(LIBS_$(1))) $$(LDLIBS_$(1)) $$(LDLIBS)
$(ASAN)/$(1): $(call objects,$(ASAN),$(call sources_of,$(1))) $(ASAN)/reports.o
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(SANITIZE) -pie $$(LDFLAGS) -o $$@ $$^ $$(call pc_libs,$$(LIBS_$(1))) $$(LDLIBS_$(1)) $$(LDLIBS)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

$(BUILD)/obj/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(STANDARD) $(WARNINGS) $(HARDENING) $(PATHS) $(call pc_cflags,$(LIBS_all)) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(ASAN)/obj/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$< (asan))
	$(Q)$(CC) $(STANDARD) $(WARNINGS) -fPIE $(PATHS) $(call pc_cflags,$(LIBS_all)) $(CPPFLAGS) $(SANITIZE) -c -o $@ $<

# Sanitizers' reports, for tests/run. Itself without sanitizers: they call it.
$(ASAN)/reports.o: tests/reports.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(STANDARD) $(WARNINGS) -fPIE $(CPPFLAGS) -O2 -g -c -o $@ $<

# Holds what everything is compiled with; newer than the objects when that changed (a package sets other paths).
FLAGS := $(CC) $(HARDENING) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(PATHS)
$(BUILD)/flags: force
	@mkdir -p $(BUILD)
	@echo '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || echo '$(subst ','\'',$(FLAGS))' > $@
force:

# --- tests ------------------------------------------------------------------------------------
# tests/fuzz: each target replays its corpus. tests/unit and tests/kernel: one program a file, linked with all rooms (what it does not need stays out), so that a test may
# bring its own double of a lower floor.

UNIT_TESTS   := $(patsubst tests/unit/%.c,$(ASAN)/tests/unit/%,$(wildcard tests/unit/test_*.c))
KERNEL_TESTS := $(patsubst tests/kernel/%.c,$(ASAN)/tests/kernel/%,$(wildcard tests/kernel/test_*.c))
PROPERTIES   := $(patsubst tests/property/%.c,$(ASAN)/tests/property/%,$(wildcard tests/property/*.c))
REPLAYS      := $(patsubst tests/fuzz/%.c,$(ASAN)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
HOSTILE      := $(patsubst tests/hostile/%.c,$(ASAN)/tests/hostile/%,$(wildcard tests/hostile/*.c))
BENCH        := $(BUILD)/bench/engine $(BUILD)/bench/provider
ALL_OBJECTS   = $(call objects,$(1),$(call sources,$(ROOMS)))

$(ASAN)/libhairpin.a: $(call ALL_OBJECTS,$(ASAN))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/libhairpin.a: $(call ALL_OBJECTS,$(BUILD))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(ASAN)/tests/%: tests/%.c $(ASAN)/reports.o $(ASAN)/libhairpin.a
	@mkdir -p $(@D)
	$(call say,TEST,$<)
	$(Q)$(CC) $(STANDARD) $(WARNINGS) -Isrc -Itests $(PATHS) -fPIE -pie $(call pc_cflags,$(LIBS_all) cmocka) $(CPPFLAGS) $(SANITIZE) \
		-o $@ $< $(ASAN)/reports.o $(ASAN)/libhairpin.a $(LDFLAGS) $(call pc_libs,$(LIBS_all) cmocka) $(LDLIBS_all) -ldl

$(BUILD)/bench/engine: tests/bench/engine.c tests/bench/replay.c tests/bench/replay.h $(BUILD)/libhairpin.a
	@mkdir -p $(@D)
	$(call say,BENCH,$@)
	$(Q)$(CC) $(STANDARD) $(WARNINGS) -Isrc -Itests $(PATHS) $(call pc_cflags,$(LIBS_all)) $(CPPFLAGS) $(CFLAGS) \
		-Wl,--wrap=mnl_socket_sendto -o $@ $(filter %.c,$^) $(BUILD)/libhairpin.a \
		$(LDFLAGS) $(call pc_libs,$(LIBS_all)) $(LDLIBS_all)

$(BUILD)/bench/provider: tests/bench/provider.c
	@mkdir -p $(@D)
	$(call say,BENCH,$@)
	$(Q)$(CC) $(STANDARD) $(WARNINGS) $(CPPFLAGS) $(CFLAGS) -o $@ $< $(LDFLAGS) $(LDLIBS_all)

$(ASAN)/tests/fuzz/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(ASAN)/reports.o $(ASAN)/libhairpin.a
	@mkdir -p $(@D)
	$(call say,TEST,$<)
	$(Q)$(CC) $(STANDARD) $(WARNINGS) -Isrc -Itests $(PATHS) -fPIE -pie $(call pc_cflags,$(LIBS_all) cmocka) $(CPPFLAGS) $(SANITIZE) \
		-o $@ $^ $(LDFLAGS) $(call pc_libs,$(LIBS_all) cmocka) $(LDLIBS_all)

# With libFuzzer in it; tests/fuzz/run calls this with clang and its flags.
$(BUILD)/fuzzer_%: tests/fuzz/fuzz_%.c $(BUILD)/libhairpin.a
	$(call say,FUZZ,$<)
	$(Q)$(CC) $(STANDARD) $(WARNINGS) -Isrc -Itests $(PATHS) $(call pc_cflags,$(LIBS_all) cmocka) $(CPPFLAGS) $(CFLAGS) \
		-DHAIRPIN_FUZZER -fsanitize=fuzzer -o $@ $< $(BUILD)/libhairpin.a $(LDFLAGS) $(call pc_libs,$(LIBS_all) cmocka) $(LDLIBS_all)

# Virtual time for whole-system tests, preloaded.
$(BUILD)/lab/%.so: tests/lab/%.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(STANDARD) $(WARNINGS) $(CPPFLAGS) -O2 -g -fPIC -shared -o $@ $< $(LDFLAGS)

# Put before the sanitizer's library: lets allocations fail (tests/torture).
$(ASAN)/tests/torture/fail.so: tests/torture/fail.c tests/torture/refuse.h
	@mkdir -p $(@D)
	$(call say,TEST,$<)
	$(Q)$(CC) $(STANDARD) $(WARNINGS) $(call pc_cflags,cmocka) -O2 -g -fPIC -shared -o $@ $< -ldl

tests: $(ASAN)/tests/torture/fail.so $(UNIT_TESTS) $(KERNEL_TESTS) $(PROPERTIES) $(REPLAYS) $(HOSTILE)

check: deps
	$(Q)$(MAKE) --no-print-directory all asan tests
	$(Q)tests/run

# The tests that take long; SEED=N for another course of events.
soak: deps
	$(Q)$(MAKE) --no-print-directory all asan tests
	$(Q)TEST_GROUP=soak tests/run
	$(Q)HAIRPIN_BUILD=$(BUILD) HAIRPIND_SECCOMP=trap tests/run system/
	$(Q)$(MAKE) --no-print-directory analyze

# Writes what the last runs measured into tests/README.md.
results:
	$(Q)tests/results

demo: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/lab/demo

bench: deps
	$(Q)$(MAKE) --no-print-directory all $(BENCH)
	$(Q)tests/bench/run

fuzz: deps
	$(Q)tests/fuzz/run

lint:
	$(Q)tests/lint

# What takes minutes: gcc's analyzer, clang-tidy with .clang-tidy, and all of lint.
analyze:
	$(Q)tests/analyze '$(subst ','\'',$(filter-out -MMD -MP,$(STANDARD)) $(WARNINGS) $(PATHS) $(call pc_cflags,$(LIBS_all)) $(CPPFLAGS))'

# Brings the packages where something is missing; without root it prints the one command to run.
deps:
	$(Q)tests/deps

# --- installation -----------------------------------------------------------------------------
# Never a configuration: the built-in default holds until the admin writes one, examples lie with the documentation.

PROVIDERS = $(wildcard conf/providers/*.json)
HOOKS     = $(wildcard hooks/*)
EXAMPLES  = $(wildcard conf/*example.json conf/minimal.json)
MAN5      = $(wildcard packaging/man/*.5)
MAN7      = $(wildcard packaging/man/*.7)
MAN8      = $(wildcard packaging/man/*.8)
UNITS     = $(wildcard packaging/systemd/*.service)
INIT_FILES_systemd = $(addprefix $(UNITDIR)/,$(notdir $(UNITS))) $(SYSUSERSDIR)/hairpind.conf
INIT_FILES_openrc  = /etc/init.d/hairpind /etc/conf.d/hairpind
INIT_FILES_procd   = /etc/init.d/hairpind /etc/capabilities/hairpind.json
DASHBOARD = packaging/grafana/hairpind.json
ALERTS    = packaging/prometheus/hairpind.rules.yml

substitute = sed -e 's,@SBINDIR@,$(SBINDIR),g' -e 's,@BINDIR@,$(BINDIR),g' -e 's,@LIBEXECDIR@,$(LIBEXECDIR),g' \
		-e 's,@SYSCONFDIR@,$(SYSCONFDIR),g' -e 's,@DATADIR@,$(DATADIR),g'

# The pages in the source tree speak of a distribution's places.
man_paths = sed -i -e 's,/usr/share/hairpind,$(DATADIR)/hairpind,g' -e 's,/etc/hairpind,$(SYSCONFDIR)/hairpind,g' \
		-e 's,/run/hairpind,$(RUNSTATEDIR)/hairpind,g' -e 's,/var/lib/hairpind,$(STATEDIR)/hairpind,g'
MAN_INSTALLED = $(addprefix man5/,$(notdir $(MAN5))) $(addprefix man7/,$(notdir $(MAN7))) \
	$(addprefix man8/,$(notdir $(MAN8)))

# $(call put,MODE,DIRECTORY,FILES): copies; nothing for no files.
put = $(if $(strip $(3)),$(Q)printf '  %-8s %s\n' INSTALL '$(2)' && $(INSTALL) -d '$(DESTDIR)$(2)' && \
	$(INSTALL) -m $(1) $(3) '$(DESTDIR)$(2)')

install: all
	$(if $(filter systemd openrc procd none,$(INIT)),,$(error INIT is systemd, openrc, procd or none, and not "$(INIT)"))
	$(call put,0755,$(SBINDIR),$(BUILD)/hairpind)
	$(call put,0755,$(BINDIR),$(BUILD)/hairpinctl)
	$(call put,0755,$(LIBEXECDIR)/hairpind,$(BUILD)/hairpin-publish)
	$(call put,0644,$(DATADIR)/hairpind/providers,$(PROVIDERS) conf/providers/README.md)
	$(call put,0644,$(DATADIR)/hairpind,$(wildcard conf/*.schema.json))
	$(call put,0755,$(DATADIR)/hairpind/hooks,$(HOOKS))
	$(call put,0644,$(DATADIR)/hairpind/grafana,$(DASHBOARD))
	$(call put,0644,$(DATADIR)/hairpind/prometheus,$(ALERTS))
	$(call put,0644,$(DOCDIR)/examples,$(EXAMPLES))
	$(call put,0644,$(DOCDIR),$(wildcard README.md CHANGELOG.md))
	$(call put,0644,$(MANDIR)/man5,$(MAN5))
	$(call put,0644,$(MANDIR)/man7,$(MAN7))
	$(call put,0644,$(MANDIR)/man8,$(MAN8))
	$(Q)cd '$(DESTDIR)$(MANDIR)' && $(man_paths) $(MAN_INSTALLED)
	$(call put,0644,$(ZSHCOMPDIR),packaging/completion/_hairpinctl)
	$(call put,0644,$(FISHCOMPDIR),packaging/completion/hairpinctl.fish)
	$(call put,0644,$(BASHCOMPDIR),packaging/completion/hairpinctl.bash)
	$(Q)mv '$(DESTDIR)$(BASHCOMPDIR)/hairpinctl.bash' '$(DESTDIR)$(BASHCOMPDIR)/hairpinctl'
	$(Q)$(INSTALL) -d '$(DESTDIR)$(SYSCONFDIR)/hairpind/hooks.d'
	$(Q)$(MAKE) --no-print-directory install-$(INIT)

# $(call fill,FROM,TO,MODE): with the paths that were chosen.
fill = $(Q)printf '  %-8s %s\n' INSTALL '$(2)' && $(INSTALL) -d '$(DESTDIR)$(dir $(2))' && \
	$(substitute) '$(1)' > '$(DESTDIR)$(2)' && chmod $(3) '$(DESTDIR)$(2)'

install-systemd: $(addprefix install-,$(notdir $(UNITS)))
	$(call put,0644,$(SYSUSERSDIR),packaging/systemd/hairpind.sysusers)
	$(Q)mv '$(DESTDIR)$(SYSUSERSDIR)/hairpind.sysusers' '$(DESTDIR)$(SYSUSERSDIR)/hairpind.conf'
install-%.service: packaging/systemd/%.service
	$(call fill,$<,$(UNITDIR)/$*.service,0644)
install-openrc:
	$(call fill,packaging/openrc/hairpind.initd,/etc/init.d/hairpind,0755)
	$(call fill,packaging/openrc/hairpind.confd,/etc/conf.d/hairpind,0644)
install-procd:
	$(call fill,packaging/openwrt/hairpind.init,/etc/init.d/hairpind,0755)
	$(call fill,packaging/openwrt/hairpind.capabilities.json,/etc/capabilities/hairpind.json,0644)
install-none:

INSTALLED = $(SBINDIR)/hairpind $(BINDIR)/hairpinctl $(LIBEXECDIR)/hairpind/hairpin-publish \
	$(addprefix $(DATADIR)/hairpind/providers/,$(notdir $(PROVIDERS))) $(DATADIR)/hairpind/hairpind.schema.json \
	$(addprefix $(DATADIR)/hairpind/hooks/,$(notdir $(HOOKS))) \
	$(DATADIR)/hairpind/grafana/$(notdir $(DASHBOARD)) $(DATADIR)/hairpind/prometheus/$(notdir $(ALERTS)) \
	$(addprefix $(DOCDIR)/examples/,$(notdir $(EXAMPLES))) $(DOCDIR)/README.md $(DOCDIR)/CHANGELOG.md \
	$(addprefix $(MANDIR)/,$(MAN_INSTALLED)) $(DATADIR)/hairpind/provider.schema.json \
	$(DATADIR)/hairpind/providers/README.md \
	$(BASHCOMPDIR)/hairpinctl $(ZSHCOMPDIR)/_hairpinctl $(FISHCOMPDIR)/hairpinctl.fish \
	$(INIT_FILES_$(INIT))
INSTALLED_DIRECTORIES = $(LIBEXECDIR)/hairpind $(DATADIR)/hairpind/providers $(DATADIR)/hairpind/hooks \
	$(DATADIR)/hairpind/grafana $(DATADIR)/hairpind/prometheus $(DATADIR)/hairpind \
	$(DOCDIR)/examples $(DOCDIR) $(SYSCONFDIR)/hairpind/hooks.d $(SYSCONFDIR)/hairpind

# Configuration, state and users stay: they are the admin's.
uninstall:
	$(call say,REMOVE,what make install brought)
	$(Q)rm -f $(foreach file,$(INSTALLED),'$(DESTDIR)$(file)')
	$(Q)rmdir $(foreach directory,$(INSTALLED_DIRECTORIES),'$(DESTDIR)$(directory)') 2>/dev/null || true

clean:
	$(Q)rm -rf $(BUILD)

-include $(shell [ -d $(BUILD) ] && find $(BUILD) -name '*.d')

.PHONY: force all asan tests check soak results demo bench fuzz lint analyze deps install install-systemd install-openrc install-procd install-none uninstall clean
.DELETE_ON_ERROR:
