package observe

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// stretched is a channel at a multiple of its rate, by straight lines.
func stretched(in []int16, times int) (out []int16) {
	for i, s := range in {
		next := 0
		if i+1 < len(in) {
			next = int(in[i+1])
		}
		for k := range times {
			out = append(out, int16(int(s)+(next-int(s))*k/times))
		}
	}
	return out
}

// softer is a channel at half its level.
func softer(in []int16) []int16 {
	out := make([]int16, len(in))
	for i, s := range in {
		out[i] = s / 2
	}
	return out
}

// Whatever the form of the files, what is in them is found in its place, whole where
// the form can hold it whole.
func TestLayouts(t *testing.T) {
	nora, desk := speech("Nora", 0, 12), speech("Desk", 2, 12)
	a, b := recorded(t, 800, nora), recorded(t, 800, desk)
	for _, tt := range []struct {
		name  string
		files map[string][]byte
		exact bool
		apart bool
	}{
		{"a file each", map[string][]byte{"1.wav": wavOf(t, linear(), a), "2.WAV": wavOf(t, linear(), b)}, true, true},
		{"a channel each", map[string][]byte{"1.wav": wavOf(t, linear(), a, b)}, true, true},
		{"24 bits", map[string][]byte{"1.wav": wavOf(t, WAV{Format: FormatPCM, Rate: 8000, Bits: 24}, a, b)}, true, true},
		{"32 bits", map[string][]byte{"1.wav": wavOf(t, WAV{Format: FormatPCM, Rate: 8000, Bits: 32}, a, b)}, true, true},
		{"floating point", map[string][]byte{"1.wav": wavOf(t, WAV{Format: FormatFloat, Rate: 8000, Bits: 32}, a, b)}, true, true},
		{"mu-law", map[string][]byte{"1.wav": wavOf(t, WAV{Format: FormatMuLaw, Rate: 8000, Bits: 8}, a, b)}, true, true},
		{"the other law", map[string][]byte{"1.wav": wavOf(t, WAV{Format: FormatALaw, Rate: 8000, Bits: 8}, a, b)}, false, true},
		{"16 kHz, which cannot be compared by samples", map[string][]byte{"1.wav": wavOf(t, WAV{Format: FormatPCM, Rate: 16000, Bits: 16}, stretched(a, 2), stretched(b, 2))}, true, true},
		{"softer", map[string][]byte{"1.wav": wavOf(t, linear(), softer(a), softer(b))}, false, true},
		{"a mix", map[string][]byte{"1.wav": wavOf(t, linear(), recorded(t, 800, nora, desk))}, false, false},
		{"a mix beside", map[string][]byte{"0.wav": wavOf(t, linear(), recorded(t, 800, nora, desk)), "1.wav": wavOf(t, linear(), a, b)}, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := look(t, tt.files, nora, desk)
			if p := f.Complete(); len(p) > 0 {
				t.Errorf("not complete: %v", p)
			}
			if p := f.InPlace(time.Millisecond); len(p) > 0 {
				t.Errorf("not in place: %v", p)
			}
			if p := f.Together(time.Millisecond); len(p) > 0 {
				t.Errorf("not together: %v", p)
			}
			if p := f.Exact(); len(p) == 0 != tt.exact {
				t.Errorf("exact: %v, want %t", p, tt.exact)
			}
			if p := f.Apart(); len(p) == 0 != tt.apart {
				t.Errorf("apart: %v, want %t", p, tt.apart)
			}
		})
	}
}

// What is no finished file of this recording session tells nothing, and no harm is done.
func TestOtherFiles(t *testing.T) {
	nora := speech("Nora", 0, 5)
	good := wavOf(t, linear(), recorded(t, 0, nora))
	files := map[string][]byte{
		".hidden.wav": good, "notes.txt": good, "half.wav": good[:30], "empty.wav": nil,
		"strange.wav": wavOf(t, WAV{Format: FormatPCM, Rate: 100, Bits: 16}, make([]int16, 10)),
		"other.wav":   wavOf(t, linear(), recorded(t, 0, Party{"X", []Part{{Voice: Voice{Call: 78}, Codec: nora.Parts[0].Codec, Kept: true}}})),
	}
	f := look(t, files, nora)
	if len(f.Channels) != 0 || len(f.Unread) != 1 || !strings.Contains(f.Unread[0], "strange.wav") {
		t.Errorf("channels %v, unread %v", f.Channels, f.Unread)
	}
	if p := f.Complete(); len(p) != 1 || !strings.Contains(p[0], "of Nora, 5 of 5 packets are in no file: 0 to 4") {
		t.Errorf("%v", p)
	}
	dir := shelve(t, map[string][]byte{"old.wav": good})
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "old.wav"), long, long); err != nil {
		t.Fatal(err)
	}
	o, err := Folder(dir, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if f, err = o.Look(t.Context(), Recorded{Began: time.Now(), Parties: []Party{nora}}); err != nil || len(f.Channels) != 0 {
		t.Errorf("a file of an hour ago is looked at: %v, %v", f, err)
	}
}

// A server of files has none at first, and numbers them.
func TestTemplate(t *testing.T) {
	nora, desk := speech("Nora", 0, 5), speech("Desk", 2, 5)
	files := map[string][]byte{
		"/f/a%2Fb@c/1.wav": wavOf(t, linear(), recorded(t, 0, nora)),
		"/f/a%2Fb@c/2.wav": wavOf(t, linear(), recorded(t, 0, desk)),
	}
	var mu sync.Mutex
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.EscapedPath())
		content, there := files[r.URL.EscapedPath()]
		switch {
		case len(asked) == 1:
			http.Error(w, "not yet", http.StatusServiceUnavailable)
		case len(asked) == 2 || !there:
			http.NotFound(w, r)
		default:
			_, _ = w.Write(content) // who does not read it fails the test
		}
	}))
	defer server.Close()
	o, err := Template(server.URL+"/f/{call-id}/{n}.wav", 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	f, err := o.Look(t.Context(), Recorded{CallID: "a/b@c", Began: time.Now(), Parties: []Party{nora, desk}})
	if err != nil || len(f.Complete()) > 0 || len(f.Channels) != 2 {
		t.Fatalf("%+v, %v", f, err)
	}
	mu.Lock()
	defer mu.Unlock()
	want := "/f/a%2Fb@c/1.wav /f/a%2Fb@c/1.wav /f/a%2Fb@c/1.wav /f/a%2Fb@c/2.wav /f/a%2Fb@c/3.wav"
	if got := strings.Join(asked, " "); got != want {
		t.Errorf("asked for %s", got)
	}
}

// One file without a number, and a server that is wrong to the end.
func TestTemplateOfOneFile(t *testing.T) {
	nora := speech("Nora", 0, 5)
	content := wavOf(t, linear(), recorded(t, 0, nora))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if call, _ := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), "/")); call != "good" {
			http.Error(w, "broken", http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(content) // who does not read it fails the test
	}))
	defer server.Close()
	o, err := Template(server.URL+"/{call-id}", 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if f, err := o.Look(t.Context(), Recorded{CallID: "good", Parties: []Party{nora}}); err != nil || len(f.Complete()) > 0 {
		t.Errorf("%+v, %v", f, err)
	}
	o.wait = time.Millisecond
	if _, err := o.Look(t.Context(), Recorded{CallID: "bad", Parties: []Party{nora}}); err == nil || !strings.Contains(err.Error(), "500") {
		t.Errorf("error %v", err)
	}
}

func TestNumbersOfCallsDiffer(t *testing.T) {
	o, err := Folder(t.TempDir(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := o.NextCall(), o.NextCall(); a == b || a < 0 || b >= MaxCalls {
		t.Errorf("calls %d and %d", a, b)
	}
}
