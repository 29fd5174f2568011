//go:build !unix

package main

import "io"

// columnsOf knows no terminals here.
func columnsOf(io.Writer) int { return 0 }
