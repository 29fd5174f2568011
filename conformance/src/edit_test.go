package src_test

import (
	"strings"
	"testing"

	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/src"
)

func TestEditedRequest(t *testing.T) {
	server, client := pair(t, model.Config{Network: "udp"}, src.Config{})
	invite(t, client, src.Request{Edit: func(text string) string {
		return "\r\n\r\n" + strings.Replace(text, "s=-\r\n", "s=longer than before\r\n", 1)
	}})
	invite(t, client, src.Request{Edit: func(text string) string {
		return strings.Replace(text, "Content-Length: {length}", "Content-Length: 7", 1)
	}})
	m, err := server.Wait(deadline(t), "INVITE", 1)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(string(m.Body), "a=sendonly\r\n") || !strings.Contains(string(m.Body), "s=longer") || strings.Contains(string(m.Raw), "{length}") {
		t.Errorf("came as\n%s", m.Raw)
	}
	if m, err = server.Wait(deadline(t), "INVITE", 2); err != nil {
		t.Fatal(err)
	}
	if len(m.Body) != 7 {
		t.Errorf("body has %d octets", len(m.Body))
	}
}

func TestAwaitUnexpected(t *testing.T) {
	server, client := pair(t, model.Config{Network: "tcp"}, src.Config{})
	invite(t, client, src.Request{})
	for _, text := range []string{"SIP/2.0 400 One\r\n\r\n", "SIP/2.0 500 Two\r\n\r\n"} {
		if err := server.Send([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	m, err := client.AwaitUnexpected(deadline(t), func(m *src.Message) bool { return m.Status == 500 })
	if err != nil || m.Reason != "Two" {
		t.Fatalf("got %v, %v", m, err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if m, err := client.AwaitUnexpected(deadline(t), func(m *src.Message) bool { return m.Status == 600 }); err == nil {
		t.Errorf("got %q", m.Raw)
	}
}
