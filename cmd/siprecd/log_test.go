package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"go.uber.org/zap"
)

// Fields of a logger and of the loggers made from it stand in each line once, in order,
// and one logger has none of another's.
func TestLogFields(t *testing.T) {
	var out bytes.Buffer
	log, err := newLogger(&out, "info", "json")
	if err != nil {
		t.Fatal(err)
	}
	call := log.With(zap.String("call_id", "a"))
	one := call.With(zap.String("recording", "1"))
	two := call.With(zap.String("recording", "2"))
	for _, c := range []struct {
		log             *zap.Logger
		call, recording string
	}{{one, "a", "1"}, {two, "a", "2"}, {call, "a", ""}, {log, "", ""}} {
		out.Reset()
		c.log.Debug("not logged")
		c.log.Info("line", zap.Int("packets", 3))
		var line struct {
			CallID    string `json:"call_id"`
			Recording string
			Packets   int
			Msg       string
		}
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatalf("%v in %q", err, out.String())
		}
		if line.CallID != c.call || line.Recording != c.recording || line.Packets != 3 || line.Msg != "line" {
			t.Errorf("%s", out.String())
		}
	}
}
