package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/load"
	"github.com/siprecd/siprecd/conformance/policy"
	"github.com/siprecd/siprecd/rules/scenario"
)

// policyFlags are what the group policy needs besides a target.
type policyFlags struct {
	PolicyControl   string        `help:"Group policy: control interface of the server, as http://host:port or https://host:port. The server runs under the files that \"policy files\" writes." placeholder:"URL"`
	PolicyTokenFile string        `help:"Group policy: file whose first line is a token that may give every command to every account." placeholder:"FILE"`
	PolicyData      string        `help:"Group policy: data folder of the server, in which recordings lie in the clear." placeholder:"DIR"`
	PolicyDialect   string        `enum:"standard,consults,legs,opensips,broadworks" default:"standard" help:"Group policy: manner in which metadata is written, as for \"policy play\"."`
	PolicySRTP      bool          `name:"policy-srtp" help:"Group policy: send SRTP, AES_CM_128_HMAC_SHA1_80 with keys in the SDP."`
	PolicyGap       time.Duration `default:"400ms" help:"Group policy: time between two instants of a scenario, 200ms to 1s."`
	PolicyWait      time.Duration `default:"1m" help:"Group policy: time for what the server writes to be finished after the BYE, above 0."`
	PolicyScenarios []string      `help:"Group policy: files of scenarios; without them those that are built in." placeholder:"FILE"`
}

// cases are those of the group policy: none when nothing of it is asked for.
func (f policyFlags) cases() ([]check.Case, error) {
	given := []string{f.PolicyControl, f.PolicyTokenFile, f.PolicyData}
	switch {
	case !slices.ContainsFunc(given, func(s string) bool { return s != "" }):
		return nil, nil
	case slices.Contains(given, ""):
		return nil, errors.New("the group policy needs all of --policy-control, --policy-token-file and --policy-data")
	case f.PolicyGap < 200*time.Millisecond || f.PolicyGap > time.Second:
		return nil, fmt.Errorf("--policy-gap %v is not from 200ms to 1s", f.PolicyGap)
	case f.PolicyWait <= 0:
		return nil, fmt.Errorf("--policy-wait %v is not above 0", f.PolicyWait)
	}
	all, err := scenarios(f.PolicyScenarios)
	if err != nil {
		return nil, err
	}
	control, err := controlOf(f.PolicyControl, f.PolicyTokenFile)
	if err != nil {
		return nil, err
	}
	p := policy.Player{Control: control, Dialect: dialects()[f.PolicyDialect], Gap: f.PolicyGap, Data: f.PolicyData}
	if f.PolicySRTP {
		p.Suite = "AES_CM_128_HMAC_SHA1_80"
	}
	return policy.Cases(policy.Settings{Player: p, Wait: f.PolicyWait}, all), nil
}

// scenarios are those of files, or those that are built in.
func scenarios(files []string) ([]scenario.Scenario, error) {
	if len(files) > 0 {
		return readScenarios(files)
	}
	all, err := scenario.BuiltIn()
	return slices.DeleteFunc(all, func(s scenario.Scenario) bool { return s.Access != nil }), err
}

// controlOf is the control interface at a URL, with the token of a file.
func controlOf(url, tokenFile string) (*policy.Control, error) {
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return nil, err
	}
	line, _, _ := strings.Cut(string(token), "\n")
	return &policy.Control{URL: strings.TrimSuffix(url, "/"), Token: strings.TrimSpace(line)}, nil
}

// loadFlags are the sizes of the group load.
type loadFlags struct {
	LoadCalls    int           `default:"20" help:"Group load: recording sessions at a time, 1 or more."`
	LoadRate     float64       `default:"20" help:"Group load: INVITEs in a second, above 0."`
	LoadDuration time.Duration `default:"5s" help:"Group load: how long they last, at least 20ms."`
	LoadMissing  float64       `default:"0" help:"Group load: part of the packets that may be in no file, 0 to 1; looked at with --files."`
	LoadSetUp    time.Duration `name:"load-set-up" default:"0s" help:"Group load: time in which 99 of 100 INVITEs have to be answered; 0s is any."`
	LoadWait     time.Duration `default:"1m" help:"Group load: time for the files to come after the last BYE, above 0."`
	ServerPID    int           `name:"server-pid" help:"Group load: process of the server on this machine, to measure its CPU, memory and descriptors (Linux)." placeholder:"PID"`
}

// cases are those of the group load; files is the folder in which packets are looked
// for, or empty.
func (f loadFlags) cases(files string) ([]check.Case, error) {
	return load.Cases(load.Settings{
		Calls: f.LoadCalls, Rate: f.LoadRate, Duration: f.LoadDuration, Missing: f.LoadMissing, SetUp: f.LoadSetUp,
		Files: files, Wait: f.LoadWait, ServerPID: f.ServerPID,
	})
}

// groups are the cases of all groups.
func (c runCommand) groups() ([]check.Case, error) {
	scenarios, err := c.policyFlags.cases()
	if err != nil {
		return nil, err
	}
	loads, err := c.loadFlags.cases(c.Files)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(c.Sections, func(s string) bool { return isOf(s, "load") }) {
		loads = nil // what it says depends on the machine, so it has to be asked for
	}
	return slices.Concat(conformance.All(), scenarios, loads), nil
}

// isOf says whether a section is of a group.
func isOf(section, group string) bool {
	return section == group || strings.HasPrefix(section, group+"/")
}

// choose keeps the cases of the sections that were asked for.
func (c runCommand) choose() ([]check.Case, error) {
	all, err := c.groups()
	if err != nil {
		return nil, err
	}
	cases, err := conformance.Choose(all, c.Sections)
	if err != nil && c.PolicyControl == "" && slices.ContainsFunc(c.Sections, func(s string) bool { return isOf(s, "policy") }) {
		err = errors.New("the group policy needs --policy-control, --policy-token-file and --policy-data")
	}
	return cases, err
}
