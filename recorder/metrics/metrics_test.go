package metrics

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/siprec"
)

// read asks as from an address.
func read(m *Meter, from string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.RemoteAddr = from
	w := httptest.NewRecorder()
	only([]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, m.handler()).ServeHTTP(w, r)
	return w
}

func TestMeter(t *testing.T) {
	m := New("test")
	m.Watch(Sources{
		Server: func() siprec.Figures {
			return siprec.Figures{Up: 3, Accepted: map[string]uint64{"edge": 7}, Refused: map[siprec.Refusal]uint64{{Status: 503, Reason: siprec.RefusedPorts}: 2}}
		},
		Recorder: func() recorder.Figures {
			return recorder.Figures{Interactions: 2, Finalising: 4, DiskFailing: true, PageMemory: 5, PageMemoryMost: 6, Dropped: 8}
		},
		Webhook: func() (int, uint64) { return 9, 10 },
	})
	m.Notice(recorder.Notice{Type: recorder.NoticeCommand, Account: "acme", Action: "pause"})
	m.Notice(recorder.Notice{Type: recorder.NoticeCommand, Account: "acme", Action: "pause", Reason: "no control"})
	m.Notice(recorder.Notice{Type: recorder.NoticeAlarm, Account: "acme", Alarm: recorder.AlarmSilent})
	m.Notice(recorder.Notice{Type: recorder.NoticeAlarmCleared, Alarm: recorder.AlarmDisk})
	m.Notice(recorder.Notice{Type: recorder.NoticeErased, Account: "acme", Reason: "retention"})
	permitted := []store.Interval{{ToMS: 1000}}
	made := store.Manifest{
		Verdict: store.Partial, Belonging: &store.Belonging{Account: "acme"},
		Streams: []store.Stream{
			{Permitted: permitted, Packets: store.Packets{Received: 60, Kept: 50, Lost: 5, Late: 4, Duplicate: 3, Withheld: 10, Overrun: 2}, Quality: &store.Quality{Verdict: store.OK, JitterMS: 7, Sounds: true}},
			{Permitted: permitted, Packets: store.Packets{Strangers: 6}, Quality: &store.Quality{Verdict: store.Lost}},
			{},
		},
	}
	m.Finalised(made, 1500*time.Millisecond)
	made.Of = "the other"
	m.Finalised(made, time.Second)
	m.Finalised(store.Manifest{Void: true}, time.Second)

	w := read(m, "192.0.2.9:4000")
	for _, want := range []string{
		"siprecd_recording_sessions 3", `siprecd_invites_accepted_total{src="edge"} 7`, `siprecd_invites_refused_total{reason="no-ports",status="503"} 2`,
		"siprecd_interactions 2", "siprecd_finalise_queue 4", "siprecd_disk_failing 1", "siprecd_page_memory_bytes 5",
		"siprecd_page_memory_limit_bytes 6", "siprecd_page_packets_dropped_total 8", "siprecd_webhook_queue 9", "siprecd_webhook_given_up_total 10",
		`siprecd_commands_total{account="acme",action="pause",outcome="done"} 1`, `siprecd_commands_total{account="acme",action="pause",outcome="refused"} 1`,
		`siprecd_alarms_total{account="acme",alarm="silent-stream",event="raised"} 1`, `siprecd_alarms_total{account="",alarm="disk",event="cleared"} 1`,
		`siprecd_recordings_erased_total{account="acme",reason="retention"} 1`,
		`siprecd_recordings_finalised_total{account="acme",maker="policy",verdict="partial"} 1`,
		`siprecd_recordings_finalised_total{account="acme",maker="user",verdict="partial"} 1`,
		`siprecd_recordings_finalised_total{account="",maker="policy",verdict="void"} 1`,
		`siprecd_recordings_one_sided_total{account="acme"} 1`,
		`siprecd_streams_finalised_total{account="acme",verdict="ok"} 1`, `siprecd_streams_finalised_total{account="acme",verdict="lost"} 1`,
		`siprecd_rtp_packets_total{account="acme",outcome="received"} 60`, `siprecd_rtp_packets_total{account="acme",outcome="kept"} 50`,
		`siprecd_rtp_packets_total{account="acme",outcome="lost"} 5`, `siprecd_rtp_packets_total{account="acme",outcome="late"} 4`,
		`siprecd_rtp_packets_total{account="acme",outcome="duplicate"} 3`, `siprecd_rtp_packets_total{account="acme",outcome="withheld"} 10`,
		`siprecd_rtp_packets_total{account="acme",outcome="overrun"} 2`, `siprecd_rtp_packets_total{account="acme",outcome="stranger"} 6`,
		`siprecd_stream_jitter_seconds_bucket{le="0.005"} 0`, `siprecd_stream_jitter_seconds_bucket{le="0.01"} 1`, "siprecd_stream_jitter_seconds_count 1",
		"siprecd_finalise_duration_seconds_sum 3.5", `siprecd_build_info{version="test"} 1`,
	} {
		if !strings.Contains(w.Body.String(), "\n"+want+"\n") {
			t.Errorf("no %q", want)
		}
	}
	if t.Failed() {
		t.Log(w.Body)
	}
}

func TestOnly(t *testing.T) {
	m := New("test")
	for from, want := range map[string]int{
		"192.0.2.1:9": 200, "[::ffff:192.0.2.1]:9": 200, "192.0.3.1:9": 403, "[2001:db8::1]:9": 403, "nobody": 403,
	} {
		if w := read(m, from); w.Code != want || (want == 403) != (w.Header().Get("Content-Type") == "application/problem+json") {
			t.Errorf("%s: %d, %s", from, w.Code, w.Header().Get("Content-Type"))
		}
	}
}
