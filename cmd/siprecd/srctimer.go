package main

import (
	"errors"
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/siprecd/siprecd/siprec"
)

// The bounds of the intervals of session timers: what RFC 4028 §4 has as the least, and
// a day.
const (
	leastInterval   = 90 * time.Second
	longestInterval = 24 * time.Hour
)

// sessionTimer reads off, or a mapping of minimum and interval.
func sessionTimer(f srcFile, node *yaml.Node, to *siprec.SessionTimer) error {
	if node.Kind == yaml.ScalarNode {
		var word string
		to.Off = true
		return oneOf(node, &word, "off")
	}
	words := map[string]*time.Duration{"minimum": &to.Minimum, "interval": &to.Interval}
	err := readKeys(f, node, func(key string) (func(*yaml.Node) error, []string) {
		if at := words[key]; at != nil {
			return func(n *yaml.Node) error { return interval(n, at) }, nil
		}
		return nil, []string{"minimum", "interval"}
	})
	switch {
	case err != nil:
		return err
	case to.Minimum+to.Interval == 0:
		return errors.New("needs a minimum or an interval")
	case to.Interval > 0 && to.Interval < to.Minimum:
		return fmt.Errorf("the interval %v is below the minimum %v", to.Interval, to.Minimum)
	}
	return nil
}

// interval reads the interval of a session timer; it is counted in seconds.
func interval(node *yaml.Node, to *time.Duration) error {
	var text string
	if err := scalar(node, &text); err != nil {
		return err
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < leastInterval || d > longestInterval || d%time.Second != 0 {
		return fmt.Errorf("%q is not a duration of whole seconds from 90s to 24h", text)
	}
	*to = d
	return nil
}
