package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/account"
	"github.com/siprecd/siprecd/recorder/store"
)

type recordingsShow struct {
	ID       string `arg:"" help:"Identifier of the recording, as the list shows it."`
	Why      string `help:"Say in sentences why an instant is recorded or is not: 41, 00:41, 0:00:41.5 since the call began, or 2026-11-21T14:30:46Z." placeholder:"INSTANT"`
	Of       string `help:"With --why: only of this participant (name, address, id), file or stream." placeholder:"PARTY"`
	JSON     bool   `name:"json" help:"Print the account, or with --why the answers, as JSON."`
	Manifest bool   `help:"Print the manifest as JSON as it is; of an erased recording what says so."`
	Width    int    `help:"Columns of the picture, from 40 on; those of the terminal, COLUMNS or 80 when it is not said." placeholder:"N"`
	ASCII    bool   `name:"ascii" help:"Draw with plain ASCII; so it is when the locale is not UTF-8."`
}

// The bounds of the width of a picture.
const (
	leastWidth = 40
	mostWidth  = 1000
)

// Validate refuses what cannot be meant.
func (c *recordingsShow) Validate() error {
	switch {
	case c.Width != 0 && (c.Width < leastWidth || c.Width > mostWidth):
		return fmt.Errorf("--width: a picture has from %d to %d columns", leastWidth, mostWidth)
	case c.Of != "" && c.Why == "":
		return errors.New("--of is for --why")
	case c.Manifest && (c.JSON || c.Why != ""):
		return errors.New("--manifest stands alone")
	}
	return nil
}

// Run prints the picture of a recording, or why an instant of it is as it is.
func (c *recordingsShow) Run(out streams, parent *recordingsCommand) error {
	masters, err := parent.masters()
	if err != nil {
		return err
	}
	if c.Manifest {
		return c.manifest(out, parent, masters)
	}
	a, err := recorder.Account(parent.Data, c.ID, masters, time.Now())
	if errors.Is(err, account.ErrNothing) {
		return fmt.Errorf("recording %s has only begun: %w", c.ID, account.ErrNothing)
	}
	if err != nil {
		return parent.told(c.ID, err)
	}
	switch {
	case c.Why != "":
		return c.why(out, &a)
	case c.JSON:
		return printJSON(out, a)
	}
	_, err = fmt.Fprint(out.stdout, picture(&a, styleOf(out, os.LookupEnv, c.Width, c.ASCII)))
	return err
}

// manifest prints the manifest as JSON; of an erased recording the tombstone.
func (c *recordingsShow) manifest(out streams, parent *recordingsCommand, masters *recorder.MasterKeys) error {
	m, err := recorder.Load(parent.Data, c.ID, masters)
	switch {
	case errors.Is(err, store.ErrErased):
		folder, err := store.Folder(parent.Data, c.ID)
		if err != nil {
			return err
		}
		tomb, err := store.LoadTombstone(folder)
		if err != nil {
			return err
		}
		return printJSON(out, tomb)
	case err != nil:
		return parent.told(c.ID, err)
	}
	return printJSON(out, m)
}

func printJSON(out streams, v any) error {
	encoder := json.NewEncoder(out.stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// why prints what became of an instant.
func (c *recordingsShow) why(out streams, a *account.Account) error {
	at, err := offsetOf(c.Why, a.Begun)
	if err != nil {
		return err
	}
	answers := a.Why(at, c.Of)
	if len(answers) == 0 {
		var known []string
		for _, l := range a.Lanes {
			known = append(known, l.Title)
		}
		return fmt.Errorf("nobody on %s is %q: there is %s", c.ID, c.Of, dash(known))
	}
	if c.JSON {
		return printJSON(out, struct {
			Recording string           `json:"recording"`
			AtMS      int64            `json:"at_ms"`
			At        time.Time        `json:"at"`
			Answers   []account.Answer `json:"answers"`
			Under     []string         `json:"under"`
		}{a.Recording, at, a.Begun.Add(time.Duration(at) * time.Millisecond), answers, a.Under()})
	}
	style := styleOf(out, os.LookupEnv, c.Width, c.ASCII)
	_, err = fmt.Fprint(out.stdout, whyText(a, at, answers, style))
	return err
}

// whyText is the answers as sentences.
func whyText(a *account.Account, at int64, answers []account.Answer, s style) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s, of recording %s\n", account.Clock(at), moment(a.Begun.Add(time.Duration(at)*time.Millisecond)), a.Recording)
	for _, one := range answers {
		title := one.Title
		if one.Role != "" {
			title += " (" + one.Role + ")"
		}
		if title != "" {
			b.WriteString("\n" + s.strong(graphic(title)) + "\n")
		}
		for _, sentence := range one.Sentences {
			b.WriteString(wrapped(sentence, "  ", "    ", s.width))
		}
	}
	if !slices.ContainsFunc(answers, func(one account.Answer) bool { return one.State != account.Away }) {
		return b.String()
	}
	b.WriteString("\n")
	for _, sentence := range a.Under() {
		b.WriteString(wrapped(sentence, "", "  ", s.width))
	}
	return b.String()
}

// moment is an instant for people.
func moment(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05.000 UTC") }

// offsetOf reads an instant of a call that began then: seconds, m:ss or h:mm:ss since,
// or an instant of RFC 3339. It is in milliseconds since the beginning.
func offsetOf(text string, begun time.Time) (int64, error) {
	if at, err := time.Parse(time.RFC3339Nano, strings.ToUpper(text)); err == nil {
		// Rounded down, as an instant before the beginning is no instant of it.
		d := at.Sub(begun)
		ms := d.Milliseconds()
		if d < 0 && time.Duration(ms)*time.Millisecond != d {
			ms--
		}
		return ms, nil
	}
	wrong := usagef("--why: %q is no instant: write 41, 00:41, 0:00:41.5 or 2026-11-21T14:30:46Z", text)
	parts := strings.Split(text, ":")
	if len(parts) > 3 {
		return 0, wrong
	}
	last := parts[len(parts)-1]
	whole, fraction, dotted := strings.Cut(last, ".")
	parts[len(parts)-1] = whole
	if dotted && (fraction == "" || strings.Trim(fraction, "0123456789") != "") {
		return 0, wrong
	}
	var seconds int64
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 31)
		if err != nil || i > 0 && (n > 59 || len(p) != 2) {
			return 0, wrong
		}
		seconds = 60*seconds + int64(n)
	}
	ms, err := strconv.ParseInt((fraction + "000")[:3], 10, 64)
	if err != nil {
		return 0, wrong
	}
	return 1000*seconds + ms, nil
}
