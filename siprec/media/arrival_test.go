package media

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestArrivals(t *testing.T) {
	type read struct {
		now, wall, mono, stamp int  // milliseconds
		noStamp, same          bool // same: it came with the read before
		want                   int
	}
	tests := []struct {
		name  string
		reads []read
	}{
		{"the age of the stamp is taken off", []read{
			{now: 100, wall: 100, mono: 100, stamp: 60, want: 60},
			{now: 120, wall: 120, mono: 120, stamp: 119, want: 119},
		}},
		{"the clock of the plane may be another", []read{
			{now: 9000, wall: 100, mono: 100, stamp: 60, want: 8960},
		}},
		{"without a stamp the instant of reading", []read{
			{now: 100, wall: 100, mono: 100, noStamp: true, want: 100},
		}},
		{"a stamp of the future", []read{
			{now: 100, wall: 100, mono: 100, stamp: 140, want: 100},
		}},
		{"never before the packet read before", []read{
			{now: 100, wall: 100, mono: 100, stamp: 90, want: 90},
			{now: 101, wall: 101, mono: 101, stamp: 70, want: 90},
		}},
		{"never before the socket was opened", []read{
			{now: 5, wall: 5, mono: 5, stamp: -20, want: 0},
		}},
		{"a wall clock stepped forward moves nothing", []read{
			{now: 100, wall: 100, mono: 100, stamp: 99, want: 99},
			// 60 s of silence, then a step of an hour; stamped before the step.
			{now: 60100, wall: 3660100, mono: 60100, stamp: 60090, want: 60090},
			// Queued before the step too.
			{now: 60101, wall: 3660101, mono: 60101, stamp: 60095, want: 60095},
			// Stamped after it.
			{now: 60120, wall: 3660120, mono: 60120, stamp: 3660118, want: 60118},
		}},
		{"nor does one stepped back", []read{
			{now: 5000, wall: 5000, mono: 5000, stamp: 4999, want: 4999},
			{now: 5020, wall: 2020, mono: 5020, stamp: 5015, want: 5015},
			{now: 5040, wall: 2040, mono: 5040, stamp: 2035, want: 2035 + 3000},
		}},
		{"one read of packets from both sides of a step forward", []read{
			{now: 1000, wall: 1000, mono: 1000, stamp: 990, want: 990},
			{now: 1200, wall: 4200, mono: 1200, stamp: 1010, want: 1010},
			{same: true, stamp: 1030, want: 1030},
			{same: true, stamp: 4050, want: 1050}, // the step was at 1040
			{same: true, stamp: 4190, want: 1190},
		}},
		{"and of a step back", []read{
			{now: 1000, wall: 1000, mono: 1000, stamp: 990, want: 990},
			{now: 1200, wall: 200, mono: 1200, stamp: 1010, want: 1010},
			{same: true, stamp: 1030, want: 1030},
			{same: true, stamp: 50, want: 1050},
			{same: true, stamp: 190, want: 1190},
		}},
		{"two steps", []read{
			{now: 1000, wall: 1000, mono: 1000, stamp: 990, want: 990},
			{now: 1200, wall: 4200, mono: 1200, stamp: 4150, want: 1150},
			{now: 1400, wall: 400, mono: 1400, stamp: 4250, want: 1250},
			{same: true, stamp: 350, want: 1350},
		}},
		{"a step shorter than the time between two reads moves no packet by more", []read{
			{now: 1000, wall: 1000, mono: 1000, stamp: 990, want: 990},
			// The clock was put 50 ms ahead at 1100.
			{now: 1200, wall: 1250, mono: 1200, stamp: 1080, want: 1080},
			{same: true, stamp: 1170, want: 1170}, // it came at 1120
			{now: 1300, wall: 1350, mono: 1300, stamp: 1270, want: 1220},
		}},
		{"a stamp of long after a step", []read{
			{now: 1000, wall: 1000, mono: 1000, stamp: 990, want: 990},
			{now: 1200, wall: 1250, mono: 1200, stamp: 1240, want: 1190},
			{now: 9000, wall: 9050, mono: 9000, stamp: 9000, want: 8950},
			{now: 9100, wall: 9150, mono: 9100, stamp: 9160, want: 9100},
		}},
		{"a slewed clock is no step", []read{
			{now: 1000, wall: 1000, mono: 1000, stamp: 998, want: 998},
			{now: 2000, wall: 2001, mono: 2000, stamp: 1991, want: 1990},
		}},
		{"the clock of the plane goes back", []read{
			{now: 1000, wall: 1000, mono: 1000, stamp: 998, want: 998},
			{now: 900, wall: 1010, mono: 1010, stamp: 1008, want: 900},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			zero := time.Unix(1_700_000_000, 0)
			ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
			a := newArrivals(instant{now: zero})
			var i instant
			for n, r := range tt.reads {
				if !r.same {
					i = instant{now: zero.Add(ms(r.now)), wall: ms(r.wall), mono: ms(r.mono)}
					a.read(i)
				}
				if got := a.at(i, ms(r.stamp), !r.noStamp).Sub(zero); got != ms(r.want) {
					t.Fatalf("read %d: arrival %v, want %v", n, got, ms(r.want))
				}
			}
		})
	}
}

// TestArrivalsAgainstTrueTime steps the wall clock at random while packets come and are
// read in batches: a packet arrives when it came, but for steps that are shorter than the
// time between two reads, which move those next to them by their own length at most.
func TestArrivalsAgainstTrueTime(t *testing.T) {
	const (
		packets   = 20000
		stepEvery = 2 * time.Second
	)
	zero := time.Unix(1_700_000_000, 0)
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		upTo := func(d time.Duration) time.Duration { return time.Duration(random.Int64N(int64(d))) }
		wallAhead := time.Duration(0)
		a := newArrivals(instant{now: zero})
		nextStep, lastStep, step := upTo(stepEvery), time.Duration(0), time.Duration(0)
		nextRead := longestSweep
		type packet struct{ came, stamp time.Duration }
		var queued []packet
		moved := 0
		now := time.Duration(0)
		for range packets {
			now += 10*time.Millisecond + upTo(20*time.Millisecond)
			if now >= nextStep {
				step = upTo(10*time.Second) - 5*time.Second
				if random.IntN(2) == 0 {
					step /= 50 // within the time between two reads
				}
				wallAhead += step
				lastStep, nextStep = now, now+stepEvery+upTo(stepEvery)
			}
			queued = append(queued, packet{now, now + wallAhead})
			if now < nextRead {
				continue
			}
			nextRead = now + shortestSweep + upTo(longestSweep-shortestSweep)
			i := instant{now: zero.Add(now), wall: now + wallAhead, mono: now}
			a.read(i)
			for _, p := range queued {
				wrong := (a.at(i, p.stamp, true).Sub(zero) - p.came).Abs()
				near := (p.came - lastStep).Abs() <= longestSweep+30*time.Millisecond // a read and a packet apart
				switch {
				case wrong == 0 || wrong <= clockStep && step.Abs() <= clockStep:
				case near && wrong <= step.Abs() && step.Abs() <= 2*longestSweep:
					moved++
				default:
					t.Fatalf("seed %d: a packet came at %v and arrived %v off, the clock stepped by %v at %v", seed, p.came, wrong, step, lastStep)
				}
			}
			queued = queued[:0]
		}
		if moved > packets/50 {
			t.Errorf("seed %d: %d packets of %d were moved", seed, moved, packets)
		}
	}
}
