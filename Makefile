# mpinlab: two commands do everything, set-up included.
#
#   make report   check, measure and draw; writes report/index.html
#   make test     every test
#
# See `make help`.

GO          ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK ?= golang.org/x/vuln/cmd/govulncheck@v1.9.0
FUZZTIME    ?= 20s
REPORT      ?= report

.DEFAULT_GOAL := help
.PHONY: help setup report report-full bench test race vectors fuzz lint vuln clean aa record readme torture pinpad screens k6 k6-test

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what tests and reports need, where it is missing
	@./.ci/setup

report: setup ## check, measure and draw the quick report (about 4 minutes)
	$(GO) run ./cmd/mpin report --quick -o $(REPORT)

report-full: setup ## the full report (about 20 minutes)
	$(GO) run ./cmd/mpin report -o $(REPORT)

bench: setup ## measure everything; Go benchmark format on standard output
	$(GO) run ./cmd/mpin bench

test: setup ## run every test
	$(GO) vet ./...
	$(GO) test -timeout 20m ./...
	# Once more without a C compiler; that blst is missing is the point here.
	CI= CGO_ENABLED=0 $(GO) test -short ./backends/... ./cmd/...

torture: setup ## the deployment's kills, floods and mutated requests in full (about 20 minutes)
	MPIN_TORTURE=1 $(GO) test -count=1 -v -timeout 90m ./sim/store ./sim/deploy

race: setup ## run the tests of the packages with concurrency under the race detector
	$(GO) test -race -short -timeout 40m ./backends/... ./protocol/... ./bench/... ./vectors/strictjson \
		$(addprefix ./sim/,store store/redistest seal service wire dta quorum proxy api rps rpa client pinpad/weak endtoend fault load load/result capacity)

vectors: ## write the project's own vectors again; they must come out the same
	@$(GO) build -o bin/mpin ./cmd/mpin
	@for suite in $$(bin/mpin suites | awk 'NR > 1 { print $$1 }'); do \
		bin/mpin vectors generate --suite $$suite --seed 6d70696e6c6162 -o vectors/data/$$(echo $$suite | tr / -).json || exit 1; \
	done

fuzz: setup ## fuzz every target for FUZZTIME each
	@GO="$(GO)" FUZZTIME="$(FUZZTIME)" ./.ci/fuzz

lint: setup ## gofmt, vet and staticcheck
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

k6: ## build bin/mpin-k6, k6 with M-Pin in it (a module of its own; 2 to 3 minutes the first time)
	cd sim/k6 && $(GO) build -ldflags='-s -w' -o ../../bin/mpin-k6 .

k6-test: ## k6 against a deployment: the example, processes that share a load, the cluster's manifest
	cd sim/k6 && $(GO) vet ./... && $(GO) test -count=1 -timeout 15m ./...

vuln: ## look for known vulnerabilities (needs the internet)
	$(GO) run $(GOVULNCHECK) ./...

clean: ## remove what the other targets made
	rm -rf $(REPORT) bin

aa: setup ## check the harness on itself: 20 A/A runs and a planted slowdown (about 10 minutes)
	@$(GO) build -o bin/mpin ./cmd/mpin
	bin/mpin aa -o bench/record/aa.json

record: setup ## the full report, its raw files kept in a dated folder under bench/record
	@$(GO) build -o bin/mpin ./cmd/mpin
	bin/mpin report -o $(REPORT)
	bin/mpin record $(REPORT)

readme: ## fill in the README's numbers from the newest record
	$(GO) run ./cmd/mpin readme

pinpad: ## build the PIN pad's WebAssembly; it must come out as committed
	$(GO) run ./sim/pinpad/pack

screens: setup ## drive the PIN pad in Chromium; pictures for README and report, figures on a quiet machine
	rm -rf .cache/screenshots
	MPIN_BROWSER_FIGURES=$(CURDIR)/.cache/pinpad.txt $(GO) test -count=1 -run 'Walk|Phone|Outages|Suite|Figures' ./sim/pinpad
	cp .cache/pinpad.txt sim/pinpad/screens/figures.txt
	for name in 07-pin-pad-phone-light 08-pin-entered-phone-dark 20-code-desktop-light 10-explainer-desktop-dark; do \
		cp .cache/screenshots/$$name.png sim/pinpad/screens/ || exit 1; \
	done
