package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// A Control is the HTTP interface of a server through which people and other systems
// command live interactions.
type Control struct {
	URL    string // http://host:port or https://host:port
	Token  string
	Client *http.Client // default: one of its own, with 10 s for a command
}

// A command is the JSON of one.
type command struct {
	Key    string `json:"key,omitempty"`
	Action string `json:"action"`

	At     time.Time `json:"at,omitzero"` // from when it holds; zero is now
	Party  string    `json:"party,omitempty"`
	Other  string    `json:"other,omitempty"`
	Chosen string    `json:"chosen,omitempty"`
	Name   string    `json:"name,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

// An answered is what came of a command.
type answered struct {
	Status int
	Why    string // of a refusal
	Causes []string
	Absent time.Time
}

// send gives a command to the interaction of a Call-ID.
func (c *Control) send(ctx context.Context, callID string, cmd command) (a answered, err error) {
	body, err := json.Marshal(map[string]any{"find": map[string]string{"call_id": callID}, "command": cmd})
	if err != nil {
		return a, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/v1/commands", bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.Token)
	client := c.Client
	if client == nil {
		client = &http.Client{Timeout: 10 * time.Second}
	}
	res, err := client.Do(req)
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return a, err
	}
	a.Status = res.StatusCode
	return a, a.read(text)
}

// read reads the answer, or the problem document (RFC 9457).
func (a *answered) read(text []byte) error {
	var doc struct {
		Title  string `json:"title"`
		Detail string `json:"detail"`
		State  struct {
			Causes []struct {
				Cause string `json:"cause"`
			} `json:"causes"`
		} `json:"state"`
		Absent time.Time `json:"absent_from"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return fmt.Errorf("answer with status %d is no JSON: %w", a.Status, err)
	}
	a.Why, a.Absent = doc.Title, doc.Absent
	if doc.Detail != "" {
		a.Why += ": " + doc.Detail
	}
	for _, c := range doc.State.Causes {
		a.Causes = append(a.Causes, c.Cause)
	}
	return nil
}
