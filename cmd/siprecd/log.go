package main

import (
	"fmt"
	"io"
	"slices"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newLogger logs to w: level is debug, info, warn or error, format console or
// json.
func newLogger(w io.Writer, level, format string) (*zap.Logger, error) {
	least, err := zapcore.ParseLevel(level)
	if err != nil {
		return nil, fmt.Errorf("log level: %w", err)
	}
	encoding := zap.NewProductionEncoderConfig()
	encoding.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	encoding.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder(encoding)
	if format == "console" {
		encoding.EncodeTime = zapcore.ISO8601TimeEncoder
		encoding.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder = zapcore.NewConsoleEncoder(encoding)
	}
	return zap.New(fieldCore{Core: zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(w)), least)}), nil
}

// A fieldCore writes fields of its own with each line. zap's own core encodes the fields
// of a logger once, into a buffer of 1 KiB that lives as long as the logger; each
// recording session has two loggers and writes a few lines.
type fieldCore struct {
	zapcore.Core
	fields []zapcore.Field
}

func (c fieldCore) With(fields []zapcore.Field) zapcore.Core {
	return fieldCore{c.Core, slices.Concat(c.fields, fields)}
}

func (c fieldCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if !c.Enabled(entry.Level) {
		return checked
	}
	return checked.AddCore(entry, c)
}

func (c fieldCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	return c.Core.Write(entry, slices.Concat(c.fields, fields))
}
