# A target is a line or two. `make test` is what CI runs.

.DEFAULT_GOAL := help
TOOLS := $(CURDIR)/integration/.tools/node/bin
export PATH := $(TOOLS):$(PATH)

BENCH_QUICK := -peers quick -scenarios quick -rounds 3 -time 300ms -warm 100ms -idle 1000

.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*\#\# .*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: build ## run Encke with a chat, a console and an IRC client in your browser
	./bin/encke demo

run: build ## run Encke with the options in ARGS
	./bin/encke $(ARGS)

build: ## build bin/encke; needs only Go
	go build -trimpath -o bin/encke ./cmd/encke

install: ## install what the tests need: Debian packages, npm packages
	sh integration/install.sh

test: install check unit model client-test integration ## install what is needed and run all tests; what CI runs

check: ## formatting, vet, module files, and that no generated file is stale
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./... && cd bench && go vet ./...
	go mod verify && go mod tidy -diff && cd bench && go mod tidy -diff
	go run ./static/build -check

unit: ## Go tests that need no browser and no other server
	go test -race -timeout 10m $$(go list ./... | grep -v /integration)
	cd bench && go test -timeout 10m .

properties: ## CASES (default 1000000) random runs of what must hold whatever happens
	go test -v -timeout 2h ./csp -run BadNetwork -rapid.checks=$${CASES:-1000000} -rapid.steps=100

model: ## the session protocol's model: all its states, and bugs that must be found; SIZE=large: the large one
	sh csp/model/run.sh $(SIZE)

client-test: ## tests of the TypeScript client and the demo's pages
	cd static/client && npm test
	cd static/demos && npm test

integration: ## real browsers against real servers, faults, hostile input, soak and memory in short
	go test -race -p 1 -timeout 40m ./integration/...

faults: ## break what lies between a page and a backend; ROWS=7,8 TRANSPORTS=jsonp SEED=n
	FULL=1 go test -race -count 1 -timeout 4h -v -run '^TestFaults$$' ./integration/faults

resume: ## cut sessions on every transport CUTS times (default 700) and count what resumed
	go test -count 1 -timeout 4h -v -run '^TestResume$$' ./integration/faults

fuzz: ## every fuzz target, FUZZTIME times (default 600000x) or for so long
	sh .ci/fuzz

memory: ## 1,000 sessions that read nothing, for DURATION (default 20s)
	go test -v -count 1 -timeout 0 ./integration/memory

soak: ## everything fails, for DURATION (default 2m); SEED repeats a run
	go test -v -count 1 -timeout 0 ./integration/soak

bench: build ## Encke beside its peers (bench/README.md); QUICK=1 for two minutes of it
	sh integration/install.sh bench
	cd bench && go build -trimpath -o bin/encke-bench . && bin/encke-bench $(if $(QUICK),$(BENCH_QUICK)) $(BENCH)

bench-browser: ## the same in Chromium: TCPSocket.js, sockjs-client and a bare WebSocket; ROUNDS=5
	sh integration/install.sh bench
	cd bench && go test -run xxx -bench Chromium -benchtime $${ROUNDS:-5}x -timeout 60m -v .

microbench: ## Go benchmarks of the hot paths, with allocations
	go test -run xxx -bench . -benchmem ./...

client: ## rebuild the committed browser bundles (needs npm ci in static/demos)
	go run ./static/build

clean: ## remove what was built and installed here
	rm -rf bin bench/bin bench/results integration/.tools integration/out $$(find . -name node_modules -prune)
