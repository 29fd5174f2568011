package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"time"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/store"
)

// A problem is an answer that says what is wrong (RFC 9457).
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Field is what of the request cannot be meant, Right what the token lacks.
	Field string `json:"field,omitempty"`
	Right string `json:"right,omitempty"`
	// Recordings are those that fit, State is what holds for the one meant.
	Recordings []string        `json:"recordings,omitempty"`
	State      *recorder.State `json:"state,omitempty"`

	header map[string]string // that goes with it
}

// problemType begins the type of each problem.
const problemType = "urn:siprecd:problem:"

// Error returns what is wrong, in words.
func (p *problem) Error() string { return p.Title + ": " + p.Detail }

func newProblem(status int, kind, title, detail string) *problem {
	return &problem{Type: problemType + kind, Title: title, Status: status, Detail: detail}
}

func (p *problem) with(name, value string) *problem {
	if p.header == nil {
		p.header = make(map[string]string)
	}
	p.header[name] = value
	return p
}

// retryAfter says when to ask again, in seconds from 1 (RFC 9110 §10.2.3).
func (p *problem) retryAfter(d time.Duration) *problem {
	return p.with("Retry-After", strconv.Itoa(max(1, int((d+time.Second-1)/time.Second))))
}

func malformed(field, detail string) *problem {
	p := newProblem(http.StatusBadRequest, "malformed", "The request cannot be meant", detail)
	p.Field = field
	return p
}

func unauthorised(detail string, wrong bool) *problem {
	challenge := `Bearer realm="siprecd"` // RFC 6750 §3
	if wrong {
		challenge += `, error="invalid_token"`
	}
	return newProblem(http.StatusUnauthorized, "unauthorised", "A token is needed", detail).with("WWW-Authenticate", challenge)
}

func forbidden(r string) *problem {
	p := newProblem(http.StatusForbidden, "forbidden", "The token may not do this", fmt.Sprintf("it needs the right %s", r))
	p.Right = r
	return p
}

func notFound(detail string) *problem {
	return newProblem(http.StatusNotFound, "not-found", "There is nothing here", detail)
}

// notLive is the answer for what is not there and for what the token may not see: who
// asks cannot tell them apart.
func notLive() *problem {
	return newProblem(http.StatusNotFound, "not-live", "No live interaction fits", "none that goes on, and that the token may see, is meant by this")
}

func ambiguous(recordings []string) *problem {
	p := newProblem(http.StatusConflict, "ambiguous", "Several live interactions fit", "name one of the recordings; nothing was done")
	p.Recordings = recordings
	return p
}

// asProblem says what an error is to the one who asked. What is none of its business
// is an error of the server; whole goes to the log.
func asProblem(err error, answer recorder.Answer) *problem {
	var (
		own       *problem
		field     *recorder.Malformed
		refusal   *recorder.Refusal
		ambiguity *recorder.Ambiguity
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &field):
		return malformed(field.Field, field.Problem)
	case errors.Is(err, recorder.ErrCommand):
		return malformed("", err.Error())
	case errors.As(err, &ambiguity):
		return ambiguous(ambiguity.Recordings)
	case errors.Is(err, recorder.ErrAmbiguous):
		return ambiguous(nil)
	case errors.Is(err, recorder.ErrNotLive):
		return notLive()
	case errors.Is(err, recorder.ErrRefused):
		p := newProblem(http.StatusConflict, "refused", "The rules refuse the command", err.Error())
		if errors.As(err, &refusal) {
			p.Detail = refusal.Reason
		}
		if answer.State.Recording != "" {
			p.State = &answer.State
		}
		return p
	}
	if p := asUnconfirmed(err); p != nil {
		if answer.State.Recording != "" {
			p.State = &answer.State
		}
		return p
	}
	return asProblemOfArchive(err)
}

// asUnconfirmed is the answer to a command that may be lost when the machine fails now;
// nil for another error.
func asUnconfirmed(err error) *problem {
	if !errors.Is(err, recorder.ErrNotDurable) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		return nil
	}
	return newProblem(http.StatusServiceUnavailable, "unconfirmed", "The command is not confirmed",
		"it may have been carried out and is not durable yet; say it again with the same key").retryAfter(time.Second)
}

// asProblemOfArchive is asProblem for finished recordings, and for what is left.
func asProblemOfArchive(err error) *problem {
	switch {
	case errors.Is(err, store.ErrID), errors.Is(err, fs.ErrNotExist):
		return notFound("there is no such recording that the token may see")
	case errors.Is(err, store.ErrErased):
		return newProblem(http.StatusGone, "erased", "The recording was erased", "what is left of it says when, by whom and why")
	case errors.Is(err, store.ErrUnfinished):
		return newProblem(http.StatusConflict, "unfinished", "The recording is not finished", "it is being recorded, or its files are being made")
	case errors.Is(err, recorder.ErrNotHeld):
		return newProblem(http.StatusConflict, "not-held", "No such legal hold is on the recording", "the one of another matter may be")
	case errors.Is(err, recorder.ErrHeld):
		return newProblem(http.StatusConflict, "held", "A legal hold is on the recording", "release it first")
	default:
		return newProblem(http.StatusInternalServerError, "internal", "The server failed", "the reason stands in its log")
	}
}

// write sends an answer, or a problem, as JSON. Nothing of it may be kept on the way.
func write(w http.ResponseWriter, status int, contentType string, header map[string]string, body any) {
	text, err := json.Marshal(body)
	if err != nil { // nothing that we send fails to marshal
		status, text = http.StatusInternalServerError, []byte("{}")
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	for name, value := range header {
		h.Set(name, value)
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // who asked may be gone
}

func (p *problem) write(w http.ResponseWriter) {
	write(w, p.Status, "application/problem+json", p.header, p)
}
