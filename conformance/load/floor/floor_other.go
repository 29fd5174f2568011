//go:build !linux

package floor

import (
	"context"
	"errors"
	"io"
)

func run(context.Context, Config, io.Writer) error {
	return errors.New("the floor program works on Linux only")
}
