//go:build !linux && !darwin && !freebsd

package main

import "errors"

// freeAt is not there on this system.
func freeAt(string) (uint64, error) { return 0, errors.ErrUnsupported }
