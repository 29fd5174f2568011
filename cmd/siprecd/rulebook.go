package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
)

// openRulebook reads the policy file and the directory that the settings name, and
// keeps the file as a version. Without a policy file there is none, and everything
// is recorded.
func openRulebook(s settings, signalled []policy.Fact, log *zap.Logger) (*recorder.Rulebook, error) {
	if s.Policy == "" {
		versions, err := recorder.Versions(s.Data)
		if err != nil {
			return nil, err
		}
		if n := len(versions); n > 0 {
			log.Warn("a policy was in force here before; now everything is recorded", zap.String("policy", "file@"+versions[n-1].Hash()[:12]))
		}
		return nil, nil
	}
	d, err := directoryOf(s.Directory)
	if err != nil {
		return nil, err
	}
	book, err := recorder.OpenRulebook(s.Data, d)
	if err != nil {
		return nil, err
	}
	book.TakeSignals(signalled...)
	if s.Control != "" {
		book.TakeCommands()
	}
	return book, publish(book, d, s.Policy, "start", log)
}

// reloadRulebook reads both files again. When either cannot be used, both stay as
// they are.
func reloadRulebook(book *recorder.Rulebook, s settings, log *zap.Logger) error {
	d, err := directoryOf(s.Directory)
	if err != nil {
		return err
	}
	if err := publish(book, d, s.Policy, "reload", log); err != nil {
		return err
	}
	book.SetDirectory(d)
	return nil
}

// publish brings the policy file into force. Who may write it is an owner: the
// file lies with the configuration of the server.
func publish(book *recorder.Rulebook, d rules.Directory, path, occasion string, log *zap.Logger) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	actor := "the server"
	if u, err := user.Current(); err == nil {
		actor = u.Username
	}
	actor += " (" + occasion + ")"
	v, changed, err := book.Publish(text, time.Now(), policy.Actor{Name: actor, Owner: true})
	var refusal *policy.Refusal
	if errors.As(err, &refusal) {
		return fmt.Errorf("policy: %s:%w", path, refusal)
	}
	if err != nil {
		return fmt.Errorf("policy: %s: %w", path, err)
	}
	if !changed {
		log.Info("policy as before", zap.String("policy", v.Name()))
		return nil
	}
	log.Info("policy in force for what begins now", zap.String("policy", v.Name()), zap.Int("accounts", len(v.File.Accounts)))
	for _, u := range v.File.Knowing(d).Taking(book.Taken()).Unfed() {
		log.Warn("settings of the policy cannot be enforced (siprecd policy check says more)",
			zap.String("account", u.Account), zap.String("trunk", u.Trunk), zap.Strings("nothing_tells", u.Missing))
	}
	return nil
}

// directoryOf reads a directory; no path is the empty one.
func directoryOf(path string) (rules.Directory, error) {
	if path == "" {
		return rules.Directory{}, nil
	}
	return loadDirectory(path)
}
