# SPDX-License-Identifier: MIT
# invreg: `make help` lists the targets.
#
# Everything is built under $(BUILD). A flavour is the same tree built elsewhere with other
# flags: build/tp (test points), build/asan, build/ubsan, build/tsan. CFLAGS and LDFLAGS of
# the user come last. SAN=address builds with a sanitizer; hosts are always left plain: they
# stand for programs that know nothing of us.

ifeq ($(origin CC),default)
CC      := gcc
endif
BUILD   ?= build
PREFIX  ?= /usr/local
SAN     ?=
V       ?= 0
Q       := $(if $(filter 1,$(V)),,@)
say      = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(2);)
sub      = +$(Q)$(MAKE) --no-print-directory

WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef \
           -Wpointer-arith -Wno-unused-parameter
OPT     ?= -O2 -g
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)
# -fno-omit-frame-pointer is not wanted on the hot path; unwind tables always are. Products and
# sums are not fused where a processor could: a session is read alike on all.
CFLAGS_ALL := -std=gnu11 $(OPT) $(WARN) -fPIC -fvisibility=hidden -ftls-model=initial-exec \
           -fasynchronous-unwind-tables -fno-strict-aliasing -ffp-contract=off -D_GNU_SOURCE -I. $(SANFLAGS) $(CFLAGS)
HOST_CFLAGS := -std=gnu11 -O2 -g $(WARN) -D_GNU_SOURCE

SHM_SRC    := $(sort $(wildcard shm/*.c))
# What of preload/ the reader judges a probe by, before a run.
PROBE_SRC  := $(sort $(wildcard preload/probe*.c)) preload/prologue.c preload/x86_decode.c preload/x86_opcodes.c
PRELOAD_SRC:= $(sort $(wildcard preload/*.c preload/python/*.c))
READER_SRC := $(sort $(wildcard reader/*.c))
MANUAL     := $(patsubst %,reader/manual/%.txt,invreg run snapshot events stats diff top history ls prune pause resume \
              filter check doctor serve probe bench probes)
UNIT_SRC   := $(sort $(wildcard tests/unit/test_*.c))
MODEL_SRC  := $(sort $(wildcard tests/model/*.c))
BENCH_SRC  := $(sort $(wildcard tests/bench/bench_*.c))

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
PROBE_PYTHON := $(sort $(wildcard reader/probe_python/*.py))
GEN_OBJ := $(addprefix $(BUILD)/obj/,help_topics.o probe_python_text.o web_files.o)
WEB_FILES := $(sort $(shell find reader/web -type f))

SHIM    := $(BUILD)/libinvreg_preload.so
READER  := $(BUILD)/invreg
UNIT    := $(BUILD)/tests/unit

READER_LIBS := -lmicrohttpd -linih -ldw -lelf -ljson-c -lncursesw -lurcu-memb -lurcu-cds -lurcu-common -lpthread -lm
# libffi_pic.a is Debian's name for the one that may go into a shared object.
SHIM_LIBS   := -Wl,-Bstatic -linih $(if $(shell $(CC) -print-file-name=libffi_pic.a | grep /),-lffi_pic,-lffi) -Wl,-Bdynamic -Wl,--exclude-libs,ALL

# Hosts on libtruth_target.so: one source each. plugin_calls is what `dlopens` loads.
HOST_DIR  := $(BUILD)/hosts
HOST_SIDE := truth truth_target plugin_calls
HOST_NAMES:= $(filter-out $(HOST_SIDE),$(patsubst tests/hosts/%.c,%,$(sort $(wildcard tests/hosts/*.c))))
HOSTS     := $(addprefix $(HOST_DIR)/,$(HOST_NAMES) ecology plugin_calls.so)
ECOLOGY_SRC := $(filter-out %/executor.c,$(sort $(wildcard tests/hosts/ecology/*.c)))

.PHONY: all man hosts demo demo-python test setup unit e2e kill kill-quick model bench bench-python bench-serve bench-plot \
        python-selftests transparency decode asan ubsan tsan valgrind test-arm64 run-arm64 \
        lint format install uninstall clean dist-clean help tp \
        run-models sanitized fuzz fuzz-quick fuzzers
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

all: $(SHIM) $(READER) hosts ## build everything: shim, reader, demo and test hosts

demo: setup ## install what is missing, build, observe the demo simulation
	$(sub) all
	$(Q)BUILD=$(BUILD) scripts/demo.sh

demo-python: setup ## the same for a simulation in Python (PYTHON=python3)
	$(sub) all
	$(Q)BUILD=$(BUILD) scripts/demo-python.sh

# Unit tests come last, so that Criterion's closing line ends the output.
test: setup ## install what is missing, then e2e, kill (quick), model and unit tests
	$(sub) e2e
	$(sub) kill-quick
	$(sub) model
	$(sub) unit

setup: ## install what is missing (Debian packages); quick when nothing is
	$(Q)scripts/setup.sh

# ---- objects and programs ---------------------------------------------------------------

# Flags are part of what an object depends on: another CFLAGS in the same BUILD rebuilds.
FLAGS_STAMP := $(BUILD)/obj/flags
FLAGS_TEXT  := $(CC) $(CFLAGS_ALL) | $(LDFLAGS)
ifneq ($(file <$(FLAGS_STAMP)),$(FLAGS_TEXT))
$(FLAGS_STAMP): force
endif
$(FLAGS_STAMP):
	@$(shell mkdir -p $(@D))$(file >$@,$(FLAGS_TEXT)):
.PHONY: force
force:

$(BUILD)/obj/%.o: %.c $(FLAGS_STAMP)
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CFLAGS_ALL) $(UNSANITIZED) $(UNTRACED) $(GENERAL) -MMD -MP -c $< -o $@

# On every call's way: no vector registers, so that they need not be saved (shm/vectors.h).
GENERAL_ONLY := $(call obj,shm/record.c shm/name_find.c shm/vectors.c preload/plan_call.c preload/entry_call.c \
                reader/own_cost.c)
FOR_X86_64 := $(filter x86_64%,$(shell $(CC) -dumpmachine))
ifneq ($(FOR_X86_64),)
$(GENERAL_ONLY): GENERAL = -mgeneral-regs-only
endif

# A sanitizer's runtime calls dlsym, ours, before it has set itself up, and so may a library's
# constructor syscall (mimalloc in CPython 3.13); and it knows nothing of text, which the entry
# tier reads and writes.
$(filter $(BUILD)/obj/preload/got% $(BUILD)/obj/preload/entry% %/elf_object.o %/prologue.o %/sandbox.o,$(call obj,$(PRELOAD_SRC))): \
  UNSANITIZED = $(if $(filter-out fuzzer%,$(SAN)),-fno-sanitize=all)

# The hot path is bound by instructions: -O3 takes about a fifth off it.
HOT := $(call obj,shm/record.c shm/name_find.c preload/plan.c preload/plan_call.c preload/wrap.c preload/entry_call.c)
$(HOT): CFLAGS_ALL += $(if $(findstring -O2,$(OPT)),-O3)

$(SHIM): $(call obj,$(SHM_SRC) $(PRELOAD_SRC)) preload/exports.map
	$(call say,LD,$@)$(CC) -shared $(SANFLAGS) -o $@ $(filter %.o,$^) $(SHIM_LIBS) -static-libgcc \
	  -Wl,--version-script=preload/exports.map \
	  -Wl,-z,now,-z,relro,-z,nodelete,--gc-sections,--as-needed $(LDFLAGS)

# What --help prints, the man pages and the completion have one source, reader/manual.
$(BUILD)/gen/help_topics.c: scripts/manual.awk $(MANUAL)
	@mkdir -p $(@D)
	$(call say,AWK,$@)awk -v mode=help -f scripts/manual.awk $(MANUAL) >$@

# What `invreg probe` runs in the program's interpreter: the parts are one text.
$(BUILD)/gen/probe_python_text.c: scripts/text.awk $(PROBE_PYTHON)
	@mkdir -p $(@D)
	$(call say,AWK,$@)awk -v header=reader/probe_python.h -v name=inv_probe_python \
	  -f scripts/text.awk $(PROBE_PYTHON) >$@

# What / serves: every file in reader/web/, with its type.
$(BUILD)/gen/web_files.c: scripts/embed.sh $(WEB_FILES)
	@mkdir -p $(@D)
	$(call say,EMBED,$@)scripts/embed.sh reader/web $(WEB_FILES) >$@

$(GEN_OBJ): $(BUILD)/obj/%.o: $(BUILD)/gen/%.c $(FLAGS_STAMP)
	$(call say,CC,$<)$(CC) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

man: $(BUILD)/man/invreg.1 $(BUILD)/man/invreg-probes.5 $(BUILD)/man/completion.bash ## man pages (scdoc) and bash completion

$(BUILD)/man/invreg.1: MODE = man
$(BUILD)/man/invreg-probes.5: MODE = probes
$(BUILD)/man/invreg.1 $(BUILD)/man/invreg-probes.5: scripts/manual.awk $(MANUAL)
	@mkdir -p $(@D)
	$(call say,MAN,$@)awk -v mode=$(MODE) -f scripts/manual.awk $(MANUAL) | scdoc >$@

$(BUILD)/man/completion.bash: scripts/manual.awk $(MANUAL)
	@mkdir -p $(@D)
	$(call say,AWK,$@)awk -v mode=completion -f scripts/manual.awk $(MANUAL) >$@

$(READER): $(call obj,$(READER_SRC) $(SHM_SRC) $(PROBE_SRC)) $(GEN_OBJ)
	$(call say,LD,$@)$(CC) $(CFLAGS_ALL) -o $@ $^ $(READER_LIBS) $(LDFLAGS)

# What of preload/ can run without being preloaded.
PURE_SRC := preload/elf_object.c preload/plan.c preload/plan_call.c preload/std_text.c preload/cxx_name.c preload/normalise.c \
            preload/prologue.c preload/seccomp.c $(wildcard preload/x86_*.c)
$(UNIT): $(call obj,$(UNIT_SRC) $(filter-out reader/main.c,$(READER_SRC)) $(SHM_SRC) $(PROBE_SRC) $(PURE_SRC)) $(GEN_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS_ALL) -o $@ $^ -lcriterion $(READER_LIBS) $(LDFLAGS)

# ---- hosts --------------------------------------------------------------------------------

hosts: $(HOSTS) ## the demo simulation and the small programs that tests observe

$(HOST_DIR)/obj/%.o: tests/hosts/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(HOST_CFLAGS) -fPIC $(if $(filter %truth_target %executor,$*),-fvisibility=hidden) \
	  -MMD -MP -c $< -o $@

$(HOST_DIR)/libtruth_target.so: $(HOST_DIR)/obj/truth_target.o
	$(call say,LD,$@)$(CC) -shared -Wl,-soname,$(@F) -o $@ $<

$(HOST_DIR)/libexecutor.so: $(HOST_DIR)/obj/ecology/executor.o
	$(call say,LD,$@)$(CC) -shared -Wl,-soname,$(@F) -o $@ $<

$(HOST_DIR)/plugin_calls.so: $(HOST_DIR)/obj/plugin_calls.o $(HOST_DIR)/libtruth_target.so
	$(call say,LD,$@)$(CC) -shared -o $@ $^ -Wl,-rpath,'$$ORIGIN'

$(HOST_DIR)/ecology: $(patsubst tests/hosts/%.c,$(HOST_DIR)/obj/%.o,$(ECOLOGY_SRC)) $(HOST_DIR)/libexecutor.so
	$(call say,LD,$@)$(CC) -o $@ $^ -Wl,-rpath,'$$ORIGIN' -pthread

$(addprefix $(HOST_DIR)/,$(HOST_NAMES)): $(HOST_DIR)/%: $(HOST_DIR)/obj/%.o $(HOST_DIR)/obj/truth.o $(HOST_DIR)/libtruth_target.so
	$(call say,LD,$@)$(CC) -o $@ $^ -Wl,-rpath,'$$ORIGIN' -pthread -ldl

# ---- tests ----------------------------------------------------------------------------------

unit: $(UNIT) ## unit tests (Criterion)
	$(UNIT) --jobs 2

# What stands on Zydis: built for x86-64, where it is (setup.sh installs it).
DECODE := $(BUILD)/tests/decode_functions $(BUILD)/tests/decode_random
DECODE_WHERE_ZYDIS_IS := $(if $(FOR_X86_64),$(if $(wildcard /usr/include/Zydis/Zydis.h),$(DECODE)))
$(DECODE): $(BUILD)/tests/decode_%: $(call obj,tests/decode/%.c tests/decode/reference.c preload/prologue.c $(wildcard preload/x86_*.c))
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS_ALL) -o $@ $^ -lZydis -lelf $(LDFLAGS)

e2e: all man $(DECODE_WHERE_ZYDIS_IS) ## the real shim, hosts and reader: tests/e2e/NN_*.sh (E2E=pattern, JOBS=n)
	$(Q)BUILD=$(BUILD) CC="$(CC)" tests/run_e2e.sh $(E2E)

# The same tree with a place to die after each visible step of a writer.
TP_CFLAGS = $(CFLAGS) -DINV_TEST_POINTS
tp:
	$(sub) BUILD=$(BUILD)/tp CFLAGS="$(TP_CFLAGS)" all

transparency: all ## programs that nobody here wrote, run bare and observed (ROWS=pattern, LONG=1)
	$(Q)BUILD=$(BUILD) CC="$(CC)" LONG=$(LONG) tests/transparency/run.sh $(ROWS)

KILL_JUDGE := $(BUILD)/kill_judge
$(KILL_JUDGE): $(call obj,tests/kill/judge.c $(SHM_SRC))
	$(call say,LD,$@)$(CC) $(CFLAGS_ALL) -o $@ $^ -lpthread $(LDFLAGS)

kill: all tp $(KILL_JUDGE) ## 1,000 random SIGKILLs of programs, 200 of readers, one at each test point (KILLS=n)
	$(Q)CC="$(CC)" tests/kill/run.sh $(BUILD) $(or $(KILLS),1000)
	$(Q)BUILD=$(BUILD) tests/kill/readers.sh $(or $(KILLS),200)
	$(Q)BUILD=$(BUILD) tests/kill/kill.sh $(or $(KILLS),1000)

kill-quick: all tp $(KILL_JUDGE) # the same with few
	$(Q)CC="$(CC)" tests/kill/run.sh $(BUILD) 100
	$(Q)BUILD=$(BUILD) tests/kill/readers.sh $(or $(KILLS),10)
	$(Q)BUILD=$(BUILD) tests/kill/kill.sh $(or $(KILLS),30)

# A model test is a C file with a main() of its own over all of shm/ with its test points,
# or a .pml for spin.
MODELS := $(patsubst tests/model/%.c,$(BUILD)/tests/model_%,$(MODEL_SRC))
$(MODELS): $(BUILD)/tests/model_%: $(BUILD)/obj/tests/model/%.o $(call obj,$(SHM_SRC))
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS_ALL) -o $@ $^ -lpthread $(LDFLAGS)

model: tp ## every interleaving of the protocols, and random operations against a plain model
	$(sub) BUILD=$(BUILD)/tp CFLAGS="$(TP_CFLAGS)" run-models
	$(Q)set -e; for m in $(wildcard tests/model/*.pml); do BUILD=$(BUILD) scripts/spin.sh $$m; done

run-models: $(MODELS)
	$(Q)set -e; for m in $(MODELS); do echo "model $$m"; $$m; done

BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/tests/%,$(BENCH_SRC))
$(BUILD)/tests/libbench_target.so: tests/bench/target.c tests/bench/target.h
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -O2 -fPIC -I. -shared -Wl,-soname,$(@F) -o $@ $<

$(BENCHES): $(BUILD)/tests/%: $(BUILD)/obj/tests/bench/%.o $(BUILD)/obj/tests/bench/way_json.o $(call obj,$(SHM_SRC) $(PROBE_SRC) $(filter-out reader/main.c,$(READER_SRC))) $(GEN_OBJ) $(BUILD)/tests/libbench_target.so
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS_ALL) -o $@ $^ $(READER_LIBS) $(LDFLAGS) -Wl,-rpath,'$$ORIGIN'

# The same program for two peers: with the target compiled for uftrace, and with LTTng-UST's
# provider, where its headers are. The target's twin in the program is not one of a library.
BENCH_OF := $(BUILD)/obj/tests/bench/bench_overhead.o $(BUILD)/obj/tests/bench/way_json.o \
            $(call obj,$(SHM_SRC))
PEERS := $(BUILD)/tests/peer_uftrace $(if $(wildcard /usr/include/lttng/tracepoint.h /usr/include/*/lttng/tracepoint.h),$(BUILD)/tests/peer_ust)
$(BUILD)/tests/peer_uftrace: tests/bench/target.c tests/bench/target.h $(BENCH_OF)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS_ALL) -pg -c $< -o $@.target.o && \
	  $(CC) $(CFLAGS_ALL) -rdynamic -o $@ $(BENCH_OF) $@.target.o -lpthread $(LDFLAGS)

$(BUILD)/tests/peer_ust: $(BENCH_OF) $(BUILD)/obj/tests/bench/ust/way_ust.o $(BUILD)/tests/libbench_target.so
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS_ALL) -o $@ $^ -llttng-ust -ldl -lpthread $(LDFLAGS) -Wl,-rpath,'$$ORIGIN'

# What there is to measure; `make bench PARTS="native-empty-1 reader"` measures some of it.
PARTS ?= native-empty-1 native-empty-2 native-work-1 native-work-2 reader python serve
bench: all $(BENCHES) $(PEERS) ## overhead beside its peers, the reader, Python, the server: a table and build/bench.json
	$(Q)BUILD=$(BUILD) CC="$(CC)" scripts/bench.sh $(PARTS)

bench-python: ## what a probed call in Python costs, against other ways to record it
	$(sub) bench PARTS=python

bench-plot: ## draw docs/bench-*.svg from build/bench.json (gnuplot)
	$(Q)BUILD=$(BUILD) scripts/bench-plot.sh

python-selftests: all ## CPython's own tests, bare and with probes on what they call (ARGS=--quick)
	$(Q)BUILD=$(BUILD) scripts/python-selftests.sh $(ARGS) || [ $$? -eq 77 ]

bench-serve: ## the server alone: medians by wrk, as ratios
	$(sub) bench PARTS=serve

asan: ## unit and e2e tests under AddressSanitizer, in build/asan
	$(sub) BUILD=$(BUILD)/asan SAN=address sanitized

ubsan: ## the same under UndefinedBehaviorSanitizer, in build/ubsan
	$(sub) BUILD=$(BUILD)/ubsan SAN=undefined CFLAGS="$(CFLAGS) -fno-sanitize-recover=all" sanitized

tsan: ## the same under ThreadSanitizer, in build/tsan
	$(sub) BUILD=$(BUILD)/tsan SAN=thread sanitized

# setarch -R: gcc's TSan knows no address layout as random as that of new kernels.
# Criterion does not start under TSan (its arena fails): a program of its own stands in. And it
# does not ask how a test's process ended after the test: what leaked is only in the output.
SAN_UNIT := $(if $(filter thread,$(SAN)),$(BUILD)/tests/record_threads,$(UNIT))
sanitized: all man $(SAN_UNIT) $(DECODE_WHERE_ZYDIS_IS)
	$(Q)SAN=$(SAN) BUILD=$(BUILD) CC="$(CC)" $(SAN_RUN) tests/run_e2e.sh $(E2E)
	$(Q)LSAN_OPTIONS=suppressions=tests/unit/leaks.txt:print_suppressions=0 \
	  $(SAN_RUN) $(SAN_UNIT) $(if $(filter thread,$(SAN)),,--jobs 2) >$(BUILD)/unit.log 2>&1; status=$$?; \
	  cat $(BUILD)/unit.log; ! grep -a '^SUMMARY: .*Sanitizer' $(BUILD)/unit.log && exit $$status

$(BUILD)/tests/record_threads: $(call obj,tests/tsan/record_threads.c $(SHM_SRC))
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS_ALL) -o $@ $^ -lpthread $(LDFLAGS)

SAN_RUN = $(if $(filter thread,$(SAN)),setarch -R)

# Readers of foreign bytes under libFuzzer, which is clang's: where it is not, that is said.
# (gcc defines __SANITIZE_ADDRESS__ by itself.)
# All that they read with is in one archive; -fsanitize=fuzzer brings a main of its own.
FUZZ_SAN   := address,undefined,float-cast-overflow
FUZZERS    := $(patsubst tests/fuzz/%.c,$(BUILD)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZED     := $(BUILD)/libfuzzed.a
# To trace each comparison of what only formats or adds up tells nothing and takes half the time.
$(call obj,$(addprefix reader/,buf.c hist.c json.c utf8.c table.c summary.c report.c top_rows.c metrics.c) tests/fuzz/use.c): \
  UNTRACED = $(if $(filter fuzzer%,$(SAN)),-fno-sanitize-coverage=trace-cmp)
FUZZ_CLANG ?= clang
FUZZ_HELP  := $(filter-out tests/fuzz/fuzz_%,$(sort $(wildcard tests/fuzz/*.c)))
$(FUZZED): $(call obj,$(FUZZ_HELP) $(filter-out reader/main.c,$(READER_SRC)) $(SHM_SRC) $(PROBE_SRC) $(PURE_SRC)) $(GEN_OBJ)
	$(call say,AR,$@)rm -f $@ && ar rcs $@ $(sort $^)

# What fuzz_elf.c damages: an object as a user's compiler makes them.
FUZZ_SUBJECT := $(BUILD)/libsubject.so
$(FUZZ_SUBJECT): tests/fuzz/elf/subject.c
	$(call say,LD,$@)$(CC) -std=gnu11 -g -O1 -fPIC -shared -Wl,-soname,$(@F) -o $@ $<
$(BUILD)/obj/tests/fuzz/fuzz_elf.o: CFLAGS_ALL += -DFUZZ_ELF_SUBJECT='"$(abspath $(FUZZ_SUBJECT))"'
$(BUILD)/fuzz_elf: | $(FUZZ_SUBJECT)

$(FUZZERS): $(BUILD)/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(FUZZED)
	$(call say,LD,$@)$(CC) $(CFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ $(READER_LIBS) $(LDFLAGS)

fuzzers: $(FUZZERS)
	@:

FUZZ = $(Q)if ! tests/fuzz/usable.sh $(FUZZ_CLANG); then exit 0; fi; \
  $(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=$(FUZZ_CLANG) SAN=fuzzer-no-link,$(FUZZ_SAN) \
    CFLAGS="$(CFLAGS) -fno-sanitize-recover=all -fsanitize-ignorelist=tests/fuzz/ignored.txt \
      -D__SANITIZE_ADDRESS__" fuzzers && BUILD=$(BUILD)/fuzz tests/fuzz/run.sh

fuzz: ## each reader of foreign bytes against libFuzzer (clang), FUZZ_SECONDS (60) each (FUZZ_TARGETS="a b")
	+$(FUZZ) $(or $(FUZZ_SECONDS),60) $(FUZZ_TARGETS)

fuzz-quick: ## the same over the corpus and some thousand runs
	+$(FUZZ) quick $(FUZZ_TARGETS)

valgrind: all ## the reader under memcheck, on a live, an ended and a saved session
	$(Q)BUILD=$(BUILD) tests/valgrind.sh

decode: $(DECODE) ## each function of each program and library of this machine, against Zydis
	$(Q)BUILD=$(BUILD) tests/decode/decode.sh

# The same tree for the other processor: another calling convention, and the memory that qemu
# gives is as strong as this machine's. What is left out, and why: tests/arm64.txt.
ARM64 := $(BUILD)/arm64
test-arm64: all ## unit and e2e tests for aarch64, cross-built and run by qemu-user
	$(Q)scripts/setup.sh --arm64
	$(Q)scripts/arm64_sysroot.sh $(ARM64)/sysroot
	+$(Q)scripts/arm64.sh $(ARM64)/sysroot $(MAKE) --no-print-directory BUILD=$(ARM64) CC=gcc OTHER_BUILD=$(BUILD) \
	  run-arm64

run-arm64: export OTHER_BUILD := $(OTHER_BUILD)
run-arm64: all man $(UNIT)
	$(Q)BUILD=$(BUILD) CC="$(CC)" LEFT_OUT=tests/arm64.txt tests/run_e2e.sh $(E2E)
	$(Q)$(UNIT) --jobs 2

# ---- workshop ---------------------------------------------------------------------------------

lint: $(SHIM) ## format, includes, barrier tags, exports, DT_NEEDED, sizes, cppcheck, shellcheck
	$(Q)BUILD=$(BUILD) scripts/lint.sh

C_FILES = $(shell git ls-files '*.c' '*.h')
format: ## apply .clang-format to all C files
	$(Q)clang-format -i $(C_FILES)

LIBDIR   = $(DESTDIR)$(PREFIX)/lib/invreg
SHAREDIR = $(DESTDIR)$(PREFIX)/share/invreg
MANDIR   = $(DESTDIR)$(PREFIX)/share/man
COMPDIR  = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
install: $(SHIM) $(READER) man ## install to PREFIX (/usr/local), below DESTDIR
	install -d $(DESTDIR)$(PREFIX)/bin $(LIBDIR) $(SHAREDIR)/probes
	install -m 755 $(READER) $(DESTDIR)$(PREFIX)/bin/invreg
	install -m 644 $(SHIM) $(LIBDIR)/libinvreg_preload.so
	install -m 644 $(wildcard preload/probes/*.ini) $(SHAREDIR)/probes
	install -d $(MANDIR)/man1 $(MANDIR)/man5 $(COMPDIR)
	install -m 644 $(BUILD)/man/invreg.1 $(MANDIR)/man1
	install -m 644 $(BUILD)/man/invreg-probes.5 $(MANDIR)/man5
	install -m 644 $(BUILD)/man/completion.bash $(COMPDIR)/invreg

uninstall: ## remove what install put there
	rm -f $(MANDIR)/man1/invreg.1 $(MANDIR)/man5/invreg-probes.5 $(COMPDIR)/invreg
	rm -f $(DESTDIR)$(PREFIX)/bin/invreg $(LIBDIR)/libinvreg_preload.so
	rm -f $(addprefix $(SHAREDIR)/probes/,$(notdir $(wildcard preload/probes/*.ini)))
	-rmdir $(LIBDIR) $(SHAREDIR)/probes $(SHAREDIR)

clean: ## remove $(BUILD)
	rm -rf $(BUILD)

dist-clean: clean ## remove everything that git does not know (asks git, keeps your changes)
	git clean -fdX

help: ## this list
	@awk -F':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  %-16s %s\n", $$1, $$2 }' Makefile
	@echo "  variables: V=1 BUILD=build CC=gcc CFLAGS= LDFLAGS= PREFIX=/usr/local DESTDIR="

-include $(shell find $(BUILD)/obj $(BUILD)/hosts/obj -name '*.d' 2>/dev/null)
