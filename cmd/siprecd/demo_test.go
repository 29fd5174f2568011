package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckSound(t *testing.T) {
	dir := t.TempDir()
	silent := toneWAV(440, 1, 8000)
	for i := 44; i < len(silent); i++ {
		silent[i] = 0
	}
	for _, tt := range []struct {
		name, want string
		content    []byte
	}{
		{name: "tone.wav", content: toneWAV(440, 2, 8000)},
		{name: "wide.wav", content: toneWAV(440, 1, 16000)},
		{name: "silent.wav", content: silent, want: "silent.wav is silent"},
		{name: "empty.wav", content: toneWAV(440, 0, 8000), want: "empty.wav"},
		{name: "text.wav", content: []byte("no audio"), want: "text.wav"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, tt.name)
			if err := os.WriteFile(path, tt.content, 0o600); err != nil {
				t.Fatal(err)
			}
			peak, err := checkSound(path)
			if tt.want == "" && (err != nil || peak < 11000) {
				t.Errorf("peak = %d, error = %v, want about 12000", peak, err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error = %v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestDemoFilesPlayElsewhere hands the files of a demo to two other programs.
func TestDemoFilesPlayElsewhere(t *testing.T) {
	if testing.Short() {
		t.Skip("short: it waits for other programs")
	}
	sox := needTool(t, "sox", "sox")
	ffmpeg := needTool(t, "ffmpeg", "ffmpeg")
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"demo", "--data", dir}, streams{&stdout, &stderr}); code != exitOK {
		t.Fatalf("exit code %d\n%s%s", code, stdout.String(), stderr.String())
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*", "*", "*", "*.wav"))
	if err != nil || len(files) != 2 {
		t.Fatalf("files = %q, %v, want two", files, err)
	}
	for _, file := range files {
		if !strings.Contains(stdout.String(), file) {
			t.Errorf("the demo did not print %s", file)
		}
		for _, cmd := range []*exec.Cmd{
			exec.CommandContext(t.Context(), sox, file, "-n", "stat"),
			exec.CommandContext(t.Context(), ffmpeg, "-v", "error", "-xerror", "-i", file, "-f", "null", "-"),
		} {
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %v\n%s", cmd.Args, err, out)
			}
		}
	}
}
