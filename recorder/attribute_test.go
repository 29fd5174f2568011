package recorder

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// said is who sent from an instant on, in seconds.
type said struct {
	from int
	who  string // keys with blanks between; a trailing ? says guessed
}

func senderOf(list []said) senderFunc {
	return func(at time.Duration) ([]string, bool) {
		who := ""
		for _, s := range list {
			if time.Duration(s.from)*time.Second <= at {
				who = s.who
			}
		}
		return strings.Fields(strings.TrimSuffix(who, "?")), strings.HasSuffix(who, "?")
	}
}

func TestVoices(t *testing.T) {
	tests := []struct {
		name  string
		marks []int
		said  []said
		want  []string
	}{
		{"no metadata", nil, nil, []string{"0-10 []"}},
		{"one sender throughout", []int{0}, []said{{0, "a"}}, []string{"0-10 [a]"}},
		{"metadata that changes nothing", []int{0, 3, 6}, []said{{0, "a"}}, []string{"0-10 [a]"}},
		{"late metadata speaks of the time before", []int{4}, []said{{4, "a"}}, []string{"0-10 [a]"}},
		{"hold by metadata", []int{0, 3, 6}, []said{{0, "a"}, {3, ""}, {6, "a"}}, []string{"0-3 [a]", "3-6 []", "6-10 [a]"}},
		{"transfer", []int{0, 5}, []said{{0, "a"}, {5, "b"}}, []string{"0-5 [a]", "5-10 [b]"}},
		{"mixed, in any order", []int{0, 5}, []said{{0, "b a"}, {5, "a b"}}, []string{"0-10 [a b]"}},
		{"a guess that becomes known", []int{0, 5}, []said{{0, "a?"}, {5, "a"}}, []string{"0-5 [a]?", "5-10 [a]"}},
		{"marks outside the life", []int{0, 99}, []said{{0, "a"}, {99, "b"}}, []string{"0-10 [a]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var marks []time.Duration
			for _, m := range tt.marks {
				marks = append(marks, time.Duration(m)*time.Second)
			}
			var got []string
			for _, v := range voices(0, span{0, 10 * time.Second}, marks, senderOf(tt.said)) {
				s := fmt.Sprintf("%d-%d %v", v.span.from/time.Second, v.span.to/time.Second, v.senders)
				if v.guessed {
					s += "?"
				}
				got = append(got, s)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTakes(t *testing.T) {
	v := func(stream, from, to int, who string) voice {
		return voice{stream, span{time.Duration(from) * time.Second, time.Duration(to) * time.Second}, strings.Fields(strings.TrimSuffix(who, "?")), strings.HasSuffix(who, "?")}
	}
	tests := []struct {
		name   string
		people string
		voices []voice
		want   []string
	}{
		{"two parties", "a b", []voice{v(0, 0, 9, "a"), v(1, 0, 9, "b")}, []string{"metadata [a] 0:0-9", "metadata [b] 1:0-9"}},
		{"a party that sent nothing", "a b", []voice{v(0, 0, 9, "b")}, []string{"metadata [b] 0:0-9"}},
		{"one party on another stream, after hold and transfer", "a", []voice{v(0, 0, 3, "a"), v(0, 5, 6, "a"), v(1, 6, 9, "a"), v(2, 9, 12, "a")}, []string{"metadata [a] 0:0-3 0:5-6 1:6-9 2:9-12"}},
		{"one party on two streams at a time", "a b", []voice{v(0, 0, 3, "a"), v(0, 5, 9, "a"), v(1, 6, 9, "a"), v(2, 9, 12, "a"), v(3, 0, 12, "b")},
			[]string{"metadata [a] 0:0-3 0:5-9 2:9-12", "metadata [a] 1:6-9", "metadata [b] 3:0-12"}},
		{"a guess", "a", []voice{v(0, 0, 3, "a?")}, []string{"guessed [a] 0:0-3"}},
		{"nobody", "a", []voice{v(2, 0, 9, "")}, []string{"unattributed [] 2:0-9"}},
		{"mixed names all, once", "a b c", []voice{v(0, 0, 3, "a b"), v(0, 3, 6, "a c"), v(0, 6, 9, "c")},
			[]string{"metadata [c] 0:6-9", "mixed [a b c] 0:0-3 0:3-6"}},
		{"two streams with nobody", "", []voice{v(0, 0, 9, ""), v(1, 0, 9, "")}, []string{"unattributed [] 0:0-9", "unattributed [] 1:0-9"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, k := range takes(strings.Fields(tt.people), tt.voices) {
				s := fmt.Sprintf("%s %v", k.attribution, k.participants)
				for _, src := range k.sources {
					s += fmt.Sprintf(" %d:%d-%d", src.Stream, src.From/time.Second, src.To/time.Second)
				}
				got = append(got, s)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPermitted(t *testing.T) {
	all := []voice{{0, span{0, 5}, []string{"a"}, false}, {0, span{5, 9}, []string{"b"}, false}}
	got := permitted(all, []span{{1, 2}, {4, 6}})
	want := []voice{{0, span{1, 2}, []string{"a"}, false}, {0, span{4, 5}, []string{"a"}, false}, {0, span{5, 6}, []string{"b"}, false}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := permitted(all, nil); got != nil {
		t.Errorf("without a permit: %v", got)
	}
}
