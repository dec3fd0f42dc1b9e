# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
#   make            build/fairlead
#   make check      unit and bpf tests (bpf: root)
#   make help       every target
#
# V=1 shows the commands. CC, CLANG, BPFTOOL, CFLAGS, PREFIX may be given;
# B=dir builds somewhere else than in build/.

CC      ?= cc
CLANG   ?= clang
BPFTOOL ?= bpftool
CFLAGS  ?= -O2 -g
PREFIX  ?= /usr/local
B       ?= build
comma   := ,

PKGS     := libbpf libxdp libmnl yaml-0.1 jansson libcrypto libcurl yajl libseccomp \
	    libcap-ng libmicrohttpd
WARN     := -Wall -Wextra -Werror -Wshadow -Wno-unused-parameter
USER     := -std=gnu11 -D_GNU_SOURCE -fno-strict-aliasing $(WARN) \
	    -Iheaders -Iuser -I$(B) -MMD -MP $(shell pkg-config --cflags $(PKGS))
# A struct without a name in another one, as the kernel has them: ms-extensions.
BPF      := -g -O2 -fno-strict-aliasing -Wall -Wextra -Werror --target=bpf -mcpu=v3 \
	    -fms-extensions -Wno-microsoft-anon-tag \
	    -Iheaders -Ibpf -idirafter /usr/include/$(shell $(CC) -dumpmachine) \
	    -MMD -MP
# Some are loaded by the one process that needs them (user/base/library.h).
LDLIBS   := $(shell pkg-config --libs $(filter-out libcurl libmicrohttpd,$(PKGS)))

# What needs no kernel is in the library that the unit tests link.
SRC      := $(filter-out user/cni/%,$(wildcard user/*/*.c))
OBJ      := $(SRC:%.c=$(B)/%.o)
LIB_OBJ  := $(filter-out $(B)/user/cli/main.o,$(OBJ))
BPF_OBJ  := $(patsubst %.c,$(B)/%.o,$(filter-out bpf/entry.bpf.c bpf/takeover.bpf.c,$(wildcard bpf/*.bpf.c)))
CNI_OBJ  := $(addprefix $(B)/user/,cni/main.o process/ask.o base/list.o)
SKEL     := $(B)/fairlead.skel.h $(B)/entry.skel.h $(B)/takeover.skel.h
TEST_LIB := $(patsubst %.c,$(B)/%.o,$(wildcard tests/lib/*.c))
UNIT     := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*/*_test.c))
BPF_TEST := $(patsubst %.c,$(B)/%,$(wildcard tests/bpf/*_test.c))
DIFFERENTIAL := $(addprefix $(B)/tests/bpf/,differential node_differential)
MATRIX   := $(B)/tests/e2e/policy_matrix
BENCH    := $(addprefix $(B)/tests/bench/,datapath policy traffic requests \
	node_traffic)
BENCH_JSON ?= $(B)/bench.json
PKTGEN_JSON ?= $(B)/pktgen.json
NODE_JSON  ?= $(B)/node.json
POLICY_JSON ?= $(B)/policy.json
FUZZ     := $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/*_fuzz.c))

ifneq ($(V),1)
.SILENT:
say = @printf '  %-7s %s\n'
else
say = @:
endif

all: $(B)/fairlead $(B)/fairlead-cni ## build everything

$(B)/fairlead: $(OBJ)
	$(say) LD $@
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

# It lies on nodes that have none of the libraries.
$(B)/fairlead-cni: $(CNI_OBJ)
	$(say) LD $@
	$(CC) $(CFLAGS) $(LDFLAGS) -static $^ -ljansson -o $@

$(OBJ) $(TEST_LIB): | $(SKEL)
$(B)/user/web/static.o: $(wildcard user/web/page/*)

$(B)/%.o: %.c
	$(say) CC $@
	mkdir -p $(@D)
	$(CC) $(CFLAGS) $(USER) -Itests/lib -c $< -o $@

$(B)/bpf/%.bpf.o: bpf/%.bpf.c
	$(say) BPF $@
	mkdir -p $(@D)
	$(CLANG) $(BPF) -c $< -o $@

$(B)/fairlead.bpf.o: $(BPF_OBJ)
	$(say) LINK $@
	$(BPFTOOL) gen object $@ $^

$(B)/fairlead.skel.h: $(B)/fairlead.bpf.o
	$(say) SKEL $@
	$(BPFTOOL) gen skeleton $< name fairlead_bpf > $@

# libxdp loads it by itself.
$(B)/entry.skel.h: $(B)/bpf/entry.bpf.o
	$(say) SKEL $@
	$(BPFTOOL) gen skeleton $< name entry_bpf > $@

# It asks for what not every kernel has.
$(B)/takeover.skel.h: $(B)/bpf/takeover.bpf.o
	$(say) SKEL $@
	$(BPFTOOL) gen skeleton $< name takeover_bpf > $@

$(B)/tests/%_test: $(B)/tests/%_test.o $(TEST_LIB) $(LIB_OBJ)
	$(say) LD $@
	$(CC) $(CFLAGS) $(LDFLAGS) $(WRAP) $^ $(LDLIBS) -lcmocka -o $@

# The host and the kernel's tables are the test's own.
$(B)/tests/unit/daemon/enforcing_test: WRAP = $(addprefix -Wl$(comma)--wrap=,\
	dp_tables dp_now_s nexthops_ifname nexthops_ifindex \
	nexthops_container nexthops_each_local policy_unplace policy_set_host)

$(B)/tests/unit/daemon/pods_test: WRAP = $(addprefix -Wl$(comma)--wrap=,\
	dp_attach dp_detach dp_attach_text if_indextoname nexthops_pods)

# A server of its own.
$(B)/tests/unit/health/probe_tls_test: LDLIBS += -lssl

# libFuzzer is clang's: make fuzz B=build-fuzz, or scripts/test.
$(B)/tests/%_fuzz: $(B)/tests/%_fuzz.o $(TEST_LIB) $(LIB_OBJ)
	$(say) LD $@
	$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer $^ $(LDLIBS) -lcmocka -o $@

$(DIFFERENTIAL) $(MATRIX): %: %.o $(TEST_LIB) $(LIB_OBJ)
	$(say) LD $@
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -lcmocka -o $@

$(B)/tests/bench/%.bpf.o: tests/bench/%.bpf.c
	$(say) BPF $@
	mkdir -p $(@D)
	$(CLANG) $(BPF) -Wno-unused-parameter -c $< -o $@

$(B)/tests/bench/%.skel.h: $(B)/tests/bench/%.bpf.o
	$(say) SKEL $@
	$(BPFTOOL) gen skeleton $< name $(subst .,_,$*)_bpf > $@

# Programs of their own, in skeletons of their own.
$(BENCH:=.o) $(B)/tests/bench/world.o: USER += -I$(B)/tests/bench
$(BENCH:=.o) $(B)/tests/bench/world.o: | $(SKEL) \
	$(B)/tests/bench/bench.skel.h $(B)/tests/bench/wire.skel.h \
	$(B)/tests/bench/policy.skel.h
$(B)/tests/bench/datapath: $(B)/tests/bench/world.o
$(addprefix $(B)/tests/bench/,datapath policy): $(B)/tests/bench/numbers.o
$(BENCH): %: %.o $(B)/tests/lib/pkt.o $(B)/tests/lib/layers.o $(LIB_OBJ)
	$(say) LD $@
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

$(B)/tests/bpf/%.bpf.o: tests/bpf/%.bpf.c
	$(say) BPF $@
	mkdir -p $(@D)
	$(CLANG) $(BPF) -Wno-unused-parameter -c $< -o $@

$(B)/tests/bpf/conns.skel.h: $(B)/tests/bpf/conns.bpf.o
	$(say) SKEL $@
	$(BPFTOOL) gen skeleton $< name conns_bpf > $@

$(B)/tests/bpf/conns_test.o: USER += -I$(B)/tests/bpf
$(B)/tests/bpf/conns_test.o: | $(B)/tests/bpf/conns.skel.h

bench: $(BENCH) ## what scripts/bench runs

# From the files that exist of these: build/bench.json, which scripts/bench
# --json writes, and build/pktgen.json, node.json and policy.json, which
# scripts/bench pktgen --json and so on do.
REPORTS := $(wildcard $(BENCH_JSON) $(PKTGEN_JSON) $(NODE_JSON) $(POLICY_JSON))
report = [ ! -e $(1) ] || tests/bench/$(2) readme $(1)
bench-report: ## what scripts/bench and its parts found, to READMEs
	[ "$(REPORTS)" ] || { echo "nothing was measured yet" >&2; exit 1; }
	$(call report,$(BENCH_JSON),report.py) README.md tests/bench/README.md
	$(call report,$(PKTGEN_JSON),pktgen_report.py) tests/bench/README.md
	$(call report,$(NODE_JSON),node_report.py) tests/bench/README.md
	$(call report,$(POLICY_JSON),policy_report.py) tests/bench/README.md

$(UNIT:=.o) $(BPF_TEST:=.o) $(FUZZ:=.o): | $(SKEL)

unit: $(UNIT) ## unit tests: no kernel, no root
	for t in $^; do ./$$t || exit 1; done

check: $(UNIT) $(BPF_TEST) ## unit and bpf tests (bpf: root)
	for t in $^; do ./$$t || exit 1; done

fuzz: CC = $(CLANG)
fuzz: CFLAGS = -O1 -g -fsanitize=fuzzer-no-link,address,undefined
fuzz: $(FUZZ) ## fuzz targets; in a build directory of their own

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined
asan: ## unit and bpf tests under ASAN and UBSAN, in build-asan/
	$(MAKE) B=build-asan CFLAGS="-O1 -g $(SANITIZE)" check

SHARE := $(DESTDIR)$(PREFIX)/share
UNIT_FILE := $(DESTDIR)$(PREFIX)/lib/systemd/system/fairlead.service

install: all ## programs, manual, unit, completion; DESTDIR, PREFIX
	install -D -m 755 $(B)/fairlead $(DESTDIR)$(PREFIX)/sbin/fairlead
	install -D -m 755 $(B)/fairlead-cni \
		$(DESTDIR)$(PREFIX)/lib/cni/fairlead-cni
	install -D -m 644 user/man/fairlead.8 $(SHARE)/man/man8/fairlead.8
	install -d $(dir $(UNIT_FILE))
	sed 's,@SBINDIR@,$(PREFIX)/sbin,' \
		scripts/packaging/systemd/fairlead.service.in >$(UNIT_FILE)
	install -D -m 644 scripts/packaging/systemd/fairlead.sysusers \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d/fairlead.conf
	install -D -m 644 scripts/packaging/completion/fairlead.bash \
		$(SHARE)/bash-completion/completions/fairlead
	install -D -m 644 scripts/packaging/completion/_fairlead \
		$(SHARE)/zsh/site-functions/_fairlead
	install -D -m 644 scripts/packaging/completion/fairlead.fish \
		$(SHARE)/fish/vendor_completions.d/fairlead.fish

clean: ## remove build/
	rm -rf $(B)

help: ## show this
	sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' Makefile

.PHONY: all unit check fuzz asan bench bench-report install clean help
.DELETE_ON_ERROR:
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
