package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/siprecd/siprecd/recorder"
)

const (
	// maxBody is the longest body of a request, in octets.
	maxBody = 64 << 10
	// maxPerson is the longest name of a person that a token vouches for.
	maxPerson = 128
)

// readBody reads the JSON of a request.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, newProblem(http.StatusUnsupportedMediaType, "media-type", "The body has to be JSON", "want Content-Type: application/json").
			with("Accept", "application/json")
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, newProblem(http.StatusUnsupportedMediaType, "media-type", "The body has to be JSON", "want no Content-Encoding")
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, newProblem(http.StatusRequestEntityTooLarge, "too-large", "The body is too large", "it may have 65536 octets")
	case err != nil:
		return nil, malformed("", "the body ended before its end")
	case !utf8.Valid(text) || !json.Valid(text):
		return nil, malformed("", "the body is not JSON in UTF-8")
	}
	return text, nil
}

// readObject reads a JSON object whose keys are those of into, each at most once, and
// written as they stand there. The text has to be valid JSON. Names of fields begin
// with prefix.
func readObject(prefix string, text []byte, into map[string]any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	if t, _ := dec.Token(); t != json.Delim('{') {
		return malformed(strings.TrimSuffix(prefix, "."), "want a JSON object")
	}
	seen := make(map[string]bool)
	for dec.More() {
		t, _ := dec.Token()
		key, _ := t.(string)
		target, known := into[key]
		switch {
		case !known:
			return malformed(prefix+shortened(key), "there is no such field: want of "+strings.Join(slices.Sorted(maps.Keys(into)), ", "))
		case seen[key]:
			return malformed(prefix+key, "stands there twice")
		}
		seen[key] = true
		if err := dec.Decode(target); err != nil {
			return malformed(prefix+key, wanted(target))
		}
	}
	return nil
}

// shortened bounds what is told of a name that nobody knows.
func shortened(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// wanted says what should stand in place of what cannot be read.
func wanted(target any) string {
	switch target.(type) {
	case *time.Time:
		return "want an instant such as 2026-11-21T14:30:05.250Z (RFC 3339)"
	case *map[string]string:
		return "want an object whose values are texts"
	default:
		return "want a text"
	}
}

// readCommand reads a command.
func readCommand(text []byte) (c recorder.Command, err error) {
	var evidence json.RawMessage
	if err := readObject("", text, map[string]any{
		"key": &c.Key, "action": &c.Action, "at": &c.At, "party": &c.Party, "other": &c.Other, "chosen": &c.Chosen,
		"name": &c.Name, "reason": &c.Reason, "evidence": &evidence, "tags": &c.Tags,
	}); err != nil {
		return c, err
	}
	if evidence == nil || string(evidence) == "null" {
		return c, nil
	}
	c.Evidence = &recorder.Evidence{}
	return c, readObject("evidence.", evidence, map[string]any{
		"who": &c.Evidence.Who, "when": &c.Evidence.When, "wording": &c.Evidence.Wording, "digit": &c.Evidence.Digit,
	})
}

// queryFields are the fields of a query by their names.
func queryFields(q *recorder.Query) map[string]*string {
	return map[string]*string{
		"recording": &q.Recording, "call_id": &q.CallID, "participant": &q.Participant, "agent": &q.Agent,
		"extension": &q.Extension, "group": &q.Group, "vendor_id": &q.VendorID, "account": &q.Account,
	}
}

// readFindAndCommand reads the body that says which interaction it is for. One that
// names none would be for whichever is the only one: that is refused.
func readFindAndCommand(text []byte) (q recorder.Query, c recorder.Command, err error) {
	var find, command json.RawMessage
	if err := readObject("", text, map[string]any{"find": &find, "command": &command}); err != nil {
		return q, c, err
	}
	if find == nil || command == nil {
		return q, c, malformed("", "want an object with find and command")
	}
	fields := make(map[string]any)
	for name, to := range queryFields(&q) {
		fields[name] = to
	}
	if err := readObject("find.", find, fields); err != nil {
		return q, c, err
	}
	if q == (recorder.Query{Account: q.Account}) {
		return q, c, malformed("find", "says nothing of which interaction is meant")
	}
	c, err = readCommand(command)
	return q, c, err
}

// readQuery reads the query of a URL.
func readQuery(r *http.Request) (q recorder.Query, err error) {
	values, err := parseQuery(r)
	if err != nil {
		return q, err
	}
	fields := queryFields(&q)
	for name, list := range values {
		to := fields[name]
		switch {
		case to == nil:
			return q, malformed(shortened(name), "there is no such field: want of "+strings.Join(slices.Sorted(maps.Keys(fields)), ", "))
		case len(list) > 1:
			return q, malformed(name, "stands there twice")
		case list[0] == "":
			return q, malformed(name, "is empty")
		}
		*to = plus(list[0])
	}
	return q, nil
}

// plus mends a number whose + was sent as it is, which means a blank in a query.
func plus(s string) string {
	if rest, ok := strings.CutPrefix(s, " "); ok && rest != "" && '0' <= rest[0] && rest[0] <= '9' {
		return "+" + rest
	}
	return s
}

// readKey is the key of a command, which may stand in a header field instead, in
// quotes or not (draft-ietf-httpapi-idempotency-key-header).
func readKey(r *http.Request, c *recorder.Command) error {
	values := r.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return nil
	}
	key := values[0]
	if n := len(key); n > 1 && key[0] == '"' && key[n-1] == '"' {
		key = key[1 : n-1]
	}
	if len(values) > 1 || key == "" || c.Key != "" && c.Key != key {
		return malformed("key", "the field Idempotency-Key stands there twice, is empty, or says another than the body")
	}
	c.Key = key
	return nil
}

// readPerson is for whom a token speaks, as it says; empty when it says nothing.
func readPerson(r *http.Request) (string, error) {
	values := r.Header.Values("On-Behalf-Of")
	if len(values) == 0 {
		return "", nil
	}
	p := strings.TrimSpace(values[0])
	if len(values) > 1 || p == "" || len(p) > maxPerson || !utf8.ValidString(p) ||
		strings.ContainsFunc(p, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return "", malformed("On-Behalf-Of", "want one field, with 1 to 128 characters that can be printed")
	}
	return p, nil
}
