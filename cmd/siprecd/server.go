package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/codec"
	"github.com/siprecd/siprecd/recorder/control"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
	"github.com/siprecd/siprecd/siprec/media"
)

// A server is the SIP endpoint and the recorder behind it, running.
type server struct {
	sip      *siprec.Server
	recorder *recorder.Recorder
	rulebook *recorder.Rulebook // nil when everything is recorded
	admitted *admission
	standing *standing
	space    *freeSpace    // nil without a mark
	tls      *siprec.TLS   // nil without TLS
	control  *commanding   // nil without a control interface
	told     *webhook      // nil without one
	measured *measuring    // nil without metrics
	served   chan struct{} // closed when Serve has returned
	err      error         // what it returned; to be read after served
}

// start binds what the settings say and serves it until stop.
func start(s settings, log *zap.Logger) (*server, error) {
	if err := checkWritable(s.Data); err != nil {
		return nil, err
	}
	admitted, err := newAdmission(s)
	if err != nil {
		return nil, err
	}
	book, err := openRulebook(s, admitted.facts(), log)
	if err != nil {
		return nil, err
	}
	if src := admitted.signalling(); src != "" && book == nil {
		log.Warn("what the file of SRCs says of signals counts for nothing: everything is recorded (--policy)", zap.String("src", src))
	}
	identity, err := s.tls()
	if err != nil {
		return nil, err
	}
	endpoints, err := s.endpoints()
	if err != nil {
		return nil, err
	}
	masters, err := readMasterKeys(s.MasterKeys)
	if err != nil {
		return nil, err
	}
	encrypt, err := s.encrypts(context.Background(), lookupHost, masters != nil)
	if err != nil {
		return nil, err
	}
	ffmpeg, err := findFFmpeg(s.FFmpeg, log)
	if err != nil {
		return nil, err
	}
	told, err := openWebhook(s, log)
	if err != nil {
		return nil, err
	}
	measured, err := s.listenMetrics(log)
	if err != nil {
		return nil, errors.Join(err, told.close())
	}
	rec, err := recorder.New(recorder.Config{
		Dir: s.Data, Policy: rules.RecordAll(), Rulebook: book, Signals: admitted.signals, Log: log, FFmpeg: ffmpeg, OmitGaps: s.Gaps == "omit",
		HoldBack: s.HoldBack, Commit: s.Commit, PageMemory: int(s.PageMemory), Masters: masters, Encrypt: encrypt,
		Grace: s.Grace, Linger: s.Linger, Links: s.links(), Sweep: s.Sweep,
		AlarmAfter: s.AlarmAfter, Notify: measured.notify(told.notify()), Noted: told.noted(), Finalised: measured.finalised(),
	})
	if err != nil {
		return nil, errors.Join(err, measured.close(context.Background()), told.close())
	}
	tellStorage(log, encrypt)
	kept := newStanding(rec, log)
	kept.expect(s.RecordFrom)
	commands, err := s.listenControl(log)
	if err != nil {
		return nil, errors.Join(err, measured.close(context.Background()), rec.Close(context.Background()), told.close())
	}
	space := s.watchSpace(log)
	srv, err := siprec.Listen(siprec.Config{
		Listen:               endpoints,
		Admit:                admitted.admit,
		TLS:                  identity,
		Redirect:             s.Redirect,
		Idle:                 s.Idle,
		Unavailable:          func() string { return cmp.Or(space.low(), rec.Failing()) },
		StrangerConnections:  s.MaxUnknownConnections,
		Handler:              kept,
		Media:                s.media(),
		MaxRecordingSessions: s.MaxRecordingSessions,
		Vanish:               s.Vanish,
		Log:                  log,
		UserAgent:            "siprecd/" + version(),
	})
	if err != nil {
		space.close()
		return nil, errors.Join(err, commands.close(context.Background()), measured.close(context.Background()), rec.Close(context.Background()), told.close())
	}
	if err := takeUp(rec, kept.resume(srv), log); err != nil {
		space.close()
		return nil, errors.Join(err, srv.Shutdown(context.Background()), commands.close(context.Background()), measured.close(context.Background()), rec.Close(context.Background()), told.close())
	}
	running := &server{sip: srv, recorder: rec, rulebook: book, admitted: admitted, standing: kept, space: space, tls: identity, control: commands, told: told, measured: measured, served: make(chan struct{})}
	go func() {
		defer close(running.served)
		running.err = srv.Serve(context.Background())
	}()
	kept.begin(srv, s.RecordFrom, admitted.asked)
	commands.serve(control.Config{Recorder: rec, Archive: archived{rec, s.Data}, Log: log})
	measured.serve(running)
	return running, nil
}

// takeUp takes up what an earlier process left unfinished, and tells what came of it.
func takeUp(rec *recorder.Recorder, resume func(state []byte, h siprec.Handler) error, log *zap.Logger) error {
	got, err := rec.Recover(resume)
	if err != nil {
		return fmt.Errorf("recordings that were left unfinished: %w", err)
	}
	if got != (recorder.Recovered{}) {
		log.Warn("an earlier process left recordings unfinished", zap.Int("resumed", got.Resumed), zap.Int("finished", got.Finished), zap.Int("left", got.Left))
	}
	return nil
}

// media is how RTP and RTCP are received.
func (s *settings) media() media.Config {
	return media.Config{
		PortMin: s.RTPPorts.first, PortMax: s.RTPPorts.last,
		Reader: media.Reader(s.MediaReader), Threads: s.MediaThreads,
	}
}

// findFFmpeg finds the program and tells its version; nil when there is to be none,
// or when none is installed and none was asked for by its path.
func findFFmpeg(program string, log *zap.Logger) (*codec.FFmpeg, error) {
	if program == "off" {
		return nil, nil
	}
	found, err := codec.FindFFmpeg(context.Background(), program)
	if errors.Is(err, exec.ErrNotFound) && program == "ffmpeg" {
		log.Info("ffmpeg is not installed: audio in Opus, G.729, AMR, iLBC, GSM, G.723.1 or G.726 will stay in its capture")
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ffmpeg: %w", err)
	}
	log.Info("ffmpeg decodes what this server does not", zap.String("program", found.Path()), zap.String("version", found.Version()))
	return found, nil
}

// checkWritable makes a folder, and a file in it and removes it: a server that cannot
// write would start, and then refuse each recording session.
func checkWritable(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	file, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return fmt.Errorf("data folder %s cannot be written to: %w", dir, err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// stop refuses new recording sessions and lets the present ones end until ctx is
// done; then they get BYE. It returns when every file is finished.
func (s *server) stop(ctx context.Context) error {
	s.standing.close()
	err := s.sip.Shutdown(ctx)
	<-s.served
	// Until here there was something to be commanded.
	err = errors.Join(err, s.err, s.control.close(ctx))
	s.space.close()
	// Files are finished whatever the hurry: what was recorded is not thrown away.
	err = errors.Join(err, s.recorder.Close(context.WithoutCancel(ctx)))
	return errors.Join(err, s.told.close(), s.measured.close(ctx))
}
