package siprec

import (
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"

	"github.com/emiago/sipgo/sip"

	"github.com/siprecd/siprecd/siprec/internal/front"
)

// A request is one received SIP request with its server transaction.
type request struct {
	*front.Message
	*exchange
}

// loose is a request without a transaction yet, or for ever.
func loose(m *front.Message) *request { return &request{m, &exchange{}} }

// An exchange is what stays of a request as long as its transaction lives, which is
// longer than the request is needed.
type exchange struct {
	tx *sip.ServerTx // nil when it is answered without (RFC 3261 §8.2.7)

	mu        sync.Mutex
	tag       string // ours in the response; empty within a dialog
	cancelled bool   // a CANCEL matched it (RFC 3261 §9.2)
	final     int    // status of the final response, 0 before

	refused bool   // counted in transactions.refused, and guarded by its mutex
	over    func() // called when the transaction is over; may be nil
}

// Bounds of what an SRC can have the server keep for up to 64*T1 (RFC 3261 §17.2).
const (
	mostRefused  = 8192 // transactions of INVITEs that opened nothing
	mostInDialog = 256  // transactions within one dialog; a BYE may be one of twice that
)

func (r *request) method() sip.RequestMethod { return r.Request.Method }

func (e *exchange) setTag(tag string) {
	e.mu.Lock()
	e.tag = tag
	e.mu.Unlock()
}

// ourTag is our tag in the response; empty within a dialog.
func (e *exchange) ourTag() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tag
}

// cancel marks an INVITE. It gives our tag in the response to the INVITE, which
// that to the CANCEL has too (RFC 3261 §9.2).
func (e *exchange) cancel() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cancelled = true
	return e.tag
}

func (e *exchange) isCancelled() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.cancelled
}

func (e *exchange) finalStatus() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.final
}

// respond sends a response in the transaction and remembers a final status. Without
// one it is sent as a stateless server does (RFC 3261 §8.2.7).
func (r *request) respond(res *sip.Response) error {
	if r.tx == nil {
		return r.Flow.WriteMsg(res)
	}
	if res.StatusCode >= 200 {
		r.mu.Lock()
		r.final = res.StatusCode
		r.mu.Unlock()
	}
	return r.tx.Respond(res)
}

// transactions holds the transactions of a server (RFC 3261 §17). The state
// machines are those of the SIP stack; matching is done here, on the goroutine
// that reads the transport, so that requests keep the order of their arrival.
type transactions struct {
	log *slog.Logger

	mu     sync.Mutex
	server map[string]*exchange
	client map[string]*sip.ClientTx
	// refused counts the INVITEs that opened nothing, at most mostRefused.
	refused, mostRefused int
}

func newTransactions() *transactions {
	return &transactions{
		// The stack logs whole messages; what matters is logged by the dialogs.
		log:    slog.New(slog.DiscardHandler),
		server: make(map[string]*exchange),
		client: make(map[string]*sip.ClientTx),

		mostRefused: mostRefused,
	}
}

// serverKey matches a request with its transaction (RFC 3261 §17.2.3). Call-ID
// and CSeq are part of it: some devices use one branch for everything.
func serverKey(req *sip.Request, method sip.RequestMethod) string {
	var b strings.Builder
	if via := req.Via(); via != nil {
		branch, _ := via.Params.Get("branch")
		b.WriteString(branch)
		b.WriteByte('|')
		b.WriteString(via.Host)
		b.WriteByte(':')
		b.WriteString(strconv.Itoa(via.Port))
	}
	b.WriteByte('|')
	if id := req.CallID(); id != nil {
		b.WriteString(id.Value())
	}
	b.WriteByte('|')
	if cseq := req.CSeq(); cseq != nil {
		b.WriteString(strconv.FormatUint(uint64(cseq.SeqNo), 10))
	}
	b.WriteByte('|')
	b.WriteString(string(method))
	return b.String()
}

// repeated says whether a request is the repetition of one that has a transaction,
// which has then answered it again.
func (t *transactions) repeated(req *sip.Request) bool {
	t.mu.Lock()
	e := t.server[serverKey(req, req.Method)]
	t.mu.Unlock()
	if e == nil {
		return false
	}
	// The error says only that the transport failed again.
	_ = e.tx.Receive(req)
	return true
}

// begin gives a request that is not repeated its transaction, and returns it.
func (t *transactions) begin(r *request) *request {
	req := r.Request
	key := serverKey(req, req.Method)
	r.tx = sip.NewServerTx(key, outline(req), r.Flow, t.log)
	t.mu.Lock()
	t.server[key] = r.exchange
	t.mu.Unlock()
	r.tx.OnTerminate(func(key string, _ error) { t.dropServer(key) })
	_ = r.tx.Init()
	return r
}

// outline is what a transaction needs of its request, to answer 100 by itself
// (RFC 3261 §8.2.6). It lives on for up to 64*T1 after the answer: the whole request,
// with a body of metadata, would cost as much as a held dialog.
func outline(req *sip.Request) *sip.Request {
	out := sip.NewRequest(req.Method, req.Recipient)
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq", "Timestamp"} {
		for _, h := range req.GetHeaders(name) {
			out.AppendHeader(h)
		}
	}
	out.SetTransport(req.Transport())
	out.SetSource(req.Source())
	return out
}

func (t *transactions) dropServer(key string) {
	t.mu.Lock()
	e := t.server[key]
	delete(t.server, key)
	if e != nil && e.refused {
		t.refused--
	}
	t.mu.Unlock()
	if e != nil && e.over != nil {
		e.over()
	}
}

// retire counts an INVITE that opened nothing and was answered. Too many are not kept:
// what is repeated is judged and answered anew, as that of a stranger is.
func (t *transactions) retire(r *request) {
	t.mu.Lock()
	kept := t.server[r.tx.Key()] == r.exchange && !r.refused
	full := t.refused >= t.mostRefused
	if kept && !full {
		r.refused = true
		t.refused++
	}
	t.mu.Unlock()
	if kept && full {
		r.tx.Terminate()
	}
}

// invite gives the INVITE that an ACK or CANCEL is about, or nil.
func (t *transactions) invite(req *sip.Request) *exchange {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.server[serverKey(req, sip.INVITE)]
}

// response hands a response to its client transaction. Strays are dropped.
func (t *transactions) response(res *sip.Response) {
	key, err := sip.ClientTxKeyMake(res)
	if err != nil {
		return
	}
	t.mu.Lock()
	tx := t.client[key]
	t.mu.Unlock()
	if tx != nil {
		// Receive blocks until the response is taken.
		go tx.Receive(res)
	}
}

var errDuplicateTransaction = errors.New("client transaction exists already")

// request starts a client transaction.
func (t *transactions) request(req *sip.Request, flow *front.Flow) (*sip.ClientTx, error) {
	key, err := sip.ClientTxKeyMake(req)
	if err != nil {
		return nil, err
	}
	tx := sip.NewClientTx(key, req, flow, t.log)
	t.mu.Lock()
	if _, ok := t.client[key]; ok {
		t.mu.Unlock()
		return nil, errDuplicateTransaction
	}
	t.client[key] = tx
	t.mu.Unlock()
	tx.OnTerminate(func(key string, _ error) {
		t.mu.Lock()
		delete(t.client, key)
		t.mu.Unlock()
	})
	if err := tx.Init(); err != nil {
		tx.Terminate()
		return nil, err
	}
	return tx, nil
}

// close ends all transactions.
func (t *transactions) close() {
	t.mu.Lock()
	server := make([]*exchange, 0, len(t.server))
	for _, r := range t.server {
		server = append(server, r)
	}
	client := make([]*sip.ClientTx, 0, len(t.client))
	for _, tx := range t.client {
		client = append(client, tx)
	}
	t.mu.Unlock()
	for _, r := range server {
		r.tx.Terminate()
	}
	for _, tx := range client {
		tx.Terminate()
	}
}
