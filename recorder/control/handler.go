// Package control lets other systems look up live interactions and command them, over
// HTTP with JSON: agents' desktops, call distributors, dialogue systems. It decides who
// may what; what a command does is package recorder's.
//
// Each token is known by its hash, sees the accounts of its entry and no others, and has
// rights for groups of commands. Whatever it may not see is not found, what it may not do
// is forbidden. All errors are problem documents (RFC 9457). Nothing that names people is
// part of a path or of a line of the log.
package control

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder"
)

// A Recorder is what is commanded. *[recorder.Recorder] is one.
type Recorder interface {
	// Find returns the live interactions that fit.
	Find(recorder.Query) []recorder.State
	// Command gives a command to the one that fits, and returns when it is durable.
	Command(context.Context, recorder.Query, recorder.Command) (recorder.Answer, error)
}

// commandTime is how long a command may take to become durable, and a request to be
// begun with.
const commandTime = 15 * time.Second

// A Config says what is commanded and by whom.
type Config struct {
	Recorder Recorder
	// Archive is where finished recordings are; nil for none.
	Archive Archive
	Tokens  *Tokens
	// Log takes a line for each command, with its recording, the name of the token and
	// what came of it; nil for none.
	Log *zap.Logger
	// Now is the clock of the limits; nil for time.Now.
	Now func() time.Time
}

// A Handler is the control interface. It may be used by many goroutines.
type Handler struct {
	cfg    Config
	tokens atomic.Pointer[Tokens]
	guard  *guard
}

// New makes a Handler.
func New(cfg Config) *Handler {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	h := &Handler{cfg: cfg, guard: newGuard(cfg.Now)}
	h.SetTokens(cfg.Tokens)
	return h
}

// SetTokens is who is known from now on.
func (h *Handler) SetTokens(ts *Tokens) {
	h.tokens.Store(ts)
	h.guard.keep(ts)
}

// A request is what is asked, and by whom.
type request struct {
	*http.Request
	w     http.ResponseWriter
	token *token
	by    string // the token, and the person it vouches for
	log   []zap.Field
	// answer is what the recorder says beside an error.
	answer recorder.Answer
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := h.cfg.Now()
	req := &request{Request: r, w: w}
	body, err := h.guarded(req)
	status := http.StatusOK
	if err != nil {
		p := asProblem(err, req.answer)
		if status = p.Status; status == http.StatusInternalServerError {
			h.cfg.Log.Error("control request failed", append(req.log, zap.Error(err))...)
		}
		p.write(w)
	} else {
		write(w, status, "application/json", nil, body)
	}
	if req.token == nil {
		return
	}
	line, log := "control request", h.cfg.Log.Debug
	if r.Method == http.MethodPost {
		line, log = "control command", h.cfg.Log.Info
	}
	log(line, append(req.log, zap.String("token", req.token.name), zap.Int("status", status), zap.Duration("took", h.cfg.Now().Sub(begun)))...)
}

// guarded answers a request of somebody who is known. A failure of ours costs no other
// request anything.
func (h *Handler) guarded(req *request) (body any, err error) {
	defer func() {
		if v := recover(); v != nil {
			// The value may hold what was sent: only its type is told.
			err = fmt.Errorf("panic with a %T", v)
			req.log = append(req.log, zap.Stack("stack"))
		}
	}()
	if req.token, err = h.who(req.Request); err != nil {
		return nil, err
	}
	// What reached us is carried out, also when who asked is gone meanwhile.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(req.Context()), commandTime)
	defer cancel()
	req.Request = req.WithContext(ctx)
	done, err := h.guard.admit(req.Request, req.token)
	if err != nil {
		return nil, err
	}
	defer done()
	person, err := readPerson(req.Request)
	if err != nil {
		return nil, err
	}
	if req.by = req.token.name; person != "" {
		req.by += " for " + person
	}
	return h.route(req)
}

// who finds whose token comes with a request (RFC 6750 §2.1).
func (h *Handler) who(r *http.Request) (*token, error) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return nil, unauthorised("want the header field Authorization: Bearer TOKEN", false)
	}
	scheme, text, _ := strings.Cut(values[0], " ")
	if len(values) == 1 && strings.EqualFold(scheme, "Bearer") {
		if t := h.tokens.Load().find(strings.TrimSpace(text)); t != nil {
			return t, nil
		}
	}
	tooMany, log := h.guard.wrongToken(r.RemoteAddr)
	if tooMany != nil {
		return nil, tooMany
	}
	if log {
		h.cfg.Log.Warn("control request with a token that is not known", zap.String("address", r.RemoteAddr))
	}
	return nil, unauthorised("this one is not known", true)
}

// route finds what a path means.
func (h *Handler) route(req *request) (any, error) {
	path, err := segments(req.URL)
	if err != nil {
		return nil, err
	}
	var get, post func(*request) (any, error)
	switch id := at(path, 2); {
	case fits(path, "v1", "interactions"):
		get = h.find
	case fits(path, "v1", "interactions", "*"):
		get = func(req *request) (any, error) { return h.state(req, id) }
	case fits(path, "v1", "interactions", "*", "commands"):
		post = func(req *request) (any, error) { return h.command(req, id) }
	case fits(path, "v1", "commands"):
		post = h.findAndCommand
	case fits(path, "v1", "recordings", "*") && h.cfg.Archive != nil:
		get = func(req *request) (any, error) { return h.recording(req, id) }
	case fits(path, "v1", "recordings", "*", "*") && h.cfg.Archive != nil && slices.Contains(disposals(), at(path, 3)):
		post = func(req *request) (any, error) { return h.dispose(req, id, at(path, 3)) }
	default:
		return nil, notFound("docs/control.md lists all paths")
	}
	switch {
	case get != nil && (req.Method == http.MethodGet || req.Method == http.MethodHead):
		return get(req)
	case post != nil && req.Method == http.MethodPost:
		return post(req)
	}
	allow := "GET, HEAD"
	if post != nil {
		allow = "POST"
	}
	return nil, newProblem(http.StatusMethodNotAllowed, "method", "The method is not for this", "want "+allow).with("Allow", allow)
}

// segments are the parts of a path, unescaped.
func segments(u *url.URL) ([]string, error) {
	var out []string
	for _, s := range strings.Split(strings.TrimPrefix(u.EscapedPath(), "/"), "/") {
		plain, err := url.PathUnescape(s)
		if err != nil {
			return nil, notFound("the path cannot be read")
		}
		out = append(out, plain)
	}
	return out, nil
}

// fits compares a path with a pattern, of which * is any part that is not empty.
func fits(path []string, pattern ...string) bool {
	return slices.EqualFunc(path, pattern, func(have, want string) bool { return have == want || want == "*" && have != "" })
}

func at(path []string, i int) string {
	if i < len(path) {
		return path[i]
	}
	return ""
}

func parseQuery(r *http.Request) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, malformed("", "the query of the URL cannot be read")
	}
	return values, nil
}

// found is the answer to a look-up.
type found struct {
	Interactions []recorder.State `json:"interactions"`
}

// find answers which live interactions fit, of those that the token sees.
func (h *Handler) find(req *request) (any, error) {
	if !req.token.mayDo(rightRead) {
		return nil, forbidden(string(rightRead))
	}
	q, err := readQuery(req.Request)
	if err != nil {
		return nil, err
	}
	list, err := h.seen(req, q)
	if err != nil {
		return nil, err
	}
	return found{list}, nil
}

// seen are the live interactions that fit and that the token sees.
func (h *Handler) seen(req *request, q recorder.Query) ([]recorder.State, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	out := []recorder.State{}
	for _, s := range h.cfg.Recorder.Find(q) {
		if req.token.sees(s.Account) {
			out = append(out, s)
		}
	}
	return out, nil
}

// state answers what holds for one live interaction.
func (h *Handler) state(req *request, recording string) (any, error) {
	if !req.token.mayDo(rightRead) {
		return nil, forbidden(string(rightRead))
	}
	if err := noQuery(req.Request); err != nil {
		return nil, err
	}
	s, err := h.only(req, recorder.Query{Recording: recording})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// only is the one interaction that fits and that the token sees.
func (h *Handler) only(req *request, q recorder.Query) (recorder.State, error) {
	list, err := h.seen(req, q)
	switch {
	case err != nil:
		return recorder.State{}, err
	case len(list) == 0:
		return recorder.State{}, notLive()
	case len(list) == 1:
		req.log = append(req.log, zap.String("recording", list[0].Recording))
		return list[0], nil
	}
	var ids []string
	for _, s := range list {
		ids = append(ids, s.Recording)
	}
	return recorder.State{}, ambiguous(ids)
}

// noQuery refuses a query where none has a meaning.
func noQuery(r *http.Request) error {
	if r.URL.RawQuery != "" {
		return malformed("", "the query of the URL has no meaning here")
	}
	return nil
}

// command carries out a command to the interaction of a recording.
func (h *Handler) command(req *request, recording string) (any, error) {
	text, err := h.body(req)
	if err != nil {
		return nil, err
	}
	c, err := readCommand(text)
	if err != nil {
		return nil, err
	}
	return h.carryOut(req, recorder.Query{Recording: recording}, c)
}

// findAndCommand carries out a command to the one interaction that fits.
func (h *Handler) findAndCommand(req *request) (any, error) {
	text, err := h.body(req)
	if err != nil {
		return nil, err
	}
	q, c, err := readFindAndCommand(text)
	if err != nil {
		return nil, err
	}
	return h.carryOut(req, q, c)
}

func (h *Handler) body(req *request) ([]byte, error) {
	if err := noQuery(req.Request); err != nil {
		return nil, err
	}
	return readBody(req.w, req.Request)
}

// carryOut has the recorder carry out a command, if the token may give it.
func (h *Handler) carryOut(req *request, q recorder.Query, c recorder.Command) (any, error) {
	if err := readKey(req.Request, &c); err != nil {
		return nil, err
	}
	needed := rightOf(c.Action)
	if needed == "" {
		return nil, malformed("action", "want one of "+actionNames())
	}
	req.log = append(req.log, zap.String("action", string(c.Action)))
	if !req.token.may(c.Action) {
		return nil, forbidden(string(needed))
	}
	s, err := h.only(req, q)
	if err != nil {
		return nil, err
	}
	if slices.Contains(consentNo(), c.Action) && !s.ConsentStep && c.Reason == "" {
		return nil, malformed("reason", "nobody is asked for consent on this trunk: a no needs a reason")
	}
	c.By = req.by
	if c.Name == "" && slices.Contains([]recorder.Action{recorder.ActSecureStart, recorder.ActSecureStop}, c.Action) {
		c.Name = req.token.name // whoever it speaks for: another person may end it
	}
	req.answer, err = h.cfg.Recorder.Command(req.Context(), recorder.Query{Recording: s.Recording}, c)
	if err != nil {
		return nil, err
	}
	return req.answer, nil
}

func actionNames() string {
	var names []string
	for _, a := range recorder.Actions() {
		names = append(names, string(a))
	}
	return strings.Join(names, ", ")
}
