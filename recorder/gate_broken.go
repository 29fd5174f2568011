//go:build brokengate

package recorder

import "time"

// gateLate is by how much a gate closes too late, in a build for the test that has to
// find out.
const gateLate = 100 * time.Millisecond
