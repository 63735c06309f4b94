# SPDX-License-Identifier: MPL-2.0
# Thunderseal. `make help` lists the targets; README.md says what each is for.

# Make cannot quote: a blank in the path would send files elsewhere.
ifneq ($(words $(CURDIR)),1)
$(error The path of this folder contains a blank: move it to one without)
endif

VERSION    = 0.1.0
BUILD      = build
prefix     = /usr/local
bindir     = $(prefix)/bin
libdir     = $(prefix)/lib
datadir    = $(prefix)/share
mandir     = $(datadir)/man
sysconfdir = /etc
runstatedir = /run
# Thunderbird looks for native manifests and system add-ons in fixed places, whatever the prefix.
mozilladir     = /usr/lib/mozilla
thunderbirddir = /usr/lib/thunderbird
# Where the add-on lies; packages keep it among other add-ons, and Thunderbird's folder has a link to it.
webextdir  = $(thunderbirddir)/extensions
XPI = $(thunderbirddir)/extensions/companion@thunderseal.xpi
userunitdir     = $(prefix)/lib/systemd/user
BASH_COMPLETION = $(datadir)/bash-completion/completions/thunderseal
ZSH_COMPLETION  = $(datadir)/zsh/site-functions/_thunderseal
FISH_COMPLETION = $(datadir)/fish/vendor_completions.d/thunderseal.fish
DESTDIR    =
# --json prints the figures for programs.
BENCH_OPTIONS =

CC       = gcc
CFLAGS   = -O2 -g
LDFLAGS  =
WARNINGS = -Wall -Wextra -Wconversion -Wshadow -Werror
HARDEN   = -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2
LIBS     = libcurl jansson libsodium libmicrohttpd

# Evaluated only when something is compiled: `make demo` installs pkg-config first.
# libsecret is loaded by the child that needs it: of it, only headers are used, and their warnings are not ours.
LIB_CFLAGS = $(shell pkg-config --cflags $(LIBS)) $(subst -I,-isystem ,$(shell pkg-config --cflags libsecret-1))
LIB_LIBS   = $(shell pkg-config --libs $(LIBS))
CPPFLAGS_OURS = -std=c17 -D_GNU_SOURCE -Ihost -DTHUNDERSEAL_VERSION='"$(VERSION)"' \
                -DTHUNDERSEAL_SYSCONFDIR='"$(sysconfdir)"' -DTHUNDERSEAL_XPI='"$(XPI)"' \
                -DTHUNDERSEAL_RUNSTATEDIR='"$(runstatedir)"'
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g

SOURCES   = $(sort $(wildcard host/*.c host/*/*.c))
OBJECTS   = $(SOURCES:host/%.c=$(BUILD)/obj/%.o)
# What unit tests link: everything but main, with sanitizers.
SANITIZED = $(patsubst host/%.c,$(BUILD)/sanitized/%.o,$(filter-out host/main.c,$(SOURCES)))
UNIT      = $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
BENCH     = $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(sort $(wildcard tests/bench/*.c)))
CORE      = $(filter $(BUILD)/obj/core/%,$(OBJECTS))
SIM       = $(patsubst tests/sim/%.c,$(BUILD)/sim-obj/%.o,$(sort $(wildcard tests/sim/*.c)))
MANUALS   = $(sort $(wildcard packaging/man/*.[157]))
POLICIES  = $(sort $(shell find packaging/policies -type f))
RECIPES   = $(sort $(wildcard packaging/recipes/*))
DOCUMENTS = README.md host/vault/FORMAT.md $(sort $(wildcard packaging/*.md packaging/journal/* packaging/pictures/*))
# Installed, they lie in one folder: README.md and FORMAT.md beside the others, and the links between them shorter.
INSTALLED_DOCUMENTS = $(patsubst host/vault/%,%,$(DOCUMENTS:packaging/%=%))
SHORTER_LINKS = sed -E -i 's,\]\((\.\./)?(packaging/|host/vault/)?,](,g'
XPI_FILES = $(sort $(shell find extension -type f))
NODE      = tests/node_modules/.bin/node --import ./tests/servers/loopback_names.mjs
NODE_TEST = $(NODE) --test --test-concurrency=1 --test-reporter=spec

.PHONY: all bench check check-programs check-unit check-probe check-sim soak check-protocol check-servers check-torture check-pages check-e2e check-e2e-140 check-package check-layers check-texts demo needs xpi \
        install uninstall deb rpm format lint lint-format lint-version lint-manuals lint-cppcheck lint-eslint lint-types lint-add-on clean help FORCE

# What compilers and analysers do takes all cores; tests run one after the other where nothing else is said. Somebody
# who gives a -j of their own gets that.
PARALLEL = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc)) --output-sync

all: $(BUILD)/thunderseal $(BUILD)/thunderseal.xpi

help:
	@echo 'make            build $(BUILD)/thunderseal and $(BUILD)/thunderseal.xpi'
	@echo 'make demo       install what is missing, build, and show the main job in a real Thunderbird'
	@echo 'make check      install what is missing, build, and run all tests'
	@echo 'make bench      install what is missing, build, and measure speed and memory against their targets'
	@echo 'make soak       test with the older Thunderbird, fail and kill the program at every call, then simulate until stopped'
	@echo 'make install    install below DESTDIR (prefix, sysconfdir and BUILD can be set)'
	@echo 'make xpi        build the add-on alone'
	@echo 'make deb        build the Debian package in $(BUILD)/deb'
	@echo 'make rpm        build the RPM package in $(BUILD)/rpm'
	@echo 'make format     format the C sources'
	@echo 'make lint       check formatting, layering, C and JavaScript with every analyser'
	@echo 'make clean      remove $(BUILD)'

# --- the program -----------------------------------------------------------------------------------------------

$(BUILD)/thunderseal: $(OBJECTS)
	$(CC) $(CFLAGS) -pie -Wl,-z,relro,-z,now $(LDFLAGS) -o $@ $(OBJECTS) $(LIB_LIBS)

$(BUILD)/obj/%.o: host/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_OURS) $(CPPFLAGS) $(WARNINGS) $(HARDEN) $(CFLAGS) $(LIB_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/sanitized/%.o: host/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_OURS) $(CPPFLAGS) -DTHUNDERSEAL_FAULTS $(WARNINGS) $(SANITIZE) $(LIB_CFLAGS) -MMD -MP -c -o $@ $<

# Compiled-in values changed: everything is compiled again.
$(BUILD)/flags: FORCE
	@mkdir -p $(BUILD)
	@echo '$(VERSION) $(sysconfdir) $(runstatedir) $(XPI) $(CC) $(CPPFLAGS) $(CFLAGS) $(SOURCE_DATE_EPOCH)' | cmp -s - $@ || \
	 echo '$(VERSION) $(sysconfdir) $(runstatedir) $(XPI) $(CC) $(CPPFLAGS) $(CFLAGS) $(SOURCE_DATE_EPOCH)' >$@

# Kept between runs, though only pattern rules name them.
.SECONDARY: $(SANITIZED) $(BUILD)/sanitized/main.o

-include $(OBJECTS:.o=.d) $(SANITIZED:.o=.d) $(BUILD)/sanitized/main.d $(SIM:.o=.d)

# --- the add-on: the same commit gives the same bytes ----------------------------------------------------------

xpi: $(BUILD)/thunderseal.xpi

$(BUILD)/thunderseal.xpi: $(XPI_FILES) $(BUILD)/flags
	@rm -rf $(BUILD)/xpi $@ && mkdir -p $(BUILD)/xpi
	@for file in $(XPI_FILES:extension/%=%); do install -D -m 644 extension/$$file $(BUILD)/xpi/$$file; done
	@sed -i 's/"version": "[^"]*"/"version": "$(VERSION)"/' $(BUILD)/xpi/manifest.json
	@cd $(BUILD)/xpi && TZ=UTC find . -type f -exec touch -d '2026-01-01 00:00:00' {} +
	cd $(BUILD)/xpi && TZ=UTC zip -q -X -D $(abspath $@) $(XPI_FILES:extension/%=%)

# --- tests -----------------------------------------------------------------------------------------------------

needs:
	@tests/needs

check: needs
	$(MAKE) $(PARALLEL) all check-programs
	$(MAKE) lint
	$(MAKE) check-unit
	$(MAKE) check-probe
	$(MAKE) check-sim
	$(MAKE) check-torture
	$(MAKE) check-protocol
	$(MAKE) check-servers
	$(MAKE) check-pages
	$(MAKE) check-e2e
	$(MAKE) check-package

# All that tests run, so that it can be compiled at one go.
check-programs: $(UNIT) $(BUILD)/probe $(BUILD)/sim $(BUILD)/torture/thunderseal

$(BUILD)/unit/%: tests/unit/%.c $(wildcard tests/unit/*.h) $(SANITIZED)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_OURS) -DTHUNDERSEAL_FAULTS $(WARNINGS) $(SANITIZE) $(LIB_CFLAGS) -o $@ $< $(SANITIZED) $(LIB_LIBS) -lcmocka

# Two at a time; what each says comes in one piece.
check-unit: $(UNIT)
	@$(MAKE) -s --output-sync $(if $(filter -j%,$(MAKEFLAGS)),,-j2) $(UNIT:=.run)

$(BUILD)/unit/%.run: $(BUILD)/unit/%
	@echo '== $<'; $<

# Mail probes against servers that answer as Exchange Online does, or break.
$(BUILD)/probe: tests/probe/probe.c $(SANITIZED)
	$(CC) $(CPPFLAGS_OURS) $(WARNINGS) $(SANITIZE) $(LIB_CFLAGS) -o $@ $< $(SANITIZED) $(LIB_LIBS)

check-probe: $(BUILD)/probe
	PROBE=$(abspath $(BUILD)/probe) $(NODE_TEST) $(sort $(wildcard tests/probe/*.test.mjs))

# The core alone, without sanitizers: what counts is how many days pass in a second.
$(BUILD)/sim-obj/%.o: tests/sim/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_OURS) $(CPPFLAGS) $(WARNINGS) $(CFLAGS) $(LIB_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/sim: $(SIM) $(CORE)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -ljansson -lsodium -lm

check-sim: $(BUILD)/sim
	$(BUILD)/sim --seeds 1-200
	$(NODE) tests/sim/mutations.mjs $(BUILD) '$(CC)' $(CPPFLAGS_OURS) $(CPPFLAGS) $(CFLAGS) $(LIB_CFLAGS)

SOAK_FROM = $(shell date +%s)
soak: $(BUILD)/sim
	$(MAKE) check-e2e-140
	$(MAKE) check-torture TORTURE_ROUNDS=1000
	$(BUILD)/sim --soak --seeds $(SOAK_FROM)-$(SOAK_FROM)

PROTOCOL_TESTS = $(sort $(wildcard tests/protocol/*.test.mjs tests/vault_reader/*.test.mjs))
# These share a program that is built for them; the others run two at a time.
PROTOCOL_ALONE = $(sort $(shell grep -l admin_program tests/protocol/*.test.mjs))

check-protocol: all
	THUNDERSEAL=$(abspath $(BUILD)/thunderseal) $(NODE_TEST) $(PROTOCOL_ALONE)
	THUNDERSEAL=$(abspath $(BUILD)/thunderseal) $(subst concurrency=1,concurrency=2,$(NODE_TEST)) $(filter-out $(PROTOCOL_ALONE),$(PROTOCOL_TESTS))

check-servers:
	$(NODE_TEST) $(sort $(wildcard tests/servers/*.test.mjs tests/servers/*/*.test.mjs))

# The whole program with the fault seams and sanitizers.
WRAPPED = malloc calloc realloc reallocarray strdup strndup asprintf sodium_malloc fdopendir curl_easy_init \
          curl_multi_init curl_share_init curl_slist_append curl_global_init_mem tls_memory_wipe \
          crypto_pwhash _exit
$(BUILD)/torture/thunderseal: tests/torture/allocations.c $(BUILD)/sanitized/main.o $(SANITIZED)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_OURS) -DTHUNDERSEAL_FAULTS $(WARNINGS) $(SANITIZE) $(LIB_CFLAGS) $(LDFLAGS) $(WRAPPED:%=-Wl,--wrap=%) -o $@ $^ $(LIB_LIBS)

TORTURE_TALLY = $(abspath $(BUILD)/torture/tally)
check-torture: $(BUILD)/torture/thunderseal $(addprefix $(BUILD)/unit/,test_envelope test_vault_damage test_backup)
	@rm -f $(TORTURE_TALLY)
	THUNDERSEAL=$(abspath $(BUILD)/torture/thunderseal) TORTURE_TALLY=$(TORTURE_TALLY) \
	 $(if $(TORTURE_ROUNDS),TORTURE_ROUNDS=$(TORTURE_ROUNDS)) $(NODE_TEST) $(sort $(wildcard tests/torture/*.test.mjs))
	@$(NODE) tests/torture/summary.mjs $(TORTURE_TALLY)

# The add-on's pages in Chromium, and its texts; pictures of them are left in $(BUILD)/pages.
check-pages:
	$(NODE_TEST) $(sort $(wildcard tests/pages/*.test.mjs))

# With the Thunderbird that is installed, whole; and what differs most between versions with the older one that is supported.
# Without THUNDERBIRD_140 that is left out.
THUNDERBIRD_140 = $(BUILD)/thunderbird-140/usr/lib/thunderbird
E2E        = THUNDERSEAL=$(abspath $(BUILD)/thunderseal)
E2E_TESTS  = $(sort $(wildcard tests/e2e/*.test.mjs))
E2E_ON_140 = $(if $(THUNDERBIRD_140),THUNDERBIRD_FOLDER=$(abspath $(THUNDERBIRD_140)) $(E2E) $(NODE_TEST),@echo 'Not tested with Thunderbird 140:')
E2E_140    = $(addprefix tests/e2e/,$(addsuffix .test.mjs,sign_in restart popup refused account_setup migration))
E2E_140_NAMES = --test-name-pattern='^a sign-in in the browser' --test-name-pattern='^after a restart' \
                --test-name-pattern='^a corrected configuration' --test-name-pattern='^a token that IMAP refuses' \
                --test-name-pattern='^account set-up can be cancelled' --test-name-pattern='^passwords and wrong settings' \
                --test-name-pattern="^a sign-in of Thunderbird's own is taken over"

check-e2e: all $(THUNDERBIRD_140)
	$(E2E) $(NODE_TEST) $(E2E_TESTS)
	$(E2E_ON_140) $(E2E_140_NAMES) $(E2E_140)

# All that starts a Thunderbird, but for what 140 does not have: Graph.
check-e2e-140: all $(THUNDERBIRD_140)
	$(E2E_ON_140) $(filter-out %/graph_account.test.mjs,$(sort $(shell grep -l /world.mjs tests/e2e/*.test.mjs)))

$(BUILD)/thunderbird-140/usr/lib/thunderbird:
	tests/older-thunderbird 140 $(BUILD)/thunderbird-140

# The package, the same one built elsewhere, and one that is older; and a bare Debian to install them in. Only root may make
# and enter that; what is mounted there is seen by the tests alone and goes with them.
PACKAGES  = $(BUILD)/package
OLD       = VERSION=0.0.9 SOURCE_DATE_EPOCH=1790000000
AS_ROOT   = $(if $(filter 0,$(shell id -u)),,sudo)
ALONE     = $(AS_ROOT) env THUNDERSEAL_PACKAGES=$(abspath $(PACKAGES)) unshare --mount --propagation \
            $(shell unshare -m --propagation private true 2>/dev/null && echo private || echo unchanged)

check-package:
	@[ "$$(id -u)" = 0 ] || command -v sudo >/dev/null || \
	 { echo 'These tests make and enter a bare Debian: run them as root, or install sudo.' >&2; exit 1; }
	$(MAKE) deb BUILD=$(PACKAGES)/current
	$(MAKE) deb BUILD=$(PACKAGES)/again
	$(MAKE) deb BUILD=$(PACKAGES)/old $(OLD)
	$(MAKE) rpm BUILD=$(PACKAGES)/current RPM_OPTIONS=--nodeps
	$(AS_ROOT) tests/package/make_root $(abspath $(PACKAGES))/root $(PACKAGES)/current/deb/thunderseal_*.deb
	$(ALONE) $(NODE_TEST) $(sort $(wildcard tests/package/*.test.mjs))

# Built as the program is, so that only what they do differs.
$(BUILD)/bench/%: tests/bench/%.c $(wildcard tests/bench/*.h) $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_OURS) $(CPPFLAGS) $(WARNINGS) $(HARDEN) $(CFLAGS) $(LIB_CFLAGS) -pie -Wl,-z,relro,-z,now $(LDFLAGS) -o $@ $< $(LIB_LIBS)

bench: needs
	@$(MAKE) -s $(PARALLEL) all $(BENCH)
	@THUNDERSEAL=$(abspath $(BUILD)/thunderseal) BENCH_TOOLS=$(abspath $(BUILD)/bench) $(NODE) tests/bench/bench.mjs $(BENCH_OPTIONS)

demo: needs
	@$(MAKE) -s $(PARALLEL) all
	@THUNDERSEAL=$(abspath $(BUILD)/thunderseal) $(NODE) tests/e2e/demo.mjs

# --- packages: the same sources give the same bytes, wherever they are built -----------------------------------

# What a package is made of; no git is needed.
PACKAGE_SOURCES = Makefile README.md extension host manifest packaging
DEB_SOURCES     = $(BUILD)/deb/thunderseal-$(VERSION)

# Thunderbird notices a new version of the add-on by the time of its file, which is the changelog's: two versions need
# two times. SOURCE_DATE_EPOCH takes the place of the changelog's own.
deb: $(BUILD)/deb/built

$(BUILD)/deb/built: $(shell find $(PACKAGE_SOURCES) -type f) $(BUILD)/flags
	@command -v dh >/dev/null || { echo 'The package needs: sudo apt install build-essential && sudo apt build-dep ./packaging' >&2; exit 1; }
	@rm -rf $(BUILD)/deb && mkdir -p $(DEB_SOURCES)
	@cp -R $(PACKAGE_SOURCES) $(DEB_SOURCES)/ && cp -R packaging/debian $(DEB_SOURCES)/debian
	@sed -i -e '1s/([^)]*)/($(VERSION))/' \
	  $${SOURCE_DATE_EPOCH:+-e "0,/^ -- /s/^\( -- .*>\).*/\1  $$(LC_ALL=C date -u -R -d @$$SOURCE_DATE_EPOCH)/"} $(DEB_SOURCES)/debian/changelog
	cd $(DEB_SOURCES) && env -u MAKEFLAGS -u MAKELEVEL dpkg-buildpackage -b -us -uc -jauto >../build.log 2>&1 || { cat ../build.log; exit 1; }
	@touch $@ && ls $(BUILD)/deb/*.deb

rpm: $(BUILD)/rpm/built

# Elsewhere than on the distribution that it is for, its BuildRequires are unknown: RPM_OPTIONS=--nodeps
RPM_OPTIONS =
RPM_SOURCES = $(BUILD)/rpm/thunderseal-$(VERSION)

$(BUILD)/rpm/built: $(shell find $(PACKAGE_SOURCES) -type f) $(BUILD)/flags
	@command -v rpmbuild >/dev/null || { echo 'The package needs rpmbuild: sudo dnf install rpm-build' >&2; exit 1; }
	@rm -rf $(BUILD)/rpm && mkdir -p $(RPM_SOURCES)
	@cp -R $(PACKAGE_SOURCES) $(RPM_SOURCES)/
	@sed -i 's/^\(Version: *\).*/\1$(VERSION)/' $(RPM_SOURCES)/packaging/rpm/thunderseal.spec
	cd $(RPM_SOURCES) && env -u MAKEFLAGS -u MAKELEVEL rpmbuild -bb --build-in-place $(RPM_OPTIONS) \
	  --define '_topdir $(abspath $(BUILD))/rpm/work' --define '_rpmdir $(abspath $(BUILD))/rpm' \
	  --define '_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm' packaging/rpm/thunderseal.spec >../build.log 2>&1 || { cat ../build.log; exit 1; }
	@touch $@ && ls $(BUILD)/rpm/*.rpm

# --- care ------------------------------------------------------------------------------------------------------

C_FILES = $(sort $(wildcard host/*.[ch] host/*/*.[ch] tests/unit/*.[ch] tests/sim/*.[ch] tests/torture/*.[ch] tests/probe/*.c tests/bench/*.[ch]))

format:
	clang-format -i $(C_FILES)

# Of the program, gcc's analyser and clang-tidy look at each file that has changed, or a header of it; tests run under
# sanitizers instead.
ANALYSED = $(SOURCES:host/%.c=$(BUILD)/lint/%.ok)
LINT     = lint-types lint-add-on lint-eslint lint-cppcheck lint-format lint-version lint-manuals check-layers check-texts $(ANALYSED)

lint:
	@$(MAKE) -s --keep-going $(PARALLEL) $(LINT)

lint-format:
	@clang-format --dry-run --Werror $(C_FILES)

lint-version:
	@grep -q '"version": "$(VERSION)"' extension/manifest.json || { echo 'extension/manifest.json and Makefile differ in version'; exit 1; }

# gcc 12 loses sight of a pointer that is stored where it does not know the structure, and calls that a leak. clang-tidy
# looks for leaks too, and the sanitizers do.
ANALYSE  = gcc -O2 -S -o /dev/null -fanalyzer -Wno-analyzer-malloc-leak

$(BUILD)/lint/%.ok: host/%.c .clang-tidy Makefile
	@mkdir -p $(@D)
	@$(ANALYSE) $(CPPFLAGS_OURS) $(WARNINGS) $(LIB_CFLAGS) -MMD -MP -MF $(@:.ok=.d) -MT $@ $<
	@clang-tidy --quiet $< -- $(CPPFLAGS_OURS) $(LIB_CFLAGS) 2>$(@:.ok=.tidy) || { cat $(@:.ok=.tidy); exit 1; }
	@touch $@

-include $(ANALYSED:.ok=.d)

# Why the findings left out are none:
#   ctuuninitvar      it takes what a function fills through a pointer for something that it reads
#   readdirCalled     the program has one thread of its own
#   redundantContinue says in a loop without a body that there is none
#   unreadVariable    it does not see that an address was kept
#   variableScope     variables stand at the top of their function here
CPPCHECK_LEFT_OUT = ctuuninitvar readdirCalled redundantContinue unreadVariable variableScope

# Jansson's header brings the macros that are loops.
lint-cppcheck:
	@mkdir -p $(BUILD)/lint/cppcheck
	@cppcheck --quiet --error-exitcode=1 --std=c11 --library=posix,gnu --enable=warning,style,performance,portability \
	  $(CPPCHECK_LEFT_OUT:%=--suppress=%) --suppress=missingIncludeSystem --inline-suppr --cppcheck-build-dir=$(BUILD)/lint/cppcheck \
	  --include=$(shell pkg-config --variable=includedir jansson)/jansson.h $(filter-out -std=%,$(CPPFLAGS_OURS)) host

NODE_TSC = tests/node_modules/.bin/node tests/node_modules/typescript/bin/tsc

lint-types:
	@$(NODE_TSC) -p tests/servers
	@$(NODE_TSC) -p tests/lint/pages
	@$(NODE_TSC) -p tests/lint/experiment

lint-eslint:
	@tests/node_modules/.bin/eslint --config tests/eslint.config.mjs extension tests

lint-add-on:
	@tests/node_modules/.bin/node tests/lint/web_ext.mjs

# Pages that are not installed are found in the working directory.
lint-manuals:
	@cd packaging/man && mandoc -T lint $(MANUALS:packaging/man/%=%)

# Dependencies point one way (cli, service -> net, vault -> core), and core does no I/O.
check-layers:
	@! grep -nE '#include *[<"](curl/|unistd|sys/|fcntl|time\.h|net/|vault/|service/|cli/)' host/core/*.[ch]
	@! grep -nE '#include *"(service|cli|net)/' host/vault/*.[ch]
	@! grep -nE '#include *"(service|cli|vault)/' host/net/*.[ch]
	@! grep -nE '#include *"cli/' host/service/*.[ch]
	@! grep -nE 'json_load[a-z]*\(' host/*/*.c | grep -v '^host/core/json_read.c'

# What the host says to people, in all languages.
check-texts:
	@mkdir -p $(BUILD)
	@$(NODE) --test --test-reporter=dot $(sort $(wildcard tests/texts/*.test.mjs)) >$(BUILD)/texts.log || { cat $(BUILD)/texts.log; exit 1; }

install: all
	install -D -m 755 $(BUILD)/thunderseal $(DESTDIR)$(bindir)/thunderseal
	install -d $(DESTDIR)$(mozilladir)/native-messaging-hosts
	sed 's|@bindir@|$(bindir)|' manifest/thunderseal.json.in >$(DESTDIR)$(mozilladir)/native-messaging-hosts/thunderseal.json
	chmod 644 $(DESTDIR)$(mozilladir)/native-messaging-hosts/thunderseal.json
	install -D -m 644 $(BUILD)/thunderseal.xpi $(DESTDIR)$(webextdir)/companion@thunderseal.xpi
	install -d $(DESTDIR)$(thunderbirddir)/extensions
	[ $(webextdir) = $(thunderbirddir)/extensions ] || \
	  ln -srf $(DESTDIR)$(webextdir)/companion@thunderseal.xpi $(DESTDIR)$(XPI)
	install -D -m 644 manifest/policy.schema.json $(DESTDIR)$(datadir)/thunderseal/policy.schema.json
	install -D -m 644 manifest/protocol.schema.json $(DESTDIR)$(datadir)/thunderseal/protocol.schema.json
	for page in $(MANUALS:packaging/man/%=%); do \
	  install -D -m 644 packaging/man/$$page $(DESTDIR)$(mandir)/man$${page##*.}/$$page || exit; done
	for file in $(DOCUMENTS); do to=$${file#packaging/}; \
	  install -D -m 644 $$file $(DESTDIR)$(datadir)/thunderseal/$${to#host/vault/} || exit; done
	$(SHORTER_LINKS) $(addprefix $(DESTDIR)$(datadir)/thunderseal/,$(filter-out %/README.md,$(filter %.md,$(INSTALLED_DOCUMENTS))))
	for file in $(POLICIES:packaging/policies/%=%); do \
	  install -D -m 644 packaging/policies/$$file $(DESTDIR)$(datadir)/thunderseal/policies/$$file || exit; done
	for file in $(RECIPES:packaging/recipes/%=%); do \
	  install -D -m 644 packaging/recipes/$$file $(DESTDIR)$(datadir)/thunderseal/recipes/$$file || exit; done
	install -d -m 755 $(DESTDIR)$(sysconfdir)/thunderseal
	install -D -m 644 packaging/completions/thunderseal.bash $(DESTDIR)$(BASH_COMPLETION)
	install -D -m 644 packaging/completions/thunderseal.zsh $(DESTDIR)$(ZSH_COMPLETION)
	install -D -m 644 packaging/completions/thunderseal.fish $(DESTDIR)$(FISH_COMPLETION)
	install -d $(DESTDIR)$(userunitdir)
	sed 's|@bindir@|$(bindir)|' packaging/systemd/thunderseal-renew.service >$(DESTDIR)$(userunitdir)/thunderseal-renew.service
	chmod 644 $(DESTDIR)$(userunitdir)/thunderseal-renew.service
	install -D -m 644 packaging/systemd/thunderseal-renew.timer $(DESTDIR)$(userunitdir)/thunderseal-renew.timer

uninstall:
	rm -f $(DESTDIR)$(bindir)/thunderseal $(DESTDIR)$(mozilladir)/native-messaging-hosts/thunderseal.json
	rm -f $(DESTDIR)$(XPI) $(DESTDIR)$(webextdir)/companion@thunderseal.xpi
	for page in $(MANUALS:packaging/man/%=%); do rm -f $(DESTDIR)$(mandir)/man$${page##*.}/$$page; done
	rm -rf $(DESTDIR)$(datadir)/thunderseal
	rm -f $(DESTDIR)$(BASH_COMPLETION) $(DESTDIR)$(ZSH_COMPLETION) $(DESTDIR)$(FISH_COMPLETION)
	rm -f $(DESTDIR)$(userunitdir)/thunderseal-renew.service $(DESTDIR)$(userunitdir)/thunderseal-renew.timer

clean:
	rm -rf $(BUILD)
