package faults

import (
	"fmt"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/src"
)

// What a mistake is about.
type (
	message  = src.Message
	response = model.Response
)

// second is the timeout of faults that are silence.
const second = time.Second

// alter changes a response before it is written.
type alter = func(req *message, r *response)

// A mistake makes the alter of one server, with counts of its own.
type mistake func() alter

// always is a mistake that counts nothing.
func always(change alter) mistake { return func() alter { return change } }

// alters configures a server that makes mistakes in its responses, one after the other.
func alters(mistakes ...mistake) func() model.Config {
	return func() model.Config {
		changes := make([]alter, len(mistakes))
		for i, m := range mistakes {
			changes[i] = m()
		}
		return model.Config{Alter: func(req *message, r *response) {
			for _, change := range changes {
				change(req, r)
			}
		}}
	}
}

// edit replaces text in every description after the given number of them.
func edit(after int, old, replacement string) mistake {
	return func() alter {
		seen := 0
		return func(_ *message, r *response) {
			if r.SDP == "" {
				return
			}
			if seen++; seen > after {
				r.SDP = strings.ReplaceAll(r.SDP, old, replacement)
			}
		}
	}
}

// answerAs gives a status to requests of a method, from the nth on.
func answerAs(method string, nth, status int) mistake {
	return func() alter {
		seen := 0
		return func(req *message, r *response) {
			if req.Method == method {
				if seen++; seen >= nth {
					r.Status = status
				}
			}
		}
	}
}

// insist turns one status into another.
func insist(from, to int) mistake {
	return always(func(_ *message, r *response) {
		if r.Status == from {
			r.Status = to
		}
	})
}

// set replaces a header field of the responses to a method.
func set(method, name, value string) mistake {
	return always(func(req *message, r *response) {
		if req.Method == method && r.Status != 481 {
			r.Set(name, value)
		}
	})
}

// setIn replaces a header field of responses with that status.
func setIn(status int, name, value string) mistake {
	return always(func(_ *message, r *response) {
		if r.Status == status {
			r.Set(name, value)
		}
	})
}

// lacking removes a header field from responses with that status.
func lacking(status int, name string) mistake {
	return always(func(_ *message, r *response) {
		if r.Status == status {
			r.Remove(name)
		}
	})
}

// to replaces the tag of the To of some responses; empty leaves it out.
func to(fits func(req *message, r *response) bool, tag string) mistake {
	return always(func(req *message, r *response) {
		if fits(req, r) {
			r.To = func(value string) string {
				value, _, _ = strings.Cut(value, ";tag=")
				return value + tag
			}
		}
	})
}

// via changes the Via header fields; empty leaves one out.
func via(change func(i int, value string) string) mistake {
	return always(func(_ *message, r *response) { r.Via = change })
}

// when gives a status to requests that fit.
func when(fits func(m *message) bool, status int) mistake {
	return always(func(req *message, r *response) {
		if fits(req) {
			r.Status, r.SDP = status, ""
		}
	})
}

// holding gives a status to requests that hold some text.
func holding(text string, status int) mistake {
	return when(func(m *message) bool { return strings.Contains(string(m.Raw), text) }, status)
}

// refuse gives 415 to requests of a method that hold some text.
func refuse(method, text string) mistake {
	return when(func(m *message) bool { return m.Method == method && strings.Contains(string(m.Raw), text) }, 415)
}

// without gives 400 to INVITEs with metadata that lacks some text.
func without(text string) mistake {
	return when(func(m *message) bool {
		return m.Method == "INVITE" && strings.Contains(string(m.Body), "<recording") && !strings.Contains(string(m.Body), text)
	}, 400)
}

// lines rewrites the fields of each m-line of an answer, counted from 0.
func lines(change func(i int, fields []string)) mistake {
	return always(func(_ *message, r *response) {
		all := strings.Split(r.SDP, "\r\n")
		n := 0
		for k, l := range all {
			if strings.HasPrefix(l, "m=") {
				fields := strings.Fields(l)
				change(n, fields)
				all[k] = strings.Join(fields, " ")
				n++
			}
		}
		r.SDP = strings.Join(all, "\r\n")
	})
}

// port answers one m-line with a port.
func port(i int, value string) mistake {
	return lines(func(k int, f []string) {
		if k == i {
			f[1] = value
		}
	})
}

// format answers every m-line with one format.
func format(value string) mistake { return lines(func(_ int, f []string) { f[3] = value }) }

// profile answers every m-line with one protocol.
func profile(value string) mistake { return lines(func(_ int, f []string) { f[2] = value }) }

// kind answers every m-line as one of audio, video ...
func kind(value string) mistake { return lines(func(_ int, f []string) { f[0] = "m=" + value }) }

// updateWithSDP puts a description into the response to an UPDATE without an offer.
func updateWithSDP() mistake {
	return always(func(req *message, r *response) {
		if req.Method == "UPDATE" {
			r.SDP = "v=0\r\no=- 77 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"
		}
	})
}

// replace changes the text of a request of the server.
func replace(old, replacement string) func() model.Config {
	return func() model.Config {
		return model.Config{AlterRequest: func(text string) string { return strings.ReplaceAll(text, old, replacement) }}
	}
}

// plainResponse is a response as text, with the Via, From, To, Call-ID and CSeq of a message.
func plainResponse(m *message, status int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d Model\r\n", status)
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		fmt.Fprintf(&b, "%s: %s\r\n", name, m.Get(name))
	}
	b.WriteString("Content-Length: 0\r\n\r\n")
	return b.String()
}

// over is a server of another network than UDP.
func over(network string, config func() model.Config) func() model.Config {
	return func() model.Config {
		cfg := config()
		cfg.Network = network
		return cfg
	}
}

// mute is a server that does not send its own requests of a method.
func mute(method string) func() model.Config {
	return func() model.Config {
		return model.Config{AlterRequest: func(text string) string {
			if strings.HasPrefix(text, method+" ") {
				return ""
			}
			return text
		}}
	}
}

// requesting is a server whose own requests are changed.
func requesting(change func(text string) string) func() model.Config {
	return func() model.Config { return model.Config{AlterRequest: change} }
}

// once is a server that does not repeat some responses to INVITE.
func once(fits func(req *message, status int) bool) func() model.Config {
	return func() model.Config {
		return model.Config{Repeat: func(req *message, status, _ int, right time.Duration) time.Duration {
			if fits(req, status) {
				return -1
			}
			return right
		}}
	}
}
