package front

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// linesPerSecond bounds what a stranger can have a server log, for each kind of
// line.
const linesPerSecond = 10

// Quiet is a log for what anybody who reaches the server can cause: of each
// message it takes the first 10 in a second and drops the rest.
func Quiet(log *zap.Logger) *zap.Logger {
	return log.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(core, time.Second, linesPerSecond, 0)
	}))
}
