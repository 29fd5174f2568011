//go:build !unix

package flock

import "os"

// Works says that Take only trusts.
const Works = false

// Take trusts that nobody else has the folder: there is no lock that ends with the
// process.
func Take(*os.File) bool { return true }
