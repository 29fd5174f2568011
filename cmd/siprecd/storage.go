package main

import (
	"context"
	"fmt"
	"os"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder"
)

// masterKeyVariable may hold a master key itself. It is no flag: what stands on a
// command line is seen by everybody on the machine.
const masterKeyVariable = "SIPRECD_MASTER_KEY"

// readMasterKeys reads the master keys from a file, or the one in the environment;
// nil without any.
func readMasterKeys(path string) (*recorder.MasterKeys, error) {
	text := os.Getenv(masterKeyVariable)
	switch {
	case path != "" && text != "":
		return nil, usagef("master-keys: there is a file, and a key in %s: which one seals?", masterKeyVariable)
	case path != "":
		return recorder.ReadMasterKeys(path)
	case text != "":
		keys, err := recorder.ParseMasterKey(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", masterKeyVariable, err)
		}
		return keys, nil
	}
	return nil, nil
}

// encrypts says whether finished recordings are encrypted. In the clear they are only
// when somebody said so, or when nobody else reaches this server.
func (s settings) encrypts(ctx context.Context, find lookup, masterKey bool) (bool, error) {
	switch {
	case s.Audio == "plain":
		return false, nil
	case masterKey:
		return true, nil
	case s.Audio == "encrypted":
		return false, usagef("audio: nothing is encrypted without a master key (--master-keys FILE, or %s)", masterKeyVariable)
	}
	for _, l := range s.Listen {
		local, err := onlyLoopback(ctx, find, l.address)
		if err != nil {
			return false, fmt.Errorf("listen %s: %w", l.address, err)
		}
		if !local {
			return false, usagef("listen %s can be reached from other machines, but there is no master key to encrypt recordings with: "+
				"name one (--master-keys FILE, or %s), or say that they are kept in the clear (--audio plain)", l.address, masterKeyVariable)
		}
	}
	return false, nil
}

// tellStorage says at the start who can read what is recorded.
func tellStorage(log *zap.Logger, encrypted bool) {
	if encrypted {
		log.Info("recordings are encrypted: siprecd recordings export gives files")
		return
	}
	log.Warn("recordings are kept in the clear: whoever can read the data folder can play them (audio)")
}
