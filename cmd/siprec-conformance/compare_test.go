package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCompareReports(t *testing.T) {
	dir := t.TempDir()
	path, page := filepath.Join(dir, "report.json"), filepath.Join(dir, "page.json")
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"run", "--target", echo(t, "481 No Such Thing"), "--json", path, "rfc3261/15.1.2/1"}, &out, &errs); code != exitPassed {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	if err := os.WriteFile(page, []byte("<html>"), 0o600); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	const want = "| group | UDP | UDP |\n|---|---|---|\n| rfc3261 | 1 passed | 1 passed |\n| **all** | **1 passed** | **1 passed** |\n"
	if code := run(t.Context(), []string{"compare", path, path}, &out, &errs); code != exitPassed || out.String() != want {
		t.Errorf("exit code %d: %s%s", code, &out, &errs)
	}
	for _, wrong := range []string{page, filepath.Join(dir, "none.json")} {
		errs.Reset()
		if code := run(t.Context(), []string{"compare", wrong}, &out, &errs); code != exitError || !strings.Contains(errs.String(), wrong) {
			t.Errorf("%s: exit code %d: %s", wrong, code, &errs)
		}
	}
}
