package replay

import "time"

// Start is the instant at which every scenario begins: the times of decisions
// count from it.
func Start() time.Time { return start() }
