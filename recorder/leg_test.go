package recorder

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/siprec"
)

// inGroup is a document of one communication session in a group.
func inGroup(group, cs string, parties ...party) string {
	doc := document("complete", twoStreams, parties...)
	doc = strings.ReplaceAll(doc, `session_id="cs1"`, `session_id="`+cs+`"`)
	return strings.Replace(doc, `<session session_id="`+cs+`"/>`,
		`<group group_id="`+group+`"/><session session_id="`+cs+`"><group-ref>`+group+`</group-ref></session>`, 1)
}

// offeredAt is the INVITE of a recording session that begins later.
func offeredAt(at float64, streams []siprec.Stream, docs ...string) func(*fake) *siprec.Event {
	return event(siprec.Event{Kind: siprec.Offered, At: sec(at), Method: "INVITE", CSeq: 1, HasOffer: true, Streams: streams}, docs)
}

// linking is a recorder that records under a policy and links by what usually links. It
// waits for further recording sessions until it is closed.
func linking(t *testing.T, dir, file string) *Recorder {
	t.Helper()
	book := openBook(t, dir, ourPeople)
	publish(t, book, file, sec(-10))
	r, err := New(Config{Dir: dir, Rulebook: book, Now: func() time.Time { return sec(100) }, Links: UsualLinks(), Grace: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// another serves a further recording session between two events of one.
func another(r *Recorder, callID string, script ...func(*fake) *siprec.Event) func(*fake) *siprec.Event {
	return func(f *fake) *siprec.Event {
		g := newFake(f.t, script...)
		g.callID = callID
		r.serve(context.Background(), g)
		return nil
	}
}

// manifests closes the recorder and returns what it made, the oldest first.
func manifests(t *testing.T, r *Recorder) []store.Manifest {
	t.Helper()
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := store.List(r.cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []store.Manifest
	for _, l := range list {
		m, err := store.Load(r.cfg.Dir, l.ID)
		if err != nil {
			t.Fatalf("%v; journal %v", err, readJournal(t, l.Folder))
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b store.Manifest) int { return a.Times.Invite.Compare(b.Times.Invite) })
	return out
}

var (
	alice    = sends("p1", "sip:alice@example.com", "s1")
	customer = sends("p2", "sip:+4930123456@example.net", "s2")
	carol    = sends("q1", "sip:carol@example.com", "s1")
	again    = sends("q2", "tel:+4930123456", "s2") // the customer, with another id
)

// TestRecordingSessionsOfOneInteraction: a call that is transferred by ending one
// recording session and beginning another of the same group is one recording, in which
// the customer has one file. So is one whose second comes before the first has ended.
func TestRecordingSessionsOfOneInteraction(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script func(r *Recorder) []func(*fake) *siprec.Event
		after  bool
	}{
		{"after the first", func(*Recorder) []func(*fake) *siprec.Event { return nil }, true},
		{"before its end", func(r *Recorder) []func(*fake) *siprec.Event {
			return []func(*fake) *siprec.Event{another(r, "c2", transferred(3)...)}
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := linking(t, t.TempDir(), trunkFile("", ""))
			first := []func(*fake) *siprec.Event{offered(both, inGroup("group-0001", "cs-0000001", alice, customer)), talk(0, 1, 0, 2), talk(1, 2, 0, 2)}
			first = append(append(first, tt.script(r)...), ended(2))
			f := newFake(t, first...)
			r.serve(t.Context(), f)
			if tt.after {
				another(r, "c2", transferred(3)...)(f)
			}
			made := manifests(t, r)
			if len(made) != 1 {
				t.Fatalf("%d recordings", len(made))
			}
			m := made[0]
			if len(m.RecordingSessions) != 2 || m.RecordingSessions[1].CallID != "c2" || m.RecordingSessions[1].FromMS != 3000 || m.RecordingSessions[0].ToMS != 2000 {
				t.Errorf("recording sessions %+v", m.RecordingSessions)
			}
			want := []string{"01-alice.wav metadata [p1] [0.0]", "02-4930123456.wav metadata [p2] [1.0 2/1.0]", "03-carol.wav metadata [q1] [2/0.0]"}
			if got := filesOf(m); !slices.Equal(got, want) {
				t.Errorf("files %v, want %v", got, want)
			}
			for _, s := range m.Streams {
				if s.Packets.Kept != 100 {
					t.Errorf("stream %s: %+v", s.ID, s.Packets)
				}
			}
			if m.Timeline.DurationMS != 5000 || m.Verdict != store.OK {
				t.Errorf("timeline %+v, verdict %v %v", m.Timeline, m.Verdict, m.Reasons)
			}
		})
	}
}

// transferred is a recording session of two seconds, in which carol talks to the customer.
func transferred(at float64) []func(*fake) *siprec.Event {
	return []func(*fake) *siprec.Event{
		offeredAt(at, both, inGroup("group-0001", "cs-0000002", carol, again)), talk(0, 3, at, at+2), talk(1, 4, at, at+2), ended(at + 2),
	}
}

// TestApart: nothing but an id of the call links, only within one account, and not two
// with nobody in common, whatever ids an SRC sends.
func TestApart(t *testing.T) {
	stranger := sends("q2", "tel:+4930999999", "s2")
	two := "accounts:\n  - name: sales\n    trunks: [{name: east, record: on}]\n  - name: care\n    trunks: [{name: west, record: on}]\n" +
		"mapping:\n  - {header: {name: X-Account, value: care}, account: care, trunk: west}\n  - {account: sales, trunk: east}\n"
	care := func(step func(*fake) *siprec.Event) func(*fake) *siprec.Event {
		return func(f *fake) *siprec.Event {
			ev := step(f)
			ev.Headers = append(ev.Headers, siprec.Header{Name: "X-Account", Value: "care"})
			return ev
		}
	}
	for _, tt := range []struct {
		name  string
		offer func(*fake) *siprec.Event
	}{
		{"another group", offeredAt(1, both, inGroup("group-0002", "cs-0000002", carol, again))},
		{"ids too short to be one's own", offeredAt(1, both, inGroup("g1", "cs2", carol, again))},
		{"nobody in common", offeredAt(1, both, inGroup("group-0001", "cs-0000002", carol, stranger))},
		{"another account", care(offeredAt(1, both, inGroup("group-0001", "cs-0000002", carol, again)))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := linking(t, t.TempDir(), two)
			f := newFake(t, offered(both, inGroup("group-0001", "cs-0000001", alice, customer)), another(r, "c2", tt.offer, ended(2)), ended(3))
			r.serve(t.Context(), f)
			if made := manifests(t, r); len(made) != 2 {
				t.Errorf("%d recordings", len(made))
			}
		})
	}
}

// TestPausedLeg: what is withheld in an interaction is withheld in a recording session
// that joins it.
func TestPausedLeg(t *testing.T) {
	r := linking(t, t.TempDir(), trunkFile("    control: all\n", ""))
	f := newFake(t, offered(both, inGroup("group-0001", "cs-0000001", alice, customer)), talk(1, 2, 0, 1),
		commanded1(r, Query{CallID: "c1@example.com"}, Command{Action: ActPause, Party: "p1", At: sec(1)}),
		another(r, "c2", transferred(2)...), ended(5))
	r.serve(t.Context(), f)
	m := manifests(t, r)[0]
	for _, s := range m.Streams {
		want := uint64(0)
		if s.ID == "1.0" {
			want = 50
		}
		if s.Packets.Kept != want {
			t.Errorf("stream %s: %+v", s.ID, s.Packets)
		}
	}
}

// commanded1 is a command that has to be carried out.
func commanded1(r *Recorder, q Query, c Command) func(*fake) *siprec.Event {
	return func(f *fake) *siprec.Event {
		if _, err := r.Command(context.Background(), q, c); err != nil {
			f.t.Errorf("%s: %v", c.Action, err)
		}
		return nil
	}
}

// TestLegsAreRecalled kills the server while two recording sessions of an interaction
// are up, one of which was paused by a command; another process goes on with both.
func TestLegsAreRecalled(t *testing.T) {
	dir := t.TempDir()
	r := linking(t, dir, trunkFile("    control: all\n", ""))
	left := ""
	die := func(f *fake) *siprec.Event {
		f.save([]byte(dialogState))
		left = t.TempDir()
		if err := os.CopyFS(left, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		return nil
	}
	f := newFake(t, offered(both, inGroup("group-0001", "cs-0000001", alice, customer)), talk(1, 2, 0, 1),
		func(f *fake) *siprec.Event { f.save([]byte(dialogState)); return nil },
		another(r, "c2", append(transferred(2)[:1], commanded1(r, Query{CallID: "c2"}, Command{Action: ActPause, Party: "q1", At: sec(2.5), Key: "k1"}), die, ended(4))...), ended(5))
	r.serve(t.Context(), f)
	manifests(t, r)

	book := openBook(t, left, ourPeople)
	later, err := New(Config{Dir: left, Rulebook: book, Now: func() time.Time { return sec(100) }, Links: UsualLinks(), Grace: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	var legs []string
	got, err := later.recover(func(state []byte, l *leg) error {
		legs = append(legs, fmt.Sprint(l.number, " ", l.callID))
		g := newFake(t, resumed(6, both), talk(0, 9, 6, 7), talk(1, 8, 6, 7),
			func(*fake) *siprec.Event {
				if l.number == 2 {
					a, err := later.Command(t.Context(), Query{CallID: "c2"}, Command{Action: ActPause, Party: "q1", Key: "k1"})
					if err != nil || !a.Repeated || a.State.Kept || !a.AbsentFrom.Equal(sec(2.5)) {
						t.Errorf("said again after the restart: %+v, %v", a, err)
					}
				}
				return nil
			}, ended(8))
		later.working.Go(func() { later.goOn(context.Background(), g, l) })
		return nil
	})
	if err != nil || got != (Recovered{Resumed: 1}) || !slices.Equal(legs, []string{"1 c1@example.com", "2 c2"}) {
		t.Errorf("%+v, %v, %v", got, legs, err)
	}
	made := manifests(t, later)
	if len(made) != 1 || len(made[0].RecordingSessions) != 2 {
		t.Fatalf("%d recordings", len(made))
	}
	for _, s := range made[0].Streams {
		if s.ID != "1.0" && s.Packets.Kept != 0 {
			t.Errorf("stream %s was paused: %+v", s.ID, s.Packets)
		}
	}
}
