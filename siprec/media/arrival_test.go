package media

import (
	"testing"
	"time"
)

func TestArrivals(t *testing.T) {
	type read struct {
		now, wall, mono, stamp int // milliseconds
		noStamp                bool
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
		{"a wall clock stepped forward carries nothing into the past", []read{
			{now: 100, wall: 100, mono: 100, stamp: 99, want: 99},
			// 60 s of silence, then a step of an hour; stamped before the step.
			{now: 60100, wall: 3660100, mono: 60100, stamp: 60090, want: 60100},
			// Queued before the step too.
			{now: 60101, wall: 3660101, mono: 60101, stamp: 60095, want: 60100},
			// Stamped after it.
			{now: 60120, wall: 3660120, mono: 60120, stamp: 3660118, want: 60118},
		}},
		{"nor does one stepped back", []read{
			{now: 5000, wall: 5000, mono: 5000, stamp: 4999, want: 4999},
			{now: 5020, wall: 2020, mono: 5020, stamp: 5015, want: 5020},
			{now: 5040, wall: 2040, mono: 5040, stamp: 2035, want: 5035},
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
			a := arrivals{floor: zero}
			for i, r := range tt.reads {
				got := a.at(zero.Add(ms(r.now)), ms(r.wall), ms(r.mono), ms(r.stamp), !r.noStamp).Sub(zero)
				if got != ms(r.want) {
					t.Fatalf("read %d: arrival %v, want %v", i, got, ms(r.want))
				}
			}
		})
	}
}
