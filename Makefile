# Nothing here installs anything. Tools that a test wants and does not find make
# it skip and say which Debian package has it; with SIPRECD_CI=1 it fails instead.

GO       ?= go
FUZZTIME ?= 20000x
BENCHTIME ?= 1s
POLICY   ?= 4
BIN      := bin

.PHONY: all build test race lint simple-reader imports vulncheck coverage fuzz bench conformance policy load proof clean

all: lint test

build:
	$(GO) build -trimpath -o $(BIN)/ ./cmd/...

test:
	$(GO) vet ./...
	$(GO) test ./...

# A short listen: what is looked for is races. The live calls of cmd/endtoend and the suite
# wait most of their time, so they go beside the other packages; on each side one package
# goes after the other.
race:
	@$(GO) build -race ./... || exit 1; \
	$(GO) test -race -short -p 1 ./cmd/endtoend ./conformance/... & live=$$!; rest=0; \
	$(GO) test -race -short -p 1 $$($(GO) list ./... | grep -v -e '/cmd/endtoend$$' -e '/siprecd/conformance') || rest=1; \
	wait $$live && exit $$rest

# The tests of the whole with the portable reader of media; "test" has the other.
simple-reader:
	SIPRECD_TEST_MEDIA_READER=simple $(GO) test -count=1 ./cmd/endtoend

# The import rules of docs/architecture.md. Never from the test cache: what
# "go list" reads is not among the things the cache looks at.
imports:
	$(GO) test -count=1 -run '^TestImports' ./cmd/siprecd

lint:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then \
		echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	@if command -v staticcheck >/dev/null; then staticcheck ./...; \
		elif [ -n "$(SIPRECD_CI)" ]; then echo "staticcheck is missing"; exit 1; \
		else echo "staticcheck is not installed: skipped"; fi

# Known vulnerabilities in what the binaries call; VULNDB names another database.
vulncheck:
	.ci/vulncheck

# Every fuzz target there is, FUZZTIME each: a number of inputs (20000x), or a time.
fuzz:
	.ci/fuzz $(FUZZTIME)

bench:
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

# Every statement of the rules is run by their own tests.
coverage:
	.ci/coverage

# The suite against a freshly started siprecd, strict: every group over UDP, a part over
# TCP, TLS and IPv6. ".ci/conformance full" is every group over each, and 20 runs.
conformance: build
	.ci/conformance small $(BIN)

# Scenarios of the rules on live calls: all of them in the standard dialect, one of
# POLICY in each other manner, and a server whose gate is broken (docs/policy-e2e.md);
# POLICY=all is all in all.
policy:
	SIPRECD_TEST_POLICY=$(POLICY) $(GO) test -count=1 -v -run '^(TestScenarios|TestBrokenGate)$$' ./cmd/endtoend

# A freshly started siprecd under load for some seconds, and a look for every packet
# in its files. ".ci/load full" is the same at full length (docs/load.md).
load: build
	.ci/load small $(BIN)

# Everything at full length; the result is docs/proof.md.
proof:
	.ci/proof

clean:
	rm -rf $(BIN)
