package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestExplainJSONIsDocumented: every key that --json prints stands in
// docs/explain.md, and no list of it is ever null.
func TestExplainJSONIsDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(moduleRoot(t), "docs", "explain.md"))
	if err != nil {
		t.Fatal(err)
	}
	var keys func(reflect.Type)
	keys = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Slice:
			keys(typ.Elem())
		case reflect.Struct:
			for i := range typ.NumField() {
				key := typ.Field(i).Tag.Get("json")
				if key == "" || !strings.Contains(string(text), "`"+key+"`") {
					t.Errorf("%s.%s: key %q is not documented", typ.Name(), typ.Field(i).Name, key)
				}
				keys(typ.Field(i).Type)
			}
		default:
		}
	}
	keys(reflect.TypeFor[explanation]())
	x := &explanation{RecordingSessions: []explainedDialog{{Participants: make([]explainedParticipant, 1)}}}
	fillLists(reflect.ValueOf(x))
	if d := x.RecordingSessions[0]; d.Calls == nil || d.Participants[0].AORs == nil {
		t.Error("a list is null")
	}
}

func TestFolded(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"one two", "one two"},
		{"one two three four", "one two|three four"},
		{"abcdefghijklmnopqrstuvwxyz", "abcdefghijkl|mnopqrstuvwx|yz"},
		{"no\u00a0break here now", "no\u00a0break|here now"},
	} {
		if got := strings.Join(folded(tt.text, 12), "|"); got != tt.want {
			t.Errorf("folded(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestMessagesText(t *testing.T) {
	for want, numbers := range map[string][]int{
		"message 2": {2}, "messages 1-3": {1, 2, 3}, "messages 1,3-4,7": {1, 3, 4, 7},
	} {
		if got := messagesText(numbers); got != want {
			t.Errorf("%v is %q, want %q", numbers, got, want)
		}
	}
}
