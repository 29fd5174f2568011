package recorder

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

const plansFile = `accounts:
  - name: sales
    plans:
      - {name: asked, record: all, consent: ask}
      - {name: quiet, record: none}
    trunks: [{name: east}]
mapping:
  - {address: 192.0.2.0/24, account: sales, trunk: east}
`

// TestCommandPlan: the plan of a call becomes known late, decides from then on, cannot
// become another, and is known after a restart.
func TestCommandPlan(t *testing.T) {
	dir := t.TempDir()
	r := linking(t, dir, plansFile)
	left := ""
	say := func(r *Recorder, c Command) (Answer, error) {
		return r.Command(t.Context(), Query{CallID: "c1@example.com"}, c)
	}
	want := func(when string, a Answer, err error, kept bool, cause string) {
		t.Helper()
		has := slices.ContainsFunc(a.State.Causes, func(c store.Cause) bool { return c.Cause == cause })
		if err != nil || a.State.Kept != kept || cause != "" && !has || cause == "" && len(a.State.Causes) > 0 {
			t.Errorf("%s: %+v, %v", when, a, err)
		}
	}
	f := newFake(t, offered(both, inGroup("group-0001", "cs-0000001", customer, alice)), talk(0, 1, 0, 1), talk(1, 2, 0, 1), func(f *fake) *siprec.Event {
		a, err := say(r, Command{Action: ActTag, Tags: map[string]string{"a": "b"}, At: sec(1)})
		want("no plan", a, err, false, "no-decision")
		var wrong *Malformed
		if _, err := say(r, Command{Action: ActPlan, Name: "nowhere", At: sec(1)}); !errors.As(err, &wrong) || wrong.Field != "name" {
			t.Errorf("a plan that there is not: %v", err)
		}
		a, err = say(r, Command{Action: ActPlan, Name: "asked", At: sec(1)})
		if want("the plan", a, err, false, "consent"); a.State.Plan != "asked" || !a.State.ConsentStep || !a.AbsentFrom.Equal(sec(1)) {
			t.Errorf("the plan: %+v", a.State)
		}
		a, err = say(r, Command{Action: ActPlan, Name: "quiet", At: sec(1)})
		if !errors.Is(err, ErrRefused) || a.State.Plan != "asked" {
			t.Errorf("another plan: %+v, %v", a, err)
		}
		a, err = say(r, Command{Action: ActPlan, Name: "asked", At: sec(1)})
		if want("the plan once more", a, err, false, "consent"); !a.AbsentFrom.IsZero() {
			t.Errorf("nothing is withheld by that: %v", a.AbsentFrom)
		}
		a, err = say(r, Command{Action: ActConsentGiven, At: sec(2)})
		want("consent", a, err, true, "")
		f.save([]byte(dialogState))
		left = t.TempDir()
		if err := os.CopyFS(left, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		return nil
	}, talk(0, 1, 2, 3), talk(1, 2, 2, 3), func(*fake) *siprec.Event {
		a, err := say(r, Command{Action: ActDoNotRecord, At: sec(3)})
		if want("do not record", a, err, false, "do-not-record"); !a.AbsentFrom.Equal(sec(3)) {
			t.Errorf("absent from %v", a.AbsentFrom)
		}
		a, err = say(r, Command{Action: ActRecord, At: sec(3)})
		if a.State.Kept {
			t.Errorf("a command to record reaches over that: %+v, %v", a, err)
		}
		return nil
	}, talk(0, 1, 3, 4), talk(1, 2, 3, 4), ended(5))
	r.serve(t.Context(), f)
	m := manifests(t, r)[0]
	if m.Belonging == nil || m.Belonging.Plan != "asked" || m.Void {
		t.Errorf("manifest %+v", m.Belonging)
	}
	for _, s := range m.Streams {
		if want := []store.Interval{{FromMS: 2000, ToMS: 3000}}; !slices.Equal(s.Permitted, want) {
			t.Errorf("stream %s: %v", s.ID, s.Permitted)
		}
	}

	later, err := New(Config{Dir: left, Rulebook: openBook(t, left, ourPeople), Now: func() time.Time { return sec(100) }, Links: UsualLinks(), Grace: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	got, err := later.recover(func(_ []byte, l *leg) error {
		g := newFake(t, resumed(6, both), func(*fake) *siprec.Event {
			a, err := say(later, Command{Action: ActTag, Tags: map[string]string{"a": "b"}, At: sec(6)})
			if want("after the restart", a, err, true, ""); a.State.Plan != "asked" || !a.State.ConsentStep {
				t.Errorf("after the restart: %+v", a.State)
			}
			return nil
		}, ended(8))
		later.working.Go(func() { later.goOn(context.Background(), g, l) })
		return nil
	})
	if err != nil || got != (Recovered{Resumed: 1}) {
		t.Errorf("%+v, %v", got, err)
	}
	if m := manifests(t, later)[0]; m.Belonging.Plan != "asked" {
		t.Errorf("manifest after the restart %+v", m.Belonging)
	}
}

// Without a policy file there are no plans, and one that the mapping named stays.
func TestCommandPlanRefused(t *testing.T) {
	said := false
	script := func(r **Recorder, name string) []func(*fake) *siprec.Event {
		return []func(*fake) *siprec.Event{offered(both, inGroup("group-0001", "cs-0000001", alice, customer)), func(*fake) *siprec.Event {
			said = true
			if a, err := (*r).Command(t.Context(), Query{}, Command{Action: ActPlan, Name: name, At: sec(1)}); !errors.Is(err, ErrRefused) || a.State.Recording == "" {
				t.Errorf("%s: %+v, %v", name, a, err)
			}
			return nil
		}, ended(2)}
	}
	all, err := New(Config{Dir: t.TempDir(), Policy: rules.RecordAll(), Now: func() time.Time { return sec(100) }})
	if err != nil {
		t.Fatal(err)
	}
	all.serve(t.Context(), newFake(t, script(&all, "asked")...))
	manifests(t, all)
	mapped := linking(t, t.TempDir(), plansFile+"  - {address: 192.0.2.0/24, account: sales, plan: quiet}\n")
	mapped.serve(t.Context(), newFake(t, script(&mapped, "asked")...))
	if m := manifests(t, mapped)[0]; m.Belonging.Plan != "quiet" || !said {
		t.Errorf("manifest %+v", m.Belonging)
	}
}

// Every action but those that are more than one event is an event of the rules.
func TestActionsAreEvents(t *testing.T) {
	kinds := kindsOf()
	for _, a := range Actions() {
		if kinds[a] == 0 && a != ActTag && a != ActPlan && a != ActDirection {
			t.Errorf("%s means nothing", a)
		}
	}
}

// An interaction has so many tags and no more.
func TestTagsAreBounded(t *testing.T) {
	r := linking(t, t.TempDir(), trunkFile("", ""))
	r.serve(t.Context(), newFake(t, offered(both, inGroup("group-0001", "cs-0000001", alice, customer)), func(*fake) *siprec.Event {
		tag := func(from, to int, value string) error {
			c := Command{Action: ActTag, Tags: make(map[string]string), At: sec(1)}
			for i := from; i < to; i++ {
				c.Tags["t"+string(rune('a'+i/26))+string(rune('a'+i%26))] = value
			}
			_, err := r.Command(t.Context(), Query{}, c)
			return err
		}
		var wrong *Malformed
		if err := errors.Join(tag(0, MaxTags, "x"), tag(0, MaxTags, "y")); err != nil {
			t.Error(err)
		}
		if err := tag(MaxTags, MaxTags+1, "x"); !errors.As(err, &wrong) || wrong.Field != "tags" {
			t.Errorf("one more: %v", err)
		}
		if err := errors.Join(tag(3, 4, ""), tag(MaxTags, MaxTags+1, "x")); err != nil {
			t.Error(err)
		}
		if s := r.Find(Query{})[0]; len(s.Tags) != MaxTags || s.Tags["taa"] != "y" {
			t.Errorf("%d tags", len(s.Tags))
		}
		return nil
	}, ended(2)))
	manifests(t, r)
}
