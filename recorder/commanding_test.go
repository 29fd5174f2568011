package recorder

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/siprec"
)

// TestCommand: who is on the call pauses and resumes by its id, address, number or
// extension; the answer tells what holds then, and from when audio is absent. A command
// that comes again changes nothing, one that is refused changes nothing and says why.
func TestCommand(t *testing.T) {
	r := linking(t, t.TempDir(), trunkFile("    control: all\n    hold: pause-until-retrieve\n", ""))
	here := Query{CallID: "c1@example.com"}
	say := func(c Command) (Answer, error) { return r.Command(t.Context(), here, c) }
	causes := func(s State) (out []string) {
		for _, c := range s.Causes {
			out = append(out, c.Cause+" "+c.Owner)
		}
		return out
	}
	var recording string
	f := newFake(t, offered(both, inGroup("group-0001", "cs-0000001", alice, customer)), talk(0, 1, 0, 1), talk(1, 2, 0, 1), func(*fake) *siprec.Event {
		a, err := say(Command{Action: ActPause, Party: "sip:alice@example.com", At: sec(1), Key: "k1", By: "desk"})
		if err != nil || a.State.Kept || !a.AbsentFrom.Equal(sec(1)) || !slices.Equal(causes(a.State), []string{"manual call"}) {
			t.Errorf("pause: %+v, %v", a, err)
		}
		recording = a.State.Recording
		again, err := say(Command{Action: ActPause, Party: "sip:alice@example.com", At: sec(2), Key: "k1"})
		if err != nil || !again.Repeated || !again.AbsentFrom.Equal(sec(1)) {
			t.Errorf("once more: %+v, %v", again, err)
		}
		var wrong *Malformed
		if _, err := say(Command{Action: ActResume, Party: "sip:alice@example.com", At: sec(2), Key: "k1"}); !errors.As(err, &wrong) || wrong.Field != "key" {
			t.Errorf("something else with the same key: %v", err)
		}
		if _, err := say(Command{Action: ActHold, Party: "alice", At: sec(1.2)}); err != nil {
			t.Error(err)
		}
		a, err = say(Command{Action: ActResume, Party: "p1", At: sec(1.5)})
		if err != nil || a.State.Kept || !slices.Equal(causes(a.State), []string{"hold p1"}) || !a.AbsentFrom.IsZero() {
			t.Errorf("resume while on hold: %+v, %v", a, err)
		}
		var refusal *Refusal
		if _, err = say(Command{Action: ActPause, Party: "+49 30 123456", At: sec(1.6)}); !errors.As(err, &refusal) || !strings.Contains(refusal.Reason, "own people") {
			t.Errorf("by the customer: %v", err)
		}
		a, err = say(Command{Action: ActRetrieve, Party: "p1", At: sec(2)})
		if err != nil || !a.State.Kept || len(a.State.Causes) > 0 || !a.AbsentFrom.IsZero() {
			t.Errorf("retrieve: %+v, %v", a, err)
		}
		if _, err := say(Command{Action: ActTag, Tags: map[string]string{"case": "7"}, At: sec(2)}); err != nil {
			t.Error(err)
		}
		return nil
	}, talk(0, 1, 2, 3), talk(1, 2, 2, 3), ended(3))
	r.serve(t.Context(), f)
	m := manifests(t, r)[0]
	for _, s := range m.Streams {
		if want := []store.Interval{{FromMS: 0, ToMS: 1000}, {FromMS: 2000, ToMS: 3000}}; !slices.Equal(s.Permitted, want) || s.Packets.Kept != 100 {
			t.Errorf("stream %s: %v, %+v", s.ID, s.Permitted, s.Packets)
		}
	}
	if m.Tags["case"] != "7" || m.Recording != recording {
		t.Errorf("tags %v of %s", m.Tags, m.Recording)
	}
	folder, _ := store.Folder(r.cfg.Dir, m.Recording)
	var said []string
	for _, l := range readJournal(t, folder) {
		if l.Event == lineCommand {
			said = append(said, l.Command.Action+" "+l.Command.By+" "+l.Command.Refused)
		}
	}
	if len(said) != 6 || said[0] != "pause desk " || !strings.Contains(said[3], "own people") {
		t.Errorf("journal of commands %q", said)
	}
	if _, err := say(Command{Action: ActPause, Party: "p1"}); !errors.Is(err, ErrNotLive) {
		t.Errorf("after the end: %v", err)
	}
}

// TestCommandBackDated: a pause that is told late takes back what was kept since.
func TestCommandBackDated(t *testing.T) {
	r := linking(t, t.TempDir(), trunkFile("    control: all\n", ""))
	f := newFake(t, offered(both, inGroup("group-0001", "cs-0000001", alice, customer)), talk(0, 1, 0, 3), talk(1, 2, 0, 3),
		commanded1(r, Query{}, Command{Action: ActPause, Party: "p1", At: sec(1)}), talk(0, 1, 3, 4), ended(4))
	r.serve(t.Context(), f)
	for _, s := range manifests(t, r)[0].Streams {
		if s.Packets.Kept != 50 {
			t.Errorf("stream %s: %+v", s.ID, s.Packets)
		}
	}
}

// TestQuery: a live interaction is found by what people know of it, and a command that
// may mean two means none.
func TestQuery(t *testing.T) {
	r := linking(t, t.TempDir(), trunkFile("    control: all\n", ""))
	found := func(q Query) int { return len(r.Find(q)) }
	f := newFake(t, offered(both, inGroup("group-0001", "cs-0000001", alice, customer)), func(f *fake) *siprec.Event {
		g := newFake(t, offered(both, inGroup("group-0002", "cs-0000002", carol, sends("q2", "tel:+4930999999", "s2"))), func(*fake) *siprec.Event {
			for _, tt := range []struct {
				q    Query
				want int
			}{
				{Query{}, 2}, {Query{CallID: "c2"}, 1}, {Query{CallID: "c3"}, 0}, {Query{Participant: "p1"}, 1}, {Query{Participant: "030 123456"}, 1},
				{Query{Participant: "sip:carol@example.com"}, 1}, {Query{Agent: "carol"}, 1}, {Query{Extension: "alice"}, 1}, {Query{Extension: "+4930123456"}, 0},
				{Query{Group: "group-0002"}, 1}, {Query{Group: "cs-0000001"}, 1}, {Query{Account: "sales"}, 2}, {Query{Account: "care"}, 0},
				{Query{Account: "sales", Agent: "alice"}, 1}, {Query{VendorID: "x"}, 0},
			} {
				if got := found(tt.q); got != tt.want {
					t.Errorf("%+v finds %d, want %d", tt.q, got, tt.want)
				}
			}
			var several *Ambiguity
			if _, err := r.Command(t.Context(), Query{Account: "sales"}, Command{Action: ActConsentGiven}); !errors.As(err, &several) || len(several.Recordings) != 2 {
				t.Errorf("two may be meant: %v", err)
			}
			for _, c := range []Command{{Action: "dance"}, {Action: ActPause, Party: "sip:nobody@example.org"}, {Action: ActPause, Party: "p1", At: sec(-1)}, {Action: ActPause}} {
				if _, err := r.Command(t.Context(), Query{Group: "group-0001"}, c); !errors.Is(err, ErrCommand) {
					t.Errorf("%+v: %v", c, err)
				}
			}
			return nil
		}, ended(2))
		g.callID = "c2"
		r.serve(t.Context(), g)
		return nil
	}, ended(3))
	r.serve(t.Context(), f)
	manifests(t, r)
}

// TestCommandNotDurable: what a full disk does not take is withheld all the same, and not
// confirmed before it is written, however often it is said.
func TestCommandNotDurable(t *testing.T) {
	for _, name := range []string{"journal", "resume log"} {
		t.Run(name, func(t *testing.T) {
			r := linking(t, t.TempDir(), trunkFile("    control: all\n", ""))
			pressed := Command{Action: ActPause, Party: "p1", Key: "k"}
			f := newFake(t, offered(both, inGroup("group-0001", "cs-0000001", alice, customer)), talk(0, 1, 0, 1), func(*fake) *siprec.Event {
				in := r.live.all(Query{})[0]
				var full atomic.Bool
				full.Store(true)
				journalWell, logWell := in.journal.open, in.resume.open
				in.do(func() {
					switch name {
					case "journal":
						in.journal.open = func() (journalFile, error) {
							if full.Load() {
								return nil, syscall.ENOSPC
							}
							return journalWell()
						}
					default:
						in.resume.open = func(path string) (journalFile, error) {
							if full.Load() {
								return nil, syscall.ENOSPC
							}
							return logWell(path)
						}
					}
				})
				for n := range 3 {
					a, err := r.Command(t.Context(), Query{}, pressed)
					if !errors.Is(err, ErrNotDurable) || a.State.Kept || a.Repeated != (n > 0) {
						t.Errorf("%d: %+v, %v", n, a, err)
					}
				}
				full.Store(false)
				if a, err := r.Command(t.Context(), Query{}, pressed); err != nil || a.State.Kept || !a.Repeated {
					t.Errorf("once there is room: %+v, %v", a, err)
				}
				return nil
			}, talk(0, 1, 1, 2), ended(2))
			r.serve(t.Context(), f)
			manifests(t, r)
		})
	}
}

// TestFailureInACommand: a failure of ours over a command breaks one interaction off, which
// keeps what it has and records no more; the command is not confirmed.
func TestFailureInACommand(t *testing.T) {
	r := linking(t, t.TempDir(), trunkFile("", ""))
	f := newFake(t, offered(both, inGroup("group-0001", "cs-0000001", alice, customer)), talk(0, 1, 0, 1), func(*fake) *siprec.Event {
		in := r.live.all(Query{})[0]
		in.do(func() {
			file := in.journal.open
			in.journal.open = func() (journalFile, error) {
				in.journal.open = file
				panic("failure")
			}
		})
		tag := Command{Action: ActTag, Tags: map[string]string{"a": "b"}}
		for range 2 {
			if _, err := r.Command(t.Context(), Query{}, tag); !errors.Is(err, ErrNotLive) {
				t.Errorf("answered %v", err)
			}
		}
		return nil
	}, talk(0, 1, 101, 102), ended(102))
	r.serve(t.Context(), f)
	m := manifests(t, r)[0]
	if m.Streams[0].Packets.Kept != 50 || !slices.Contains(m.Flags, flagFailed) || !slices.Contains(f.log, "end") {
		t.Errorf("%+v, flags %v; the recording session: %v", m.Streams[0].Packets, m.Flags, f.log)
	}
}
