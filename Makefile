# SPDX-License-Identifier: MIT
# invreg: `make help` lists the targets.

CC      ?= gcc
BUILD   ?= build
PREFIX  ?= /usr/local
V       ?= 0
Q       := $(if $(filter 1,$(V)),,@)
say      = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(2);)

WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef \
           -Wpointer-arith -Wno-unused-parameter
OPT     ?= -O2 -g
# -fno-omit-frame-pointer is not wanted on the hot path; unwind tables always are.
CFLAGS_ALL := -std=gnu11 $(OPT) $(WARN) -fPIC -fvisibility=hidden -ftls-model=initial-exec \
           -fasynchronous-unwind-tables -fno-strict-aliasing -D_GNU_SOURCE -I. $(CFLAGS)

SHM_SRC    := $(sort $(wildcard shm/*.c))
PROBE_SRC  := $(sort $(wildcard preload/probe*.c))
PRELOAD_SRC:= $(sort $(wildcard preload/*.c))
READER_SRC := $(sort $(wildcard reader/*.c))
UNIT_SRC   := $(sort $(wildcard tests/unit/test_*.c))

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

SHIM    := $(BUILD)/libinvreg_preload.so
READER  := $(BUILD)/invreg
UNIT    := $(BUILD)/tests/unit

READER_LIBS := -linih -ljson-c -lurcu-memb -lurcu-cds -lurcu-common -lpthread -lm
SHIM_LIBS   := -Wl,-Bstatic -linih -Wl,-Bdynamic -Wl,--exclude-libs,ALL

.PHONY: all unit clean
all: $(SHIM) $(READER) ## build everything

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

$(SHIM): $(call obj,$(SHM_SRC) $(PRELOAD_SRC)) preload/exports.map
	$(call say,LD,$@)$(CC) -shared -o $@ $(filter %.o,$^) $(SHIM_LIBS) -static-libgcc \
	  -Wl,--version-script=preload/exports.map -Wl,-z,now,-z,relro,-z,nodelete,--gc-sections,--as-needed

$(READER): $(call obj,$(READER_SRC) $(SHM_SRC) $(PROBE_SRC))
	$(call say,LD,$@)$(CC) $(CFLAGS_ALL) -o $@ $^ $(READER_LIBS)

$(UNIT): $(call obj,$(UNIT_SRC) $(filter-out reader/main.c,$(READER_SRC)) $(SHM_SRC) $(PROBE_SRC) preload/elf_object.c)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS_ALL) -o $@ $^ -lcriterion $(READER_LIBS)

unit: $(UNIT) ## unit tests (Criterion)
	$(UNIT) --jobs 2

clean: ## remove build/
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
