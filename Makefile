# Each target is one line that you could type yourself. CI runs .ci/run.
GO ?= go
BIN := $(CURDIR)/bin
LINT := $(BIN)/golangci-lint

.PHONY: build test lint e2e bench demo fuzz schema
build: ; CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o $(BIN)/credsync ./cmd/credsync
test: ; $(GO) test -race -shuffle=on ./...
lint: $(LINT) ; $(LINT) run ./... && cd e2e && $(LINT) run --config ../.golangci.yml ./...
e2e: ; ./e2e/run
bench: ; mkdir -p $(BIN) && $(GO) test -run='^$$' -bench=. -benchmem -count=6 ./... | tee $(BIN)/bench.txt && ./e2e/measure
demo: ; $(GO) run ./cmd/credsync demo
fuzz: ; ./.ci/fuzz $(or $(FUZZTIME),10s)
schema: ; $(GO) test ./internal/config -run Schema -update
$(LINT): ; GOBIN=$(BIN) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
