# Each target is one line that you could type yourself. CI runs .ci/run.
GO ?= go
BIN := $(CURDIR)/bin
LINT := $(BIN)/golangci-lint

.PHONY: build packages image test lint e2e bench demo fuzz schema prove prove-audit prove-crashes prove-races prove-faults prove-leaks prove-reloads
FULL := CREDSYNC_TEST_FULL=1
build: ; CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o $(BIN)/credsync ./cmd/credsync
test: ; $(GO) test -race -shuffle=on ./...
lint: $(LINT) ; $(LINT) run ./... && cd e2e && $(LINT) run --config ../.golangci.yml ./...
e2e: ; ./e2e/run
bench: ; mkdir -p $(BIN) && $(GO) test -run='^$$' -bench=. -benchmem -count=6 ./... | tee $(BIN)/bench.txt && ./e2e/measure
demo: ; $(GO) run ./cmd/credsync demo
fuzz: ; ./.ci/fuzz $(or $(FUZZTIME),10s)
# The long suites in full size; docs/guarantees.md has what they came to.
prove: prove-audit prove-crashes prove-races prove-faults prove-leaks prove-reloads
prove-audit: ; $(FULL) $(GO) test -count=1 -v -timeout 30m ./internal/audit -run 'TestEvery|TestNoClean|TestAKill'
prove-crashes: ; $(FULL) ./e2e/run -v -timeout 60m -run 'TestARunKilled|TestAKilledRun'
prove-races: ; $(FULL) $(GO) test -count=1 -v -timeout 30m ./internal/syncer ./internal/sink/... -run 'ForeignHandRace|Duel' && $(FULL) ./e2e/run -v -timeout 30m -run 'ForeignHandRace|LostAnswer|FightingWriters'
prove-faults: ; $(FULL) ./e2e/run -v -timeout 30m -parallel 8 -run 'TestTheFaultMatrix|TestAFaultLeaves|TotalOutage'
prove-leaks: ; $(FULL) ./e2e/run -v -timeout 45m -run 'TestNothingSecretIsEverSaid|TestNoSecretFollows'
prove-reloads: ; $(FULL) $(GO) test -race -count=1 -v -timeout 10m ./cmd/credsync -run TestReloads
packages: $(BIN)/goreleaser $(BIN)/cyclonedx-gomod ; ./release/snapshot dist
image: ; ./release/image credsync
schema: ; $(GO) test ./internal/config -run "Schema|Reference" -update
$(LINT): ; GOBIN=$(BIN) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
$(BIN)/goreleaser: ; GOBIN=$(BIN) $(GO) install github.com/goreleaser/goreleaser/v2@v2.14.0
$(BIN)/cyclonedx-gomod: ; GOBIN=$(BIN) $(GO) install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
