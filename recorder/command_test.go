package recorder

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestCommandsThatCanBeMeant(t *testing.T) {
	now := time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)
	full := map[string]func(*Command){
		"party":    func(c *Command) { c.Party = "sip:alice@example.com" },
		"other":    func(c *Command) { c.Other = "+15550100" },
		"chosen":   func(c *Command) { c.Chosen = ChosenTyped },
		"name":     func(c *Command) { c.Name = "inbound" }, // which every action takes
		"evidence": func(c *Command) { c.Evidence = &Evidence{Who: "ivr", When: now, Wording: "May we?", Digit: "1#"} },
		"tags":     func(c *Command) { c.Tags = map[string]string{"case-no": "17", "gone": ""} },
	}
	for _, row := range actionRows() {
		least := Command{Action: row.action}
		for _, f := range row.needs {
			full[f](&least)
		}
		if err := least.check(now); err != nil {
			t.Errorf("%s with what it needs: %v", row.action, err)
		}
		for _, f := range row.needs {
			without := Command{Action: row.action}
			for _, g := range row.needs {
				if g != f {
					full[g](&without)
				}
			}
			wantMalformed(t, without.check(now), f)
		}
		most := least
		for _, f := range row.also {
			full[f](&most)
		}
		most.Key, most.Reason, most.At, most.By = strings.Repeat("k", MaxCommandKey), "because", now.Add(maxAhead), "crm"
		if err := most.check(now); err != nil {
			t.Errorf("%s with all that it may have: %v", row.action, err)
		}
		for f, give := range full {
			over := least
			if give(&over); reflect.DeepEqual(over, least) || strings.Contains(strings.Join(row.also, " "), f) {
				continue
			}
			wantMalformed(t, over.check(now), f)
		}
	}
}

func TestCommandsThatCannotBeMeant(t *testing.T) {
	now := time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)
	long := func(n int) string { return strings.Repeat("x", n+1) }
	for field, commands := range map[string][]Command{
		"action":           {{}, {Action: "explode"}, {Action: "Pause", Party: "a"}},
		"at":               {{Action: ActDoNotRecord, At: now.Add(maxAhead + 1)}},
		"key":              {{Action: ActConference, Key: long(MaxCommandKey)}, {Action: ActConference, Key: "a\nb"}, {Action: ActConference, Key: "\xff"}},
		"party":            {{Action: ActPause, Party: long(maxPartyLength)}, {Action: ActPause, Party: "a\x00"}, {Action: ActPause, Party: "  "}},
		"other":            {{Action: ActConsult, Party: "a", Other: "b\u2028"}},
		"chosen":           {{Action: ActConsult, Party: "a", Other: "b", Chosen: "guessed"}},
		"name":             {{Action: ActMenu, Name: long(maxNameLength)}, {Action: ActDirection, Name: "unknown"}, {Action: ActDirection, Name: "Inbound"}},
		"reason":           {{Action: ActConference, Reason: long(maxReasonLength)}},
		"evidence.who":     {{Action: ActConsentGiven, Evidence: &Evidence{Who: "\x1b[2J"}}},
		"evidence.wording": {{Action: ActConsentGiven, Evidence: &Evidence{Wording: long(maxWordingLength)}}},
		"evidence.digit":   {{Action: ActConsentGiven, Evidence: &Evidence{Digit: "one"}}, {Action: ActConsentGiven, Evidence: &Evidence{Digit: strings.Repeat("1", maxDigits+1)}}},
		"evidence.when":    {{Action: ActConsentGiven, Evidence: &Evidence{When: now.Add(time.Hour)}}},
		"tags":             {{Action: ActTag, Tags: map[string]string{"": "v"}}, {Action: ActTag, Tags: map[string]string{"a b": "v"}}, {Action: ActTag, Tags: map[string]string{"ä": "v"}}, {Action: ActTag, Tags: map[string]string{long(maxTagName): "v"}}, {Action: ActTag, Tags: manyTags()}},
		"tags.a":           {{Action: ActTag, Tags: map[string]string{"a": long(maxTagValue)}}},
	} {
		for _, c := range commands {
			wantMalformed(t, c.check(now), field)
		}
	}
}

func manyTags() map[string]string {
	tags := make(map[string]string)
	for i := range MaxTags + 1 {
		tags["t"+strings.Repeat("1", i%60)+string(rune('a'+i/60))] = "v"
	}
	return tags
}

func TestQueriesThatCannotBeMeant(t *testing.T) {
	fine := Query{Recording: "r", CallID: strings.Repeat("c", maxCallIDLength), Participant: "p", Agent: "a", Extension: "1", Group: "g", VendorID: "v", Account: "b"}
	if err := fine.Check(); err != nil {
		t.Error(err)
	}
	for field, q := range map[string]Query{
		"recording": {Recording: "\n"}, "call_id": {CallID: strings.Repeat("c", maxCallIDLength+1)}, "participant": {Participant: "\x7f"},
		"agent": {Agent: strings.Repeat("c", 300)}, "extension": {Extension: "\t"}, "group": {Group: "\xff"},
		"vendor_id": {VendorID: "\r"}, "account": {Account: " "},
	} {
		wantMalformed(t, q.Check(), field)
	}
}

func wantMalformed(t *testing.T, err error, field string) {
	t.Helper()
	var m *Malformed
	if !errors.As(err, &m) || !errors.Is(err, ErrCommand) || m.Field != field || m.Problem == "" {
		t.Errorf("got %v, want %s malformed", err, field)
	}
}

func TestErrorsOfCommands(t *testing.T) {
	for want, err := range map[error]error{
		ErrAmbiguous: &Ambiguity{Recordings: []string{"a", "b"}}, ErrRefused: &Refusal{Reason: "has no control"},
	} {
		if !errors.Is(err, want) || err.Error() == want.Error() {
			t.Errorf("%v says no more than %v", err, want)
		}
	}
}

func TestActionsAreDifferent(t *testing.T) {
	seen := make(map[Action]bool)
	for _, a := range Actions() {
		if seen[a] {
			t.Errorf("%s is there twice", a)
		}
		seen[a] = true
	}
	if len(seen) != 37 {
		t.Errorf("%d actions", len(seen))
	}
}

// Who commands is never taken from what was sent.
func TestJSONOfCommandHasNoBy(t *testing.T) {
	text, err := json.Marshal(Command{Action: ActPause, Party: "a", By: "somebody"})
	if err != nil || string(text) != `{"action":"pause","party":"a"}` {
		t.Errorf("%s %v", text, err)
	}
}

// Two commands say the same whoever says it, and whenever.
func TestCommandsSayTheSame(t *testing.T) {
	at := time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)
	full := func() Command {
		return Command{
			Key: "k", Action: ActConsentGiven, At: at, Party: "p", Other: "o", Chosen: "list", Name: "n", Reason: "r",
			Evidence: &Evidence{Who: "w", When: at, Wording: "x", Digit: "1"}, Tags: map[string]string{"a": "b"}, By: "crm",
		}
	}
	other := full()
	other.By, other.At, other.Evidence.When = "acd", at.Add(1), at.Add(2)
	if !full().says(other) || !(Command{}).says(Command{Tags: map[string]string{}}) {
		t.Error("they say the same")
	}
	for name, change := range map[string]func(*Command){
		"key": func(c *Command) { c.Key = "" }, "action": func(c *Command) { c.Action = ActPause },
		"party": func(c *Command) { c.Party = "x" }, "other": func(c *Command) { c.Other = "x" }, "chosen": func(c *Command) { c.Chosen = "typed" },
		"name": func(c *Command) { c.Name = "x" }, "reason": func(c *Command) { c.Reason = "x" }, "evidence": func(c *Command) { c.Evidence = nil },
		"who":     func(c *Command) { c.Evidence.Who = "x" },
		"wording": func(c *Command) { c.Evidence.Wording = "" }, "digit": func(c *Command) { c.Evidence.Digit = "2" },
		"tags": func(c *Command) { c.Tags["c"] = "d" },
	} {
		c := full()
		if change(&c); c.says(full()) || full().says(c) {
			t.Errorf("another %s says something else", name)
		}
	}
}
