package src

// attempt is a request as it is sent under one branch.
type attempt struct {
	branch string
	raw    []byte
	// onFinal sees the final response, and each repetition of it, in the goroutine of
	// the reader; nil looks at none.
	onFinal func(m *Message, repeated bool)
	// renew answers a challenge in another attempt; false when it is not answered. It
	// is called by the reader; nil answers none.
	renew func(m *Message) (next attempt, again bool)
	// refused acknowledges a challenge that was answered, and each repetition of it.
	refused func(m *Message)
}

// sending is what makes the attempts of one request of a dialog.
type sending struct {
	envelope envelope
	request  Request
	content  content
	offered  bool
	login    *login // nil: no challenge is answered
}

// attempt writes a request. The caller holds mu.
func (d *Dialog) attempt(s sending) attempt {
	e, r := s.envelope, s.request
	e.authorization = s.login.headers()
	if e.method == "INVITE" && d.inviteBranch == "" {
		d.inviteURI, d.inviteBranch, d.inviteCSeq = e.requestURI, e.branch, e.cseq
	}
	a := attempt{
		branch: e.branch, raw: d.via().compose(e, r, s.content),
		onFinal: func(m *Message, repeated bool) { d.finalResponse(e, r, s.offered, m, repeated) },
	}
	if s.login == nil {
		return a
	}
	a.renew = func(m *Message) (attempt, bool) { return d.again(s, m) }
	a.refused = func(m *Message) {
		if e.method == "INVITE" {
			d.acknowledge(d.refusalACK(e, m))
		}
	}
	return a
}

// again writes a request that was challenged once more, under a new branch and number
// (RFC 3261 §8.1.3.5). A number that the request gave is one more outside of the dialog,
// and the same in it.
func (d *Dialog) again(s sending, m *Message) (attempt, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || !s.login.take(m) {
		return attempt{}, false
	}
	r := s.request
	r.Branch = ""
	if d.inviteBranch == s.envelope.branch {
		d.inviteBranch = "" // a CANCEL is of the new one
	}
	if r.CSeq != 0 && d.remoteTag == "" && r.ToTag == "" {
		r.CSeq = s.envelope.cseq + 1
	}
	before := s.envelope
	s.envelope = d.envelope(before.method, r)
	s.envelope.requestURI = before.requestURI
	return d.attempt(s), true
}

// challenged sends a request again when m is a challenge that can be answered. What the
// server repeats of the challenge is acknowledged and told to nobody.
func (tx *transaction) challenged(m *Message) bool {
	tx.mu.Lock()
	now, over := tx.attempt, tx.final != nil
	tx.mu.Unlock()
	if over || now.renew == nil || m.Status != 401 && m.Status != 407 {
		return false
	}
	select {
	case <-tx.done: // nobody waits for it any more
		return false
	default:
	}
	next, again := now.renew(m)
	if !again || !tx.replace(next) {
		return false
	}
	now.refused(m)
	if err := tx.src.Send(next.raw); err != nil {
		tx.finish(err)
	}
	return true
}

// replace makes another attempt the current one; false when the SRC is closed. Responses
// to the one before are repetitions of the challenge.
func (tx *transaction) replace(next attempt) bool {
	tx.src.mu.Lock()
	defer tx.src.mu.Unlock()
	if tx.src.closed {
		return false
	}
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.src.transactions[tx.key] = tx.src.answeredChallenge(tx.method, tx.attempt)
	tx.key = next.branch + " " + tx.method
	tx.src.transactions[tx.key] = tx
	tx.former = append(tx.former, tx.branch+" "+tx.method)
	tx.attempt = next
	tx.provisional, tx.proceeding = nil, make(chan struct{})
	select {
	case tx.renewed <- struct{}{}:
	default: // run has not seen the one before either
	}
	return true
}

// answeredChallenge is a transaction that is over: it acknowledges what comes again.
func (s *SRC) answeredChallenge(method string, a attempt) *transaction {
	old := s.newTransaction(method, attempt{onFinal: func(m *Message, _ bool) { a.refused(m) }})
	close(old.done)
	return old
}

// current is the text of the last attempt, and what tells of its first provisional
// response.
func (tx *transaction) current() (raw []byte, proceeding chan struct{}) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.raw, tx.proceeding
}
