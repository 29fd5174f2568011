package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"os/user"
	"strings"
	"syscall"
	"time"

	"github.com/siprecd/siprecd/recorder"
)

// An accountable says who does something that cannot be without a reason.
type accountable struct {
	Reason string `required:"" help:"Why; it is kept." placeholder:"TEXT"`
	By     string `help:"Who; when it is not said, the user who runs this." placeholder:"NAME"`
}

// who returns the name.
func (c *accountable) who() (string, error) {
	if strings.TrimSpace(c.Reason) == "" {
		return "", usagef("reason: it is empty")
	}
	if c.By != "" {
		return c.By, nil
	}
	if u, err := user.Current(); err == nil {
		return u.Username, nil
	}
	return fmt.Sprintf("user %d", os.Getuid()), nil
}

type recordingsHold struct {
	ID          string `arg:"" help:"Identifier of the recording, as the list shows it."`
	accountable `embed:""`
	Matter      string `help:"Tells holds of one recording apart, such as the number of a case. It is held until each is released." placeholder:"TEXT"`
}

// Run puts the hold on the recording, durably.
func (c *recordingsHold) Run(out streams, parent *recordingsCommand) error {
	return changeHold(out, parent, c.ID, c.accountable, c.Matter, "held", recorder.Hold)
}

type recordingsRelease struct {
	ID          string `arg:"" help:"Identifier of the recording, as the list shows it."`
	accountable `embed:""`
	Matter      string `help:"Which hold, when it has a name; policy is that of the policy." placeholder:"TEXT"`
}

// Run releases the hold.
func (c *recordingsRelease) Run(out streams, parent *recordingsCommand) error {
	return changeHold(out, parent, c.ID, c.accountable, c.Matter, "released", recorder.Release)
}

func changeHold(out streams, parent *recordingsCommand, id string, a accountable, matter, done string, change func(dir, id string, w recorder.Who) error) error {
	by, err := a.who()
	if err != nil {
		return err
	}
	err = change(parent.Data, id, recorder.Who{By: by, Reason: a.Reason, Matter: matter, At: time.Now()})
	if errors.Is(err, recorder.ErrWho) {
		return usageError{err}
	}
	if err != nil {
		return parent.told(id, err)
	}
	_, err = fmt.Fprintln(out.stdout, done, id)
	return err
}

type recordingsSweep struct {
	DryRun bool   `name:"dry-run" help:"Only list what would be erased; a server may have the folder."`
	At     string `help:"Instant, as 2026-11-21T14:30:05Z, or day, as 2026-11-21, that counts as now; one that has not come only with --dry-run." placeholder:"TIME"`
}

// Run prints a line for each recording whose time has come. It fails when one could not
// be erased.
func (c *recordingsSweep) Run(ctx context.Context, out streams, parent *recordingsCommand) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	at, err := c.instant(time.Now())
	if err != nil {
		return err
	}
	sweep, done := recorder.Sweep, "erased"
	if c.DryRun {
		sweep, done = recorder.SweepDry, "would erase"
	}
	swept, failed := 0, 0
	err = sweep(ctx, parent.Data, at, func(s recorder.Swept) {
		if s.Err != nil {
			failed++
			fmt.Fprintln(out.stderr, s.ID, parent.told(s.ID, s.Err))
			return
		}
		swept++
		fmt.Fprintf(out.stdout, "%s %s, due %s: %s\n", done, s.ID, s.DeleteAt.UTC().Format(time.RFC3339), s.Why)
	})
	switch {
	case errors.Is(err, recorder.ErrInUse):
		return fmt.Errorf("%s is a server's, which erases by itself (--sweep); --dry-run lists what is due", parent.Data)
	case err != nil:
		return err
	case failed > 0:
		return fmt.Errorf("%d recordings whose time has come could not be erased", failed)
	case swept == 0:
		fmt.Fprintln(out.stderr, "nothing is due")
	}
	return nil
}

// instant is what counts as now.
func (c *recordingsSweep) instant(now time.Time) (time.Time, error) {
	if c.At == "" {
		return now, nil
	}
	at, err := time.Parse(time.RFC3339, c.At)
	if err != nil {
		if at, err = time.Parse(time.DateOnly, c.At); err != nil {
			return at, usagef("at: %q is neither an instant such as 2026-11-21T14:30:05Z nor a day", c.At)
		}
	}
	if at.After(now) && !c.DryRun {
		return at, usagef("at: %s has not come: nothing is erased before its time (--dry-run lists what will be)", c.At)
	}
	return at, nil
}
