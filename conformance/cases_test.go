package conformance_test

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/internal/modeltest"
	"github.com/siprecd/siprecd/conformance/observe"
	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/conformance/src/srctest"
)

// start runs a model server for one test.
func start(t *testing.T, cfg model.Config) check.Target {
	t.Helper()
	var believed *tls.Config
	if cfg.Network == "tls" {
		cfg.TLS, believed = certified(t, cfg.TLS)
	}
	observer := recorded(t, &cfg)
	s := modeltest.Start(t, cfg)
	return check.Target{
		Address: s.Addr(), Transport: cfg.Network, TLS: believed, Credentials: credentials(t, cfg.Account), Duration: lasts, Observer: observer,
	}
}

// account is whose password the right servers take.
func account() *model.Account { return &model.Account{Name: "nora", Password: "never: \"guessed\""} }

// credentials are those of an account; none without one.
func credentials(t *testing.T, a *model.Account) *src.Credentials {
	t.Helper()
	if a == nil {
		return nil
	}
	c, err := src.NewCredentials(a.Name, a.Password)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// lasts is how long the case of a long recording session goes on.
const lasts = 2 * time.Second

// recorded gives a server that records a folder, and looks into it. The model writes its
// files before it answers the BYE.
func recorded(t *testing.T, cfg *model.Config) *observe.Observer {
	t.Helper()
	if cfg.Record == nil {
		return nil
	}
	cfg.Record.Folder = t.TempDir()
	o, err := observe.Folder(cfg.Record.Folder, 300*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// certified completes the configuration of a server of TLS, nil for TLS 1.2 and above,
// and makes that of its clients.
func certified(t *testing.T, server *tls.Config) (complete, client *tls.Config) {
	t.Helper()
	authority := srctest.NewAuthority(t)
	cert := authority.Issue("127.0.0.1")
	if server == nil {
		server = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	server.Certificates, server.ClientCAs = []tls.Certificate{cert}, authority.Pool()
	return server, authority.Client()
}

// correct are the right servers: one for each transport, and one for each setting that
// rules other cases out, for the cases that need it.
func correct() map[string]struct {
	cfg      model.Config
	sections []string
	features []string
} {
	type server = struct {
		cfg      model.Config
		sections []string
		features []string
	}
	everything := []string{conformance.Everything}
	return map[string]server{
		"udp":   {model.Config{Network: "udp"}, everything, nil},
		"tcp":   {model.Config{Network: "tcp"}, everything, nil},
		"tls":   {model.Config{Network: "tls"}, everything, nil},
		"bound": {model.Config{Network: "udp"}, []string{"security/spoofing"}, []string{"bound"}},
		"client certificate": {
			model.Config{Network: "tls", TLS: &tls.Config{MinVersion: tls.VersionTLS12, ClientAuth: tls.RequireAndVerifyClientCert}},
			[]string{"security/tls"}, []string{"tls", "client-certificate"},
		},
		"digest": {model.Config{Network: "udp", Asks: true, Account: account()}, []string{"security/digest"}, []string{"digest", "password"}},
		"digest over tcp": {
			model.Config{Network: "tcp", Asks: true, AsksAlways: true, Account: account()},
			[]string{"security/digest"}, []string{"digest", "password"},
		},
		"protected keys": {model.Config{Network: "udp", ProtectedKeys: true}, []string{"security/keys/4"}, []string{"protected-keys"}},
	}
}

// started runs a model server, and has a certificate ready for one that asks for it.
func started(t *testing.T, cfg model.Config) check.Target {
	t.Helper()
	target := start(t, cfg)
	if cfg.TLS != nil && cfg.TLS.ClientAuth != tls.NoClientCert {
		target.TLS.Certificates = cfg.TLS.Certificates
	}
	return target
}

// atATime is how many cases run at a time: they wait for real audio more than they work.
const atATime = 8

func TestEveryCasePassesOnACorrectServer(t *testing.T) {
	passed := make(map[string]bool)
	for name, one := range correct() {
		if testing.Short() && name != "udp" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			one.cfg.Reports, one.cfg.Record = true, &model.Record{}
			r, err := conformance.Run(t.Context(), started(t, one.cfg), conformance.Options{
				Sections: one.sections, Features: one.features, Timeout: 5 * time.Second, Parallel: atATime,
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range r.Results {
				passed[c.ID] = passed[c.ID] || c.Outcome == check.Pass
				if c.Outcome != check.Pass && c.Outcome != check.Skip {
					t.Errorf("%s: %s %v", c.ID, c.Outcome, c.Messages)
				}
			}
		})
	}
	if testing.Short() {
		return
	}
	for _, c := range conformance.All() {
		if !passed[c.ID] {
			t.Errorf("%s is skipped by every server", c.ID)
		}
	}
}

// The cases of audio take files in whatever form: here with a channel for each stream, and
// at 16 kHz, where they can only be alike.
func TestFilesInAnotherForm(t *testing.T) {
	if testing.Short() {
		t.Skip("what is not in other tests too is arithmetic")
	}
	var cases []check.Case
	for _, c := range conformance.All() {
		if c.LooksAtFiles() {
			cases = append(cases, c)
		}
	}
	target := start(t, model.Config{Network: "udp", Reports: true, Record: &model.Record{Rate: 16000, Together: true}})
	r, err := conformance.Run(t.Context(), target, conformance.Options{Cases: cases})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Results {
		if c.Outcome != check.Pass {
			t.Errorf("%s: %s %v", c.ID, c.Outcome, c.Messages)
		}
	}
}

func TestEveryCaseIsDescribedOnce(t *testing.T) {
	seen := make(map[string]bool)
	for _, c := range conformance.All() {
		if seen[c.ID] {
			t.Errorf("%s stands twice", c.ID)
		}
		seen[c.ID] = true
		if c.Requirement == "" || c.Section == "" || c.Level == 0 || c.Run == nil {
			t.Errorf("%s is not fully described", c.ID)
		}
	}
}
