package recorder

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/siprec"
	"github.com/siprecd/siprecd/siprec/media"
)

// TestManifestOfSources: each SSRC stands in the manifest with its names, and a change
// in the journal once, with its reason.
// Shows 7866-8.1.3-01, 7866-8.3.1-03.
func TestManifestOfSources(t *testing.T) {
	from := netip.MustParseAddrPort("192.0.2.9:4000")
	sources := []media.Source{
		{SSRC: 7, At: sec(0.1), Address: from, Packets: 50, CNAME: "a@example.com", Bye: true},
		{SSRC: 8, At: sec(1.5), Address: from, Packets: 25, CNAME: "a@example.com", Name: "Eight", Change: media.ChangeRestart},
	}
	m, folder, _ := run(t, func(f *fake) *siprec.Event {
		f.sources = map[int][]media.Source{0: sources[:1]}
		return nil
	}, offered([]siprec.Stream{mline(0, "1", siprec.SendOnly)}), talk(0, 1, 0, 1), func(f *fake) *siprec.Event {
		f.sources[0] = sources
		return nil
	}, changed(2, nil), changed(3, nil), ended(4))
	want := []store.Source{
		{SSRC: 7, FromMS: 100, Address: "192.0.2.9:4000", Packets: 50, CNAME: "a@example.com", Bye: true},
		{SSRC: 8, FromMS: 1500, Address: "192.0.2.9:4000", Packets: 25, CNAME: "a@example.com", Name: "Eight", Change: "same source"},
	}
	if got := m.Streams[0].Sources; !slices.Equal(got, want) {
		t.Errorf("sources %+v", got)
	}
	journal, err := os.ReadFile(filepath.Join(folder, journalName))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(journal), `"source-changed"`); n != 1 ||
		!strings.Contains(string(journal), `"stream":"0.0","words":"SSRC 8 from 192.0.2.9:4000 follows 7: same source"`) {
		t.Errorf("%d changes in the journal:\n%s", n, journal)
	}
}

// TestDates: what the messages are dated is kept beside their arrival, which all else
// goes by.
// Shows 7865-6.1-01.
func TestDates(t *testing.T) {
	const odd, far = "Date header field cannot be read", "Date header field is more than a day away from the arrival"
	dated := func(f func(*fake) *siprec.Event, text string) func(*fake) *siprec.Event {
		return func(k *fake) *siprec.Event {
			ev := f(k)
			ev.Headers = append(ev.Headers, siprec.Header{Name: "date", Value: text})
			return ev
		}
	}
	hourOff := sec(0).Add(time.Hour).Truncate(time.Second).UTC()
	for _, tt := range []struct {
		name, text string
		want       time.Time
		oddity     string
	}{
		{"an hour off", hourOff.Format(dateForm), hourOff, ""},
		{"of another day", "Thu, 01 Jan 1970 00:00:10 GMT", time.Time{}, far},
		{"local time", hourOff.Format(time.RFC1123Z), time.Time{}, odd},
		{"none", "", time.Time{}, odd},
	} {
		t.Run(tt.name, func(t *testing.T) {
			streams := []siprec.Stream{mline(0, "1", siprec.SendOnly)}
			m, _, _ := run(t, dated(offered(streams), tt.text), dated(changed(1, nil), sec(9).UTC().Format(dateForm)), talk(0, 1, 0, 1), dated(ended(2), tt.text))
			if !m.Times.InviteDate.Equal(tt.want) || !m.Times.EndDate.Equal(tt.want) {
				t.Errorf("times %+v, want %v", m.Times, tt.want)
			}
			if !m.Times.Invite.Equal(sec(0)) || !m.Times.End.Equal(sec(2)) {
				t.Errorf("the arrivals are %+v", m.Times)
			}
			if slices.Contains(m.Oddities, odd) != (tt.oddity == odd) || slices.Contains(m.Oddities, far) != (tt.oddity == far) {
				t.Errorf("oddities %q", m.Oddities)
			}
		})
	}
}
