package endtoend

import (
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/siprec"
)

// plain admits any INVITE: devices that record without RFC 7865 have no option
// tag and no feature tag either.
func plain(c *siprec.Config) {
	c.Admit = func(siprec.Origin) (siprec.SRC, error) { return siprec.SRC{Name: "gateway", PlainInvite: true}, nil }
}

// named is a request of such a device: header fields, m-lines without labels, and
// nothing of RFC 7866.
func named(lines []src.StreamOffer, people ...string) src.Request {
	r := src.Request{Streams: slices.Clone(lines), Require: []string{}, NoFeatureTag: true}
	for i := range r.Streams {
		r.Streams[i].Label = ""
	}
	for _, p := range people {
		r.Headers = append(r.Headers, src.Header{Name: "X-Cisco-Recording-Participant", Value: p})
	}
	return r
}

// fromHeaders wants a recording whose participants are known from header fields
// alone.
func fromHeaders(t *testing.T, m store.Manifest, documents int, files ...string) {
	t.Helper()
	var got []string
	for _, f := range m.Files {
		got = append(got, f.Name)
		if f.Attribution != store.ByMetadata || len(f.Participants) != 1 {
			t.Errorf("%s: participants %q by %s", f.Name, f.Participants, f.Attribution)
		}
	}
	if !slices.Equal(got, files) {
		t.Errorf("files %q, want %q", got, files)
	}
	if !slices.Equal(m.Flags, []string{"from-header-fields"}) {
		t.Errorf("flags %q", m.Flags)
	}
	if len(m.Metadata) != documents {
		t.Errorf("%d documents kept, want %d: %+v", len(m.Metadata), documents, m.Metadata)
	}
	for _, d := range m.Metadata {
		if !strings.HasPrefix(d.File, "headers-") || !d.Readable {
			t.Errorf("document %+v", d)
		}
	}
}

// TestParticipantsOfHeaderFields: Cisco CUBE, network-based recording. The first
// m-line is that of the party named second.
func TestParticipantsOfHeaderFields(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", plain)
	c := l.client("tcp")
	d := invite(t, c, named(src.TwoParties(src.PCMU()), `sip:201@pbx.example.com;media-index="1"`, `sip:+15550102@carrier.example.net;media-index="0"`))
	play(t, d, src.PlayOptions{Duration: half}, src.Tone(440, false), src.Tone(880, false))
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	fromHeaders(t, m, 1, "01-201.wav", "02-15550102.wav")
	l.hears(m, "201@pbx", map[float64]float64{880: 0.5, 440: 0})
	l.hears(m, "+15550102@", map[float64]float64{440: 0.5, 880: 0})
}

// TestHeaderFieldsExchangeAParticipant: a re-INVITE names another party for the
// second m-line, and a third one that changes nothing.
func TestHeaderFieldsExchangeAParticipant(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", plain)
	c := l.client("udp")
	const (
		caller = `sip:+15550102@carrier.example.net;media-index="0"`
		first  = `sip:201@pbx.example.com;media-index="1"`
		second = `sip:202@pbx.example.com;media-index="1"`
	)
	d := invite(t, c, named(src.TwoParties(src.PCMU()), caller, first))
	play(t, d, src.PlayOptions{Duration: half}, src.Tone(440, false), src.Tone(880, false))
	do(t, d, "INVITE", named(d.Offers(), caller, second))
	play(t, d, src.PlayOptions{Duration: half}, src.Tone(440, false), src.Tone(1500, false))
	do(t, d, "INVITE", named(d.Offers(), caller, second))
	play(t, d, src.PlayOptions{Duration: half}, src.Tone(440, false), src.Tone(1500, false))
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	fromHeaders(t, m, 2, "01-15550102.wav", "02-201.wav", "03-202.wav")
	l.hears(m, "+15550102@", map[float64]float64{440: 1.5, 880: 0, 1500: 0})
	l.hears(m, "201@pbx", map[float64]float64{880: 0.5, 1500: 0})
	l.hears(m, "202@pbx", map[float64]float64{1500: 1, 880: 0})
}

// TestBuiltInBridge: a phone forks both ends in dialogs of their own; From says
// which end each carries.
func TestBuiltInBridge(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", plain)
	const ends = ";x-refci=22;x-nearendaddr=201;x-farendrefci=21;x-farendaddr=5550102"
	var dialogs []*src.Dialog
	for _, side := range []string{"x-nearend", "x-farend"} {
		r := named(src.TwoParties(src.PCMU())[:1])
		r.From = "sip:201@192.0.2.5;" + side + ends
		dialogs = append(dialogs, invite(t, l.client("udp"), r))
	}
	for i, d := range dialogs {
		play(t, d, src.PlayOptions{Duration: half}, src.Tone([]float64{440, 880}[i], false))
		do(t, d, "BYE", src.Request{})
	}
	all := l.manifests()
	if len(all) != 2 {
		t.Fatalf("%d recordings, want 2", len(all))
	}
	slices.SortFunc(all, func(a, b store.Manifest) int { return a.Times.Invite.Compare(b.Times.Invite) })
	fromHeaders(t, all[0], 1, "01-201.wav")
	fromHeaders(t, all[1], 1, "01-5550102.wav")
	l.hears(all[0], "201", map[float64]float64{440: 0.5, 880: 0})
	l.hears(all[1], "5550102", map[float64]float64{880: 0.5, 440: 0})
}

// TestMetadataOverHeaderFields: metadata that comes later is believed alone, and
// whom header fields named before goes on in one file.
func TestMetadataOverHeaderFields(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", plain)
	c := l.client("tcp")
	r := named(src.TwoParties(src.PCMU()), alice.AOR+`;media-index="0"`, bob.AOR+`;media-index="1"`)
	r.Streams = src.TwoParties(src.PCMU())
	d := invite(t, c, r)
	play(t, d, src.PlayOptions{Duration: half}, src.Tone(440, false), src.Tone(880, false))
	do(t, d, "INVITE", src.Request{Streams: d.Offers(), Metadata: conversation(c).Complete()})
	r = named(nil, `sip:202@pbx.example.com;media-index="0 1"`)
	r.Streams = d.Offers()
	do(t, d, "INVITE", r)
	play(t, d, src.PlayOptions{Duration: half}, src.Tone(440, false), src.Tone(880, false))
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	if len(m.Participants) != 2 || len(m.Files) != 2 {
		t.Errorf("%d participants in %d files, want 2 in 2", len(m.Participants), len(m.Files))
	}
	l.hears(m, "Alice", map[float64]float64{440: 1, 880: 0})
	l.hears(m, "Bob", map[float64]float64{880: 1, 440: 0})
}
