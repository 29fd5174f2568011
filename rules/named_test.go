package rules_test

import (
	"testing"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/rules"
)

// One of the own people is called what the directory calls him, by whichever of his
// addresses it knows him; an outsider has no name there.
func TestNameInTheDirectory(t *testing.T) {
	book := rules.Compile(rules.Directory{Agents: []rules.Entry{{Name: "anna", AORs: []string{"sip:anna@example.com"}}}})
	for _, tt := range []struct {
		aors []string
		want string
	}{
		{[]string{"sip:anna@example.com"}, "anna"},
		{[]string{"sip:desk7@pbx.example.com", "sip:anna@example.com"}, "anna"},
		{[]string{"sip:desk7@pbx.example.com"}, ""},
	} {
		var who metadata.Presence
		who.ID = "1"
		for _, aor := range tt.aors {
			who.NameIDs = append(who.NameIDs, metadata.NameID{AOR: aor})
		}
		r := rules.NewRoster(book, rules.Profile{})
		r.Update(at(0), metadata.View{Participants: []metadata.Presence{who}}, nil)
		ruling, ok := r.Ruling("1")
		if !ok || ruling.Identity.Name != tt.want {
			t.Errorf("%v is called %q, want %q", tt.aors, ruling.Identity.Name, tt.want)
		}
	}
}
