package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// farewell is how long BYE may take, when everything else was given up.
const farewell = 5 * time.Second

// answerLimit is how long an INVITE may stay without final response. Nobody has to
// pick up, so a server that is there answers at once; RFC 3261 §17.1.1.2 would wait
// 32 s for one that is not.
const answerLimit = 10 * time.Second

var errServerEnded = errors.New("the server ended the recording session")

// A speaker is one party of a conversation that is played to a server.
type speaker struct {
	aor, name string
	codec     src.Codec
	voice     src.Source
}

// A performance is a conversation that a Session Recording Client (RFC 7866 §3)
// plays to a server: one recording session with one stream for each speaker.
type performance struct {
	client   src.Config
	uri      string // Request-URI; empty for the client's own choice
	speakers []speaker
	suite    string        // of SRTP (RFC 4568 §6.2); empty for plain RTP
	length   time.Duration // of audio; 0 is until the voices end
	limit    time.Duration // for the answer; 0 is answerLimit
	progress func(format string, args ...any)
}

// play does it all, from INVITE to BYE, and returns the Call-ID. When ctx is done
// it hangs up early, which is no error.
func (p performance) play(ctx context.Context) (callID string, err error) {
	client, err := src.New(ctx, p.client)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, client.Close()) }()

	conversation, invite, err := p.invite(client.IDs(), time.Now())
	if err != nil {
		return "", err
	}
	dialog, err := p.open(ctx, client, invite)
	if err != nil {
		return "", err
	}
	defer dialog.Close()
	p.progress("recording session accepted, Call-ID %s", dialog.CallID())

	err = p.perform(ctx, dialog)
	if errors.Is(err, errServerEnded) {
		return dialog.CallID(), err
	}
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	answer, byeErr := dialog.Bye(bye, src.Request{Metadata: conversation.Stop(time.Now())})
	switch {
	case byeErr != nil:
		err = errors.Join(err, fmt.Errorf("BYE: %w", byeErr))
	case answer.Status >= 300:
		err = errors.Join(err, refusal("BYE", answer))
	default:
		p.progress("recording session ended")
	}
	return dialog.CallID(), err
}

// open sends the INVITE. When ctx or answerLimit ends before the answer, it is
// cancelled; before any answer came there is nothing to cancel (RFC 3261 §9.1).
func (p performance) open(ctx context.Context, client *src.SRC, invite src.Request) (*src.Dialog, error) {
	dialog, err := client.Start(context.WithoutCancel(ctx), invite)
	if err != nil {
		return nil, fmt.Errorf("INVITE to %s: %w", p.client.Target, err)
	}
	waiting, stop := context.WithTimeout(ctx, cmp.Or(p.limit, answerLimit))
	defer stop()
	final, err := dialog.Wait(waiting)
	switch {
	case err != nil && len(dialog.Provisional()) > 0:
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		if _, cancelErr := dialog.Cancel(bye); cancelErr != nil {
			err = errors.Join(err, fmt.Errorf("CANCEL: %w", cancelErr))
		}
		fallthrough
	case err != nil:
		err = fmt.Errorf("INVITE to %s: %w", p.client.Target, err)
	case final.Status >= 300:
		err = refusal("INVITE", final)
	default:
		return dialog, nil
	}
	dialog.Close()
	return nil, err
}

// invite is the INVITE with its metadata: the speakers are the participants, and
// the label of a stream is the number of its speaker, from 1.
func (p performance) invite(ids *src.IDs, at time.Time) (*src.Conversation, src.Request, error) {
	var parties []src.Party
	var offers []src.StreamOffer
	for i, s := range p.speakers {
		label := strconv.Itoa(i + 1)
		parties = append(parties, src.Party{AOR: s.aor, Name: s.name, Label: label})
		offer := src.StreamOffer{Label: label, Codecs: []src.Codec{s.codec}, Direction: src.SendOnly}
		if p.suite != "" {
			key, err := ids.SRTPKey(p.suite)
			if err != nil {
				return nil, src.Request{}, err
			}
			offer.Keys = []src.SRTPKey{key}
		}
		offers = append(offers, offer)
	}
	conversation := src.NewConversation(ids, at, parties...)
	return conversation, src.Request{RequestURI: p.uri, Streams: offers, Metadata: conversation.Complete()}, nil
}

// perform sends the voices and reports each second. It returns early when ctx is
// done, and with errServerEnded when the server sent BYE.
func (p performance) perform(ctx context.Context, dialog *src.Dialog) error {
	playing, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var watchers sync.WaitGroup
	watchers.Go(func() {
		if _, err := dialog.NextRequest(playing, "BYE"); err == nil {
			stop(errServerEnded)
		}
	})
	watchers.Go(func() {
		seconds := time.NewTicker(time.Second)
		defer seconds.Stop()
		for n := 1; ; n++ {
			select {
			case <-seconds.C:
				p.progress("playing, %d s", n)
			case <-playing.Done():
				return
			}
		}
	})
	var voices []src.Source
	for _, s := range p.speakers {
		voices = append(voices, s.voice)
	}
	err := dialog.Play(playing, src.PlayOptions{Duration: p.length}, voices...)
	cause := context.Cause(playing)
	stop(nil)
	watchers.Wait()
	switch {
	case errors.Is(cause, errServerEnded):
		return errServerEnded
	case ctx.Err() != nil:
		p.progress("hanging up")
		return nil
	case err != nil:
		return fmt.Errorf("playing: %w", err)
	}
	return nil
}

// refusal is a final response in one line: status, reason, and the Warning that
// says why (RFC 3261 §20.43).
func refusal(method string, m *src.Message) error {
	text := fmt.Sprintf("%s was answered %d %s", method, m.Status, m.Reason)
	if warning := m.Get("Warning"); warning != "" {
		text += " (" + warning + ")"
	}
	return errors.New(text)
}
