package control

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/recorder"
)

func manual(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// docs/control.md says of each action which right and which fields it needs.
func TestManualListsActions(t *testing.T) {
	text := manual(t, "control.md")
	cell := func(fields []string) string {
		if len(fields) == 0 {
			return ""
		}
		return "`" + strings.Join(fields, "`, `") + "` "
	}
	for _, a := range recorder.Actions() {
		needs, also := recorder.Fields(a)
		row := "| `" + string(a) + "` | `" + string(rightOf(a)) + "` | " + cell(needs) + "| " + cell(also) + "| "
		if n := strings.Count(text, "\n"+row); n != 1 {
			t.Errorf("%d rows begin with %s", n, row)
		}
	}
	for _, g := range groups() {
		if !strings.Contains(text, "\n| `"+string(g.right)+"` | ") {
			t.Errorf("no group %s", g.right)
		}
	}
}

// Each problem that the package answers with stands in the manual with its status, and
// none that it does not.
func TestManualListsProblems(t *testing.T) {
	var source string
	for _, name := range []string{"problem.go", "body.go", "guard.go", "handler.go", "archive.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source += string(text)
	}
	status := map[string]string{
		"BadRequest": "400", "Unauthorized": "401", "Forbidden": "403", "NotFound": "404", "MethodNotAllowed": "405", "Conflict": "409",
		"Gone": "410", "RequestEntityTooLarge": "413", "UnsupportedMediaType": "415", "TooManyRequests": "429",
		"InternalServerError": "500", "ServiceUnavailable": "503",
	}
	var want []string
	for _, m := range regexp.MustCompile(`newProblem\(http\.Status(\w+), "([a-z-]+)"`).FindAllStringSubmatch(source, -1) {
		want = append(want, status[m[1]]+" "+m[2])
	}
	var got []string
	for _, m := range regexp.MustCompile("(?m)^\\| (\\d{3}) \\| `([a-z-]+)` \\|").FindAllStringSubmatch(manual(t, "control.md"), -1) {
		got = append(got, m[1]+" "+m[2])
	}
	slices.Sort(want)
	if want = slices.Compact(want); !slices.Equal(slices.Sorted(slices.Values(got)), want) || len(want) < 10 {
		t.Errorf("the manual has %v, the source %v", got, want)
	}
}
