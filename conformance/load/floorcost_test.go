package load

import (
	"context"
	"net/netip"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/load/floor"
)

// TestMain is the floor program when it is asked to be.
func TestMain(m *testing.M) {
	if len(os.Args) == 7 && os.Args[1] == "as-floor" {
		os.Exit(asFloor(os.Args[2], os.Args[4], os.Args[6]))
	}
	os.Exit(m.Run())
}

func asFloor(dir, sockets, address string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	n, err := strconv.Atoi(sockets)
	if err == nil {
		err = floor.Run(ctx, floor.Config{
			Sockets: n, Address: netip.MustParseAddr(address), Dir: dir, Files: 2, Sweep: 20 * time.Millisecond, Threads: 1,
		}, os.Stdin, os.Stdout)
	}
	if err != nil {
		os.Stderr.WriteString(err.Error())
		return 1
	}
	return 0
}

func TestFloorUnderTheSameLoad(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the floor program is for Linux")
	}
	s := newSRS(t, nil)
	cfg := small(s)
	cfg.ServerPID = os.Getpid() // the server of the test is in this process
	cfg.Floor = &Floor{Command: []string{os.Args[0], "as-floor", t.TempDir()}, Duration: 200 * time.Millisecond}
	r := runs(t, cfg)
	f := r.Floor
	if r.Outcome != check.Pass || f.Received != f.Sent || f.Sent < 6*10 || f.Seconds != 0.2 {
		t.Errorf("%s %q: %+v", r.Outcome, r.Reasons, f)
	}
	v := r.Server
	if v.Whole <= 0 || v.Descriptors < 5 || v.Problem != "" {
		t.Errorf("server %+v", v)
	}
	var names []string
	for _, m := range v.Marks {
		names = append(names, m.At)
	}
	if !slices.Equal(names, []string{"before", "up", "held", "ended", "settled", "files finished"}) {
		t.Errorf("marks %q", names)
	}
	if r.Dropped == nil || *r.Dropped != 0 || r.Kernel == nil {
		t.Errorf("dropped %v, kernel %v", r.Dropped, r.Kernel)
	}
}

func TestFloorThatFails(t *testing.T) {
	s := newSRS(t, nil)
	cfg := small(s)
	cfg.Floor = &Floor{Command: []string{os.Args[0], "as-floor", "/dev/null/nowhere"}, Duration: time.Second}
	if _, err := Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "floor program") || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("%v", err)
	}
}
