package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/notify"
)

const (
	// noticesName is the folder of the outbox below that of the recordings.
	noticesName = "notices"
	// flushTime is how long notices that wait may keep the server from ending.
	flushTime = 5 * time.Second
)

// validateWebhook refuses a webhook without a secret, and one that others can read.
func (s *settings) validateWebhook() error {
	switch {
	case s.Webhook == "" && s.WebhookSecret == "":
		return nil
	case s.Webhook == "":
		return errors.New("webhook-secret: there is no webhook that it signs for")
	case s.WebhookSecret == "":
		return errors.New("webhook: what is sent is signed, for which there has to be a webhook-secret")
	}
	_, err := notify.CheckURL(s.Webhook)
	return err
}

// A webhook delivers notices; nil delivers none.
type webhook struct{ *notify.Notifier }

// openWebhook begins to deliver; nil when nobody is told anything.
func openWebhook(s settings, log *zap.Logger) (*webhook, error) {
	if s.Webhook == "" {
		return nil, nil
	}
	secrets, err := notify.ReadSecrets(s.WebhookSecret)
	if err != nil {
		return nil, err
	}
	n, err := notify.New(notify.Config{
		URL: s.Webhook, Secrets: secrets, Dir: filepath.Join(s.Data, noticesName), Agent: "siprecd/" + version(), Log: log,
	})
	if err != nil {
		return nil, err
	}
	return &webhook{n}, nil
}

// notify is what the recorder calls; nil without a webhook.
func (w *webhook) notify() func(recorder.Notice) {
	if w == nil {
		return nil
	}
	return w.Notify
}

// noted is what its finalisers call; nil without a webhook.
func (w *webhook) noted() func() {
	if w == nil {
		return nil
	}
	return w.Settle
}

// reload reads the secrets again. Those that cannot be used change nothing.
func (w *webhook) reload(path string, log *zap.Logger) {
	secrets, err := notify.ReadSecrets(path)
	if err == nil {
		err = w.SetSecrets(secrets)
	}
	if err != nil {
		log.Error("secret of the webhook stays as it was: the file cannot be used", zap.Error(err))
		return
	}
	log.Info("secret of the webhook in force for deliveries from now on", zap.String("file", path))
}

// close delivers what waits, for a while, and leaves the rest to the next start.
func (w *webhook) close() error {
	if w == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	return w.Close(ctx)
}
