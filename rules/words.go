package rules

import (
	"fmt"
	"strings"
)

// words are the names of an enumeration, from its value 0 on.
type words []string

func (w words) name(i int, what string) string {
	if uint(i) >= uint(len(w)) {
		return fmt.Sprintf("%s-%d", what, i)
	}
	return w[i]
}

// index returns the value of a name, without case.
func (w words) index(text []byte, what string) (int, error) {
	for i, name := range w {
		if strings.EqualFold(name, string(text)) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("unknown %s %q: want one of %s", what, text, strings.Join(w, ", "))
}
