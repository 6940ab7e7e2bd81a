# 'make run' to try it, 'make test' to check it. Both may be run again and again.

.DEFAULT_GOAL := help
.PHONY: help run build test lint dist tsan asan fuzz abuse soak nightly bench-micro bench-growth bench-tickets autobahn \
	conformance clean libraries test-programs counters python swift

BUILD_PACKAGES := libssl-dev libsqlite3-dev zlib1g-dev pkg-config git ca-certificates
# What the end-to-end tests put in front of the server.
TEST_PACKAGES := nginx-light
# Networks that lose packets and clocks that jump.
ABUSE_PACKAGES := iproute2 nftables faketime
VENV := .venv

help: ## Show what there is
	@grep -E '^[a-z-]+:.* ## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.* ## (.*)/make \1\t\2/' | expand -t 18

run: build ## Build for release and serve the demo on http://127.0.0.1:8000 and ws://127.0.0.1:6001
	@exec .build/release/switchboard serve --demo

build: libraries swift ## Build .build/release/switchboard
	swift build -c release --product switchboard

# Our own warnings are errors here, and only here: a newer compiler's new warning must not keep anybody from 'make run'.
test: export SWITCHBOARD_STRICT = 1
# All at once, the tests that open sockets starve each other's deadlines on a small machine; four at a time do not.
test: export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH = 4
test: libraries test-programs counters swift lint $(VENV)/ready ## Check everything: format, unit tests, end-to-end tests with real clients, counts of instructions
	swift build --build-tests
	swift test --skip-build
	SWITCHBOARD_BIN=.build/debug/switchboard $(VENV)/bin/pytest Tests/EndToEnd
	scripts/bench-micro --check

dist: libraries swift ## Build dist/switchboard-….tar.gz: the program with the Swift runtime in it, and what belongs to it
	scripts/dist

lint: swift ## Check the format of the sources
	swift format lint --strict --parallel --recursive Package.swift Sources Tests Benchmarks

tsan: libraries swift ## Run the unit tests under the thread sanitizer; the first time it compiles for some fifteen minutes
	scripts/tsan

asan: libraries swift ## Run the unit tests under the address and leak sanitizers; compiles as 'make tsan' does
	scripts/asan

FUZZ_SECONDS ?= 60
fuzz: libraries swift ## Fuzz every parser for a minute each; one of them: make fuzz TARGET=http FUZZ_SECONDS=600
	scripts/fuzz $(TARGET) $(FUZZ_SECONDS)

bench-micro: libraries counters swift ## Count allocations and instructions of encoding, parsing, signing and fan-out
	scripts/bench-micro

bench-growth: build python ## Measure how the broker's costs grow with channels, connections and members, for two minutes
	python3 Benchmarks/growth $(OPTIONS)

abuse: build $(VENV)/ready ## Run scripted abuse against the release build, as root; some of it: make abuse SCENARIOS='slowloris disk-full'
	@scripts/packages $(ABUSE_PACKAGES)
	$(VENV)/bin/python scripts/abuse $(SCENARIOS)

SOAK_SECONDS ?= 1800
soak: build $(VENV)/ready ## Hold 5,000 connections under load for half an hour; raw data in .build/soak/soak.csv
	$(VENV)/bin/python scripts/soak --seconds $(SOAK_SECONDS)

nightly: ## Run all that takes too long for every change: some three and a half hours
	scripts/nightly

bench-tickets: libraries swift ## Measure the ticket API for about two minutes (docs/benchmarks.md); OPTIONS=--json
	swift build -c release --product switchboard
	swift build -c release --product ticket-bench
	.build/release/ticket-bench --directory .build $(OPTIONS)

autobahn: libraries swift ## Run Autobahn's WebSocket testsuite against the broker's connection code
	scripts/autobahn

conformance: export APP_SECRET := $(APP_SECRET)
# The secret reaches the suite by the environment: a command line can be read by every user of the machine.
conformance: $(VENV)/ready ## Try any Pusher server: make conformance HOST=… PORT=… APP_ID=… APP_KEY=… APP_SECRET=…
ifndef HOST
	@echo 'make conformance HOST=ws.example.test PORT=443 APP_ID=… APP_KEY=… APP_SECRET=… [OPTIONS="--tls --slow --only WS-12"]'
	@echo 'APP_SECRET may come from the environment instead. OPTIONS=--help shows all options.'
	@exit 2
else
	@cd protocol-spec && $(CURDIR)/$(VENV)/bin/python -m conformance --host '$(HOST)' --port '$(PORT)' \
		--app-id '$(APP_ID)' --app-key '$(APP_KEY)' $(OPTIONS)
endif

clean: ## Remove what was built; the data directory stays
	rm -rf .build .build-dist .build-tsan .build-asan dist $(VENV)

libraries:
	@scripts/packages $(BUILD_PACKAGES)

# What counts instructions.
counters: python
	@scripts/packages valgrind binutils

test-programs:
	@scripts/packages $(TEST_PACKAGES)

python:
	@python3 -c 'import ensurepip, venv' 2>/dev/null || scripts/packages python3 python3-venv

swift:
	@scripts/swift-version

$(VENV)/ready: Tests/EndToEnd/requirements.txt | python
	python3 -m venv --clear $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@
