package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/control"
)

const (
	// tokenVariable may hold a token. It is no flag: what stands on a command line is
	// seen by everybody on the machine.
	tokenVariable = "SIPRECD_CONTROL_TOKEN"

	// clientTime bounds a request of ours: a command may wait for the disk.
	clientTime = 60 * time.Second
	// maxAnswer bounds what is read of an answer, in octets.
	maxAnswer = 16 << 20
)

type controlCommand struct {
	URL       string `name:"url" help:"Where the control interface of the server is." env:"SIPRECD_CONTROL_URL" default:"http://127.0.0.1:5080" placeholder:"URL"`
	TokenFile string `name:"token-file" help:"File whose first line is the token. It may stand in SIPRECD_CONTROL_TOKEN instead." env:"SIPRECD_CONTROL_TOKEN_FILE" placeholder:"FILE"`
	CA        string `name:"ca" help:"Authorities that are believed, PEM. When empty, those of the system." env:"SIPRECD_CONTROL_CA" placeholder:"FILE"`

	Send  controlSend  `cmd:"" default:"withargs" help:"Give a command to a live interaction and print the answer. docs/control.md lists all commands."`
	Find  controlFind  `cmd:"" help:"Print the live interactions that fit, all without a flag."`
	Token controlToken `cmd:"" help:"Print a fresh token, and its entry for the file of --control-tokens."`
}

// controlWho are the flags that say which interaction is meant.
type controlWho struct {
	Recording   string `help:"Id of the recording." placeholder:"ID"`
	CallID      string `name:"call-id" help:"Call-ID of a recording session." placeholder:"ID"`
	Participant string `help:"Id, address, number or name of somebody on the call." placeholder:"WHO"`
	Agent       string `help:"Id of an agent." placeholder:"ID"`
	Extension   string `help:"Extension of one of the own people." placeholder:"NUMBER"`
	Group       string `help:"Id of a group or communication session of the metadata." placeholder:"ID"`
	VendorID    string `name:"vendor-id" help:"UCID, GUID or tracking id." placeholder:"ID"`
	Account     string `help:"Account of the policy file." placeholder:"NAME"`
}

func (w controlWho) query() recorder.Query { return recorder.Query(w) }

type controlFind struct {
	controlWho `embed:""`
}

// Run prints what fits as JSON.
func (c *controlFind) Run(ctx context.Context, out streams, parent *controlCommand) error {
	values := url.Values{}
	for name, value := range map[string]string{
		"recording": c.Recording, "call_id": c.CallID, "participant": c.Participant, "agent": c.Agent,
		"extension": c.Extension, "group": c.Group, "vendor_id": c.VendorID, "account": c.Account,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	path := "/v1/interactions"
	if len(values) > 0 {
		path += "?" + values.Encode()
	}
	return parent.ask(ctx, out, http.MethodGet, path, nil, "")
}

type controlSend struct {
	Action string `arg:"" help:"What to do: pause, resume, consent-given ..."`

	controlWho `embed:""`

	Party  string            `help:"Participant it is about: id, address, number or agent." placeholder:"WHO"`
	Other  string            `help:"The other one, of a consult or transfer." placeholder:"WHO"`
	Chosen string            `help:"How the other one was chosen: list or typed." placeholder:"WORD"`
	Name   string            `help:"Of a flow, queue, option, plan, direction, or who takes a payment." placeholder:"NAME"`
	Reason string            `help:"Why, for the journal." placeholder:"TEXT"`
	At     string            `help:"From when it holds: an instant in RFC 3339, or so long ago, as in --at=-30s. Without it, now." placeholder:"INSTANT"`
	Key    string            `help:"Idempotency key: the same one again changes nothing." placeholder:"TEXT"`
	Tag    map[string]string `help:"Tag to be set, NAME=VALUE; without a value it is taken away." mapsep:"none" placeholder:"NAME=VALUE"`
	For    string            `help:"Person on whose behalf it is." placeholder:"NAME"`

	Who     string `help:"Evidence of consent: who gave or heard it." placeholder:"NAME"`
	When    string `help:"Evidence of consent: when, as --at." placeholder:"INSTANT"`
	Wording string `help:"Evidence of consent: what was asked or said." placeholder:"TEXT"`
	Digit   string `help:"Evidence of consent: the digit that was pressed." placeholder:"DIGIT"`
}

// Run gives the command and prints the answer as JSON.
func (c *controlSend) Run(ctx context.Context, out streams, parent *controlCommand) error {
	who := c.query()
	if who == (recorder.Query{Account: who.Account}) {
		return usagef("say which interaction is meant: --recording ID, --call-id ID, --participant WHO, ...")
	}
	command := recorder.Command{
		Key: c.Key, Action: recorder.Action(c.Action), Party: c.Party, Other: c.Other, Chosen: c.Chosen,
		Name: c.Name, Reason: c.Reason, Tags: c.Tag,
	}
	now := time.Now()
	var err error
	if command.At, err = instantOf("at", c.At, now); err != nil {
		return err
	}
	evidence := recorder.Evidence{Who: c.Who, Wording: c.Wording, Digit: c.Digit}
	if evidence.When, err = instantOf("when", c.When, now); err != nil {
		return err
	}
	if evidence != (recorder.Evidence{}) {
		command.Evidence = &evidence
	}
	return parent.ask(ctx, out, http.MethodPost, "/v1/commands", struct {
		Find    recorder.Query   `json:"find"`
		Command recorder.Command `json:"command"`
	}{who, command}, c.For)
}

// instantOf reads an instant, or how long ago it was; zero of an empty text.
func instantOf(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago < 0 {
		return now.Add(ago), nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return at, usagef("%s: %q is neither an instant such as 2026-11-21T14:30:05.250Z nor a time ago such as -30s", flag, text)
	}
	return at, nil
}

// token is what the client shows.
func (c *controlCommand) token() (string, error) {
	text := os.Getenv(tokenVariable)
	switch {
	case c.TokenFile != "" && text != "":
		return "", usagef("token-file: there is a file, and a token in %s: which one?", tokenVariable)
	case c.TokenFile != "":
		b, err := os.ReadFile(c.TokenFile)
		if err != nil {
			return "", usageError{fmt.Errorf("token: %w", err)}
		}
		line, _, _ := strings.Cut(string(b), "\n")
		text = line
	}
	text = strings.TrimSpace(text)
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", usagef("there is no token: name a file (--token-file FILE), or put it into %s", tokenVariable)
	}
	return text, nil
}

// client is how the server is asked. What it redirects to gets no token.
func (c *controlCommand) client() (*http.Client, error) {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	if c.CA != "" {
		text, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, usageError{fmt.Errorf("ca: %w", err)}
		}
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(text) {
			return nil, usagef("ca: %s holds no certificate", c.CA)
		}
	}
	return &http.Client{
		Transport: transport, Timeout: clientTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// ask sends a request and prints what the server answers.
func (c *controlCommand) ask(ctx context.Context, out streams, method, path string, body any, person string) error {
	token, err := c.token()
	if err != nil {
		return err
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usagef("url: %q is no URL such as http://127.0.0.1:5080", c.URL)
	}
	var text io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("control: %w", err)
		}
		text = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+path, text)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if person != "" {
		r.Header.Set("On-Behalf-Of", person)
	}
	answer, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	defer answer.Body.Close()
	return show(out, answer)
}

// show prints an answer, or makes an error of one that says what is wrong.
func show(out streams, answer *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("control: read the answer: %w", err)
	}
	if answer.StatusCode == http.StatusOK {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, bytes.TrimSpace(text), "", "  "); err != nil {
			return errors.New("control: the answer is no JSON: is that the control interface?")
		}
		_, err := fmt.Fprintln(out.stdout, pretty.String())
		return err
	}
	var p struct {
		Title, Detail, Field string
		Recordings           []string
	}
	if err := json.Unmarshal(text, &p); err != nil || p.Title == "" {
		return fmt.Errorf("control: answered %s: is that the control interface?", answer.Status)
	}
	words := p.Title
	for _, more := range []string{p.Field, p.Detail, strings.Join(p.Recordings, " ")} {
		if more != "" {
			words += ": " + more
		}
	}
	err = fmt.Errorf("control: %s", dash([]string{words}))
	if answer.StatusCode == http.StatusBadRequest {
		return usageError{err}
	}
	return err
}

type controlToken struct {
	Name    string   `arg:"" help:"Name of the system or person that gets the token."`
	Account []string `help:"Accounts of the policy file whose calls it sees; * is all." default:"*" placeholder:"NAME"`
	Command []string `help:"What it may do: commands or groups (docs/control.md)." default:"read" placeholder:"NAME"`
}

// Run prints the token, and on the next line its entry.
func (c controlToken) Run(out streams) error {
	text, sum := control.NewToken()
	line, err := control.TokenLine(c.Name, sum, c.Account, c.Command)
	if err != nil {
		return usageError{err}
	}
	if _, err := fmt.Fprintf(out.stdout, "%s\n%s", text, line); err != nil {
		return err
	}
	fmt.Fprintln(out.stderr, "the first line is the token, which is kept nowhere: give it to whom it is for; the second one belongs into the file of --control-tokens")
	return nil
}
