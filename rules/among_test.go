package rules_test

import (
	"slices"
	"testing"
	"time"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/rules"
)

// Users are selected by the name that the directory gives them, or by id.
func TestSelectedByName(t *testing.T) {
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name     string
		who      rules.Identity
		selected []string
		may      bool
	}{
		{"by name", rules.Identity{Role: rules.RoleAgent, IdentifiedBy: rules.ByDirectory, Name: "anna"}, []string{"berta", "anna"}, true},
		{"by id", rules.Identity{Role: rules.RoleAgent, IdentifiedBy: rules.ByDirectory, Name: "anna"}, []string{"p1"}, true},
		{"another", rules.Identity{Role: rules.RoleAgent, IdentifiedBy: rules.ByDirectory, Name: "anna"}, []string{"berta"}, false},
		{"without a name", rules.Identity{Role: rules.RoleAgent, IdentifiedBy: rules.ByDirectory}, []string{""}, false},
		{"nobody", rules.Identity{Role: rules.RoleAgent, IdentifiedBy: rules.ByDirectory, Name: "anna"}, nil, false},
		{"an outsider of that name", rules.Identity{Role: rules.RoleCustomer, Name: "anna"}, []string{"anna"}, false},
	} {
		f := rules.Vonage()
		f.Plan = []rules.PlanRule{{Kind: rules.PlanAll}}
		f.Control, f.UserRecordings = rules.Selection{Names: tt.selected}, rules.Selection{Names: tt.selected}
		c := rules.Open(rules.NewPolicy(f), "r")
		out := c.Apply(
			rules.Event{At: at, Kind: rules.InteractionStarted, Direction: rules.DirectionInbound},
			rules.Event{At: at, Kind: rules.PartyJoined, Party: "c", Identity: rules.Identity{Role: rules.RoleCustomer, FirstPair: true}},
			rules.Event{At: at, Kind: rules.PartyJoined, Party: "p1", Identity: tt.who},
			rules.Event{At: at.Add(time.Second), Kind: rules.PausePressed, Party: "p1"},
			rules.Event{At: at.Add(2 * time.Second), Kind: rules.UserRecordingStarted, Party: "p1"},
		)
		refused := slices.DeleteFunc(out, func(d rules.Decision) bool { return d.Verdict != rules.Refused })
		if want := map[bool]int{true: 0, false: 2}[tt.may]; len(refused) != want {
			t.Errorf("%s: %d commands are refused, want %d", tt.name, len(refused), want)
		}
	}
}

// Own people have the name of their entry, or what it lists; nobody else has one.
func TestRosterNames(t *testing.T) {
	book := rules.Compile(rules.Directory{
		Agents: []rules.Entry{{Name: "anna", AORs: []string{"sip:anna@example.com"}}, {AORs: []string{"sip:berta@example.com"}}},
		Queues: []rules.Entry{{Name: "waiting", AORs: []string{"sip:queue@example.com"}}},
		Inside: rules.Inside{Domains: []string{"example.com"}},
	})
	r := rules.NewRoster(book, rules.Profile{})
	doc, err := metadata.Decode([]byte(`<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode>
<session session_id="s"/>` + people("anna@example.com", "berta@example.com", "clara@example.com", "queue@example.com", "+4930@example.net") + `</recording>`))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	model, _ := metadata.New().Apply(doc, at, nil)
	r.Update(at, model.Current(), nil)
	var got []string
	for _, ruling := range r.Rulings() {
		got = append(got, ruling.Name)
	}
	if want := []string{"anna", "sip:berta@example.com", "", "", ""}; !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
}

func people(aors ...string) (xml string) {
	for _, aor := range aors {
		id := `participant_id="` + aor + `"`
		xml += `<participant ` + id + `><nameID aor="sip:` + aor + `"/></participant><participantsessionassoc ` + id + ` session_id="s"/>`
	}
	return xml
}
