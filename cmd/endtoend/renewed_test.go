package endtoend

import (
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/conformance/src"
)

// renewing is the metadata of a call in the manner of BroadWorks: an older draft
// (layout L3), sent complete, in which every id is of its own set.
func renewing(set, user, far, more string) []byte {
	return []byte(strings.NewReplacer("{set}", set, "{user}", user, "{far}", far, "{more}", more).Replace(`<?xml version="1.0" encoding="UTF-8"?>
<recording_metadata xmlns="urn:ietf:params:xml:ns:siprec"><dataMode>complete</dataMode>
<recording id="urn:uuid:rec-{set}"><requestor>SRC</requestor><type>selective</type></recording>
<group id="urn:uuid:grp-{set}" recording="urn:uuid:rec-{set}"><initiator>{user}</initiator></group>
<session id="urn:uuid:com-{set}" group="urn:uuid:grp-{set}"><start-time>2031-01-02T03:04:05+00:00</start-time></session>
<participant id="urn:uuid:near-{set}" session="urn:uuid:com-{set}"><aor>{user}</aor><send><id>urn:uuid:one-{set}</id></send></participant>
<participant id="urn:uuid:far-{set}" session="urn:uuid:com-{set}"><aor>{far}</aor><send><id>urn:uuid:two-{set}</id></send></participant>
<stream id="urn:uuid:one-{set}" session="urn:uuid:com-{set}"><label>1</label><mode>separate</mode></stream>
<stream id="urn:uuid:two-{set}" session="urn:uuid:com-{set}"><label>2</label><mode>separate</mode></stream>
<extensiondata id="urn:uuid:ext-{set}" parent="urn:uuid:com-{set}"><broadWorksRecordingMetadata xmlns="http://schema.broadsoft.com/broadworksCallRecording" version="3.0">
<callType><termCall><callingPartyNumber>{far}</callingPartyNumber></termCall></callType><recordingType>on</recordingType>{more}</broadWorksRecordingMetadata></extensiondata>
</recording_metadata>`))
}

// TestTransferRenewsEveryID: BroadWorks replaces all ids when the far end is
// transferred, and when it comes back. The recorded user stays one participant
// with one file, the new far end gets one of its own.
func TestTransferRenewsEveryID(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("tcp")
	const (
		user    = "sip:201@users.example.com"
		first   = "sip:5550102@192.0.2.1;user=phone"
		second  = "sip:5550106@192.0.2.1;user=phone"
		spelled = "sip:201@USERS.example.com:5060;user=phone" // the same address
		moved   = "<redirectedCall><redirectedFromPartyNumber>" + first + "</redirectedFromPartyNumber><redirectedToPartynumber>" + second + "</redirectedToPartynumber></redirectedCall>"
	)
	part := src.PlayOptions{Duration: half}
	d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: renewing("a", user, first, ""), Quirks: src.Quirks{MetadataFirst: true}})
	play(t, d, part, src.Tone(440, false), src.Tone(880, false))
	do(t, d, "INVITE", src.Request{Streams: d.Offers()}) // without metadata: nobody changes
	do(t, d, "INVITE", src.Request{Streams: d.Offers(), Metadata: renewing("b", spelled, second, moved)})
	play(t, d, part, src.Tone(440, false), src.Tone(1500, false))
	do(t, d, "INVITE", src.Request{Streams: d.Offers(), Metadata: renewing("c", user, first, "")})
	play(t, d, part, src.Tone(440, false), src.Tone(880, false))
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	var files, people []string
	for _, f := range m.Files {
		files = append(files, f.Name)
	}
	for _, p := range m.Participants {
		people = append(people, p.ID)
	}
	if want := []string{"01-201.wav", "02-5550102.wav", "03-5550106.wav"}; !slices.Equal(files, want) {
		t.Errorf("files %q, want %q", files, want)
	}
	if want := []string{"urn:uuid:near-a", "urn:uuid:far-a", "urn:uuid:far-b"}; !slices.Equal(people, want) {
		t.Errorf("participants %q, want %q", people, want)
	}
	if len(m.Flags) > 0 {
		t.Errorf("flags %q", m.Flags)
	}
	l.hears(m, "201@users", map[float64]float64{440: 1.5, 880: 0, 1500: 0})
	l.hears(m, "5550102", map[float64]float64{880: 1, 1500: 0})
	l.hears(m, "5550106", map[float64]float64{1500: 0.5, 880: 0})
}
