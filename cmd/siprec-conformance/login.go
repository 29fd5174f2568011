package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// loginFlags are what is said to a server that asks for a password.
type loginFlags struct {
	User         string `help:"User name for a server that asks for a password by Digest (RFC 3261 §22), with --password-file." placeholder:"NAME"`
	PasswordFile string `help:"File whose first line is the password of the user." placeholder:"FILE"`
}

// credentials are those that the flags name; nil without any.
func (f loginFlags) credentials() (*src.Credentials, error) {
	switch {
	case f.User == "" && f.PasswordFile == "":
		return nil, nil
	case f.User == "" || f.PasswordFile == "":
		return nil, errors.New("--user and --password-file belong together")
	}
	text, err := os.ReadFile(f.PasswordFile)
	if err != nil {
		return nil, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	c, err := src.NewCredentials(f.User, strings.TrimSuffix(line, "\r"))
	if err != nil {
		return nil, fmt.Errorf("--user and the first line of --password-file: %w", err)
	}
	return c, nil
}

// claim has the features digest and password claimed by who names a user, and the
// latter by nobody else.
func (f loginFlags) claim(features []string) ([]string, error) {
	if f.User == "" {
		if slices.Contains(features, check.Password) {
			return nil, errors.New("the feature password needs --user and --password-file")
		}
		return features, nil
	}
	features = append(slices.Clone(features), "digest", check.Password)
	slices.Sort(features)
	return slices.Compact(features), nil
}
