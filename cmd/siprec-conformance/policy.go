package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/siprecd/siprecd/conformance/policy"
	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/rules/scenario"
)

type policyCommand struct {
	Files policyFilesCommand `cmd:"" help:"Write the files under which a server has to run for the scenarios: policy.yaml, directory.yaml and srcs.yaml."`
	Play  policyPlayCommand  `cmd:"" help:"Play the scenarios to a server that runs under those files, and look for each packet in what it wrote. Exit code 0: all passed; 1: one failed; 2: wrong use, or unreachable server."`
}

type policyFilesCommand struct {
	Dir       string   `arg:"" help:"Folder for the files."`
	Scenarios []string `arg:"" optional:"" help:"Files of scenarios; without any those that are built in."`
}

type policyPlayCommand struct {
	reachFlags `embed:""`
	Control    string        `required:"" help:"Control interface of the server, as http://host:port or https://host:port." placeholder:"URL"`
	TokenFile  string        `required:"" help:"File whose first line is a token that may give every command to every account." placeholder:"FILE"`
	Data       string        `required:"" help:"Data folder of the server, in which recordings lie in the clear." placeholder:"DIR"`
	Dialect    string        `enum:"standard,consults,legs,opensips,broadworks" default:"standard" help:"Manner in which metadata is written: standard is RFC 7865, consults has consults as communication sessions, legs a recording session for each further agent, opensips and broadworks are like those."`
	SRTP       bool          `name:"srtp" help:"Send SRTP, AES_CM_128_HMAC_SHA1_80 with keys in the SDP."`
	Gap        time.Duration `default:"400ms" help:"Time between two instants of a scenario, 200ms to 1s."`
	AtATime    int           `default:"16" help:"Calls at the same time, 1 or more."`
	Wait       time.Duration `default:"1m" help:"Time for the files to come after the last BYE."`
	Only       []string      `help:"Play only scenarios whose name begins with one of these." placeholder:"NAME"`
	Scenarios  []string      `arg:"" help:"Files of scenarios."`
}

// readScenarios reads files of scenarios; those about access alone are left out, as
// they are about no call.
func readScenarios(files []string) (all []scenario.Scenario, err error) {
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		list, err := scenario.Parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, list...)
	}
	return slices.DeleteFunc(all, func(s scenario.Scenario) bool { return s.Access != nil }), nil
}

func (c policyFilesCommand) run() error {
	all, err := scenarios(c.Scenarios)
	if err != nil {
		return err
	}
	file, directory, err := policy.Files(all)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(c.Dir, "policy.yaml"), []byte(file), 0o600),
		os.WriteFile(filepath.Join(c.Dir, "directory.yaml"), []byte(directory), 0o600),
		os.WriteFile(filepath.Join(c.Dir, "srcs.yaml"), []byte(policy.SRCs()), 0o600),
	)
}

// dialects are the words of --dialect.
func dialects() map[string]policy.Dialect {
	return map[string]policy.Dialect{
		"standard": policy.Standard, "consults": policy.Consults, "legs": policy.Legs, "opensips": policy.OpenSIPS, "broadworks": policy.BroadWorks,
	}
}

// player makes the player that the flags describe.
func (c policyPlayCommand) player() (*policy.Player, error) {
	target, err := c.target()
	if err != nil {
		return nil, err
	}
	if c.Gap < 200*time.Millisecond || c.Gap > time.Second || c.AtATime < 1 {
		return nil, fmt.Errorf("gap %v is not from 200ms to 1s, or %d calls at a time are fewer than 1", c.Gap, c.AtATime)
	}
	control, err := controlOf(c.Control, c.TokenFile)
	if err != nil {
		return nil, err
	}
	p := &policy.Player{
		SRC:     src.Config{Target: target.Address, Transport: target.Transport, TLS: target.TLS, Credentials: target.Credentials},
		Control: control,
		Dialect: dialects()[c.Dialect], Gap: c.Gap, Data: c.Data,
	}
	if c.SRTP {
		p.Suite = "AES_CM_128_HMAC_SHA1_80"
	}
	return p, nil
}

// A turn is a scenario, and what came of it.
type turn struct {
	scenario scenario.Scenario
	played   *policy.Played
	err      error
}

func (c policyPlayCommand) run(ctx context.Context, stdout io.Writer) (code int, err error) {
	player, err := c.player()
	if err != nil {
		return 0, err
	}
	all, err := readScenarios(c.Scenarios)
	if err != nil {
		return 0, err
	}
	var turns []*turn
	for _, s := range all {
		if why := policy.Excluded(s, player.Dialect); why != "" {
			if _, err := fmt.Fprintf(stdout, "%-10s left out: %s\n", s.ID, why); err != nil {
				return 0, err
			}
		} else if chosen(s.ID, c.Only) {
			turns = append(turns, &turn{scenario: s})
		}
	}
	if len(turns) == 0 {
		return 0, errors.New("no scenario is left to be played")
	}
	c.play(ctx, player, turns)
	if !slices.ContainsFunc(turns, func(t *turn) bool { return t.err == nil }) {
		return 0, fmt.Errorf("no scenario could be played: %w", turns[0].err)
	}
	written, err := c.collect(ctx, turns)
	if err != nil {
		return 0, err
	}
	return tellTurns(stdout, turns, written)
}

// play plays the scenarios, some at a time.
func (c policyPlayCommand) play(ctx context.Context, player *policy.Player, turns []*turn) {
	next := make(chan int)
	var players sync.WaitGroup
	for range c.AtATime {
		players.Go(func() {
			for i := range next {
				turns[i].played, turns[i].err = player.Play(ctx, turns[i].scenario, i+1)
			}
		})
	}
	for i := range turns {
		next <- i
	}
	close(next)
	players.Wait()
}

// collect reads what was written once all of it is finished.
func (c policyPlayCommand) collect(ctx context.Context, turns []*turn) (map[string][]*policy.Recording, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Wait)
	defer cancel()
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		written, err := policy.Collect(c.Data)
		if err != nil {
			return nil, err
		}
		if finished(turns, written) {
			return written, nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return written, nil // what is missing is told of each scenario
		}
	}
}

func finished(turns []*turn, written map[string][]*policy.Recording) bool {
	for _, t := range turns {
		if t.err != nil {
			continue
		}
		list := written[t.played.CallID]
		if len(list) == 0 || slices.ContainsFunc(list, func(r *policy.Recording) bool { return r.Manifest == nil && !r.Erased }) {
			return false
		}
	}
	return true
}

// tellTurns says what came of each scenario.
func tellTurns(w io.Writer, turns []*turn, written map[string][]*policy.Recording) (code int, err error) {
	code = exitPassed
	passed := 0
	for _, t := range turns {
		if t.err != nil {
			code = exitFailed
			fmt.Fprintf(w, "%-10s FAILED  %s: %v\n", t.scenario.ID, t.scenario.Title, t.err)
			continue
		}
		j := policy.Judge(t.played, written[t.played.CallID])
		if j.Passed() {
			passed++
			fmt.Fprintf(w, "%-10s passed  %s\n", t.scenario.ID, t.scenario.Title)
			continue
		}
		code = exitFailed
		fmt.Fprintf(w, "%-10s FAILED  %s\n", t.scenario.ID, t.scenario.Title)
		for _, problem := range j.Problems {
			fmt.Fprintf(w, "           %s\n", problem)
		}
	}
	_, err = fmt.Fprintf(w, "%d of %d scenarios passed\n", passed, len(turns))
	return code, err
}

func chosen(id string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(id, p) {
			return true
		}
	}
	return len(prefixes) == 0
}
