//go:build !unix

package recorder

import "os"

// locks says that lockFile only trusts.
const locks = false

// lockFile trusts that nobody else has the folder: there is no lock that ends with the
// process.
func lockFile(*os.File) bool { return true }
