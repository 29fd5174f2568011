package main

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/siprecd/siprecd/siprec"
)

// digestKeys are the keys below digest.
func digestKeys() []digestKey {
	return []digestKey{
		{"realm", "text", "The realm. Default `siprecd`.",
			func(_ srcFile, n *yaml.Node, d *siprec.Digest) error { return scalar(n, &d.Realm) }},
		{"md5", "true or false", "Whether MD5 may be used by an SRC that cannot do SHA-256. Default false.",
			func(_ srcFile, n *yaml.Node, d *siprec.Digest) error { return scalar(n, &d.MD5) }},
		{"users", "list of mappings", "Each has a `name`, and either a `password-file`, whose first line is the password, or `sha256`, or `md5`, or both: the hash in hexadecimal of `name:realm:password`. A path is relative to this file.",
			func(f srcFile, n *yaml.Node, d *siprec.Digest) error { return readUsers(f, n, d) }},
	}
}

type digestKey struct {
	name, value, help string
	read              func(f srcFile, node *yaml.Node, d *siprec.Digest) error
}

func readDigest(f srcFile, node *yaml.Node, d *siprec.Digest) error {
	keys := digestKeys()
	err := readKeys(f, node, func(key string) (func(*yaml.Node) error, []string) {
		for _, k := range keys {
			if k.name == key {
				return func(n *yaml.Node) error { return k.read(f, n, d) }, nil
			}
		}
		return nil, namesOf(keys, func(k digestKey) string { return k.name })
	})
	if err != nil {
		return err
	}
	d.Realm = cmp.Or(d.Realm, "siprecd")
	if strings.ContainsAny(d.Realm, "\"\\\r\n") {
		return errors.New("realm: no quotes, backslashes or line ends")
	}
	if len(d.Users) == 0 {
		return errors.New("no users")
	}
	return nil
}

func readUsers(f srcFile, node *yaml.Node, d *siprec.Digest) error {
	if node.Kind != yaml.SequenceNode {
		return errors.New("has to be a list of users")
	}
	for _, entry := range node.Content {
		var u siprec.User
		var file string
		words := map[string]*string{"name": &u.Name, "password-file": &file, "sha256": &u.SHA256, "md5": &u.MD5}
		entry = resolved(entry)
		err := readKeys(f, entry, func(key string) (func(*yaml.Node) error, []string) {
			if to := words[key]; to != nil {
				return func(n *yaml.Node) error { return scalar(n, to) }, nil
			}
			return nil, []string{"name", "password-file", "sha256", "md5"}
		})
		if err == nil {
			err = complete(f, &u, file)
		}
		if err != nil {
			return located(f, entry, err)
		}
		d.Users = append(d.Users, u)
	}
	return nil
}

// complete checks a user and reads its password.
func complete(f srcFile, u *siprec.User, file string) error {
	u.SHA256, u.MD5 = strings.ToLower(u.SHA256), strings.ToLower(u.MD5)
	switch {
	case u.Name == "" || strings.ContainsAny(u.Name, "\":\\\r\n"):
		return fmt.Errorf("%q cannot be the name of a user", u.Name)
	case (file != "") == (u.SHA256+u.MD5 != ""):
		return fmt.Errorf("user %s needs a password-file or hashes, not both", u.Name)
	case !isHash(u.SHA256, 32) || !isHash(u.MD5, 16):
		return fmt.Errorf("user %s: a hash is not of the right length in hexadecimal", u.Name)
	case file == "":
		return nil
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(f.dir, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("user %s: %w", u.Name, err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if u.Password = strings.TrimSuffix(line, "\r"); u.Password == "" {
		return fmt.Errorf("user %s: %s has no password in its first line", u.Name, file)
	}
	return nil
}

// isHash accepts no hash, or one of so many octets.
func isHash(s string, octets int) bool {
	b, err := hex.DecodeString(s)
	return s == "" || err == nil && len(b) == octets
}
