package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/store"
)

type recordingsVerify struct {
	IDs []string `arg:"" optional:"" name:"id" help:"Identifiers of recordings; all that are finished when there is none."`
}

// Run prints a line for each recording, and for each thing that is not as it should
// be. It fails when there is one.
func (c *recordingsVerify) Run(ctx context.Context, out streams, parent *recordingsCommand) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	masters, err := parent.masters()
	if err != nil {
		return err
	}
	ids, wrong := c.IDs, 0
	if len(ids) == 0 {
		list, err := store.List(parent.Data)
		if err != nil {
			return err
		}
		for _, s := range list {
			if s.State == store.Finished || s.State == store.Unreadable {
				ids = append(ids, s.ID)
			}
		}
	}
	for _, id := range ids {
		faults, err := recorder.Verify(ctx, parent.Data, id, masters)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			faults = []string{parent.told(id, err).Error()}
		}
		for _, f := range faults {
			fmt.Fprintln(out.stdout, id, "fault", f)
		}
		if len(faults) > 0 {
			wrong++
			continue
		}
		fmt.Fprintln(out.stdout, id, "ok")
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d recordings are not as they should be", wrong, len(ids))
	}
	return nil
}

type recordingsExport struct {
	ID string `arg:"" help:"Identifier of the recording, as the list shows it."`
	To string `help:"Folder the files are written to, made when it is missing; when it is not named, one with the identifier, here." placeholder:"DIR"`
}

// Run writes the files and prints their paths.
func (c *recordingsExport) Run(ctx context.Context, out streams, parent *recordingsCommand) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	masters, err := parent.masters()
	if err != nil {
		return err
	}
	paths, err := recorder.Export(ctx, parent.Data, c.ID, cmp.Or(c.To, c.ID), masters)
	if err != nil {
		return parent.told(c.ID, err)
	}
	for _, p := range paths {
		fmt.Fprintln(out.stdout, p)
	}
	return nil
}

type recordingsErase struct {
	ID          string `arg:"" help:"Identifier of the recording, as the list shows it."`
	accountable `embed:""`
}

// Run erases and prints what was done, and what was not.
func (c *recordingsErase) Run(out streams, parent *recordingsCommand) error {
	by, err := c.who()
	if err != nil {
		return err
	}
	tomb, err := recorder.Erase(parent.Data, c.ID, recorder.Erasure{By: by, Reason: c.Reason, At: time.Now()})
	if err != nil {
		return parent.told(c.ID, err)
	}
	fmt.Fprintf(out.stdout, "erased %s: %d files of %d octets, %d of them overwritten; key: %s\n", c.ID, tomb.Unlinked, tomb.Octets, tomb.Overwritten, tomb.Key)
	for _, l := range tomb.Limits {
		fmt.Fprintln(out.stdout, "not reached:", l)
	}
	return nil
}

type recordingsRewrap struct{}

// Run wraps the keys of all finished recordings and prints how many there were. It
// goes on after one that it cannot open.
func (c *recordingsRewrap) Run(out streams, parent *recordingsCommand) error {
	masters, err := parent.masters()
	if err != nil {
		return err
	}
	if masters == nil {
		return usagef("master-keys: there is no key to wrap with")
	}
	list, err := store.List(parent.Data)
	if err != nil {
		return err
	}
	wrapped, failed, unfinished := 0, 0, 0
	for _, s := range list {
		switch s.State {
		case store.Erased:
			continue
		case store.Unfinished:
			unfinished++ // a server works with its key
			continue
		}
		done, err := recorder.Rewrap(parent.Data, s.ID, masters)
		if err != nil {
			fmt.Fprintln(out.stderr, err)
			failed++
		}
		if done {
			wrapped++
		}
	}
	fmt.Fprintf(out.stdout, "wrapped %d keys; %d recordings are not finished and were left out\n", wrapped, unfinished)
	if failed > 0 {
		return fmt.Errorf("the keys of %d recordings could not be wrapped", failed)
	}
	return nil
}
