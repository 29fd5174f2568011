//go:build !linux && !darwin

package main

import "os"

// terminalColumns says of nothing that it is a terminal: there is no telling here.
func terminalColumns(*os.File) (columns int, terminal bool) { return 0, false }
