package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/report"
)

func TestCompare(t *testing.T) {
	text, err := json.Marshal(sample())
	if err != nil {
		t.Fatal(err)
	}
	first, err := report.ReadSummary(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	second := report.Summary{
		Transport: "tls", Tally: conformance.Tally{Passed: 4},
		Groups: []conformance.Group{{Name: "rfc7866", Tally: conformance.Tally{Passed: 3}}, {Name: "rfc8068", Tally: conformance.Tally{Passed: 1}}},
	}
	var out bytes.Buffer
	if err := report.Compare(&out, []report.Summary{first, second}); err != nil {
		t.Fatal(err)
	}
	const want = `| group | UDP | TLS |
|---|---|---|
| rfc7866 | 1 passed, 1 failed | 3 passed |
| dialects | 0 passed, 1 warned, 1 without a verdict, 1 skipped | – |
| load | 1 passed | – |
| rfc8068 | – | 1 passed |
| **all** | **2 passed, 1 failed, 1 warned, 1 without a verdict, 1 skipped** | **4 passed** |
`
	if out.String() != want {
		t.Errorf("%s", &out)
	}
}

func TestSummaryOfSomethingElse(t *testing.T) {
	for _, text := range []string{"", "{}", `{"groups": 1}`, "<html>"} {
		if _, err := report.ReadSummary(strings.NewReader(text)); err == nil {
			t.Errorf("%q is read as a report", text)
		}
	}
}
