package src_test

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/src"
)

func TestPlayStopsWithItsContext(t *testing.T) {
	server, client := pair(t, model.Config{Network: "udp"}, src.Config{})
	d := invite(t, client, src.Request{})
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- d.Play(ctx, src.PlayOptions{}, src.Silence(), src.Silence()) }()
	received(t, server, 0, 2)
	cancel()
	if err := <-stopped; err != context.Canceled {
		t.Errorf("error %v", err)
	}
	n := len(d.Stream(0).Sent())
	if n < 2 {
		t.Errorf("%d packets are listed, 2 arrived", n)
	}
	// The stream may play again, and goes on in its numbering.
	if err := d.Stream(0).Play(deadline(t), src.Silence(), src.PlayOptions{Count: 2}); err != nil {
		t.Fatal(err)
	}
	sent := d.Stream(0).Sent()
	if len(sent) != n+2 || sent[n].Sequence != sent[n-1].Sequence+1 {
		t.Errorf("sent %+v", sent)
	}
}

// received reads n datagrams of a stream and returns them with their sources.
func received(t *testing.T, server *model.Server, stream, n int) (packets []rtp.Packet, from []netip.AddrPort) {
	t.Helper()
	buf := make([]byte, 2048)
	for range n {
		k, source, err := server.Media(stream).ReadFromUDPAddrPort(buf)
		if err != nil {
			t.Fatal(err)
		}
		var p rtp.Packet
		if err := p.Unmarshal(slices.Clone(buf[:k])); err != nil {
			t.Fatal(err)
		}
		packets, from = append(packets, p), append(from, source)
	}
	return packets, from
}

func TestScriptAndNewSocket(t *testing.T) {
	server, client := pair(t, model.Config{Network: "udp"}, src.Config{})
	d := invite(t, client, src.Request{})
	ctx := deadline(t)
	err := d.Stream(0).Script(ctx, []src.ScriptPacket{
		{Header: rtp.Header{SequenceNumber: 9, SSRC: 5}, Payload: []byte{1}},
		{Offset: 40 * time.Millisecond, Header: rtp.Header{SequenceNumber: 3, SSRC: 5, CSRC: []uint32{7}}, Payload: []byte{2}},
	})
	if err != nil {
		t.Fatal(err)
	}
	packets, _ := received(t, server, 0, 2)
	if packets[0].SequenceNumber != 9 || packets[1].SequenceNumber != 3 || len(packets[1].CSRC) != 1 || packets[1].Payload[0] != 2 {
		t.Errorf("script arrived as %v", packets)
	}
	sent := d.Stream(0).Sent()
	if gap := sent[1].At.Sub(sent[0].At); gap < 30*time.Millisecond {
		t.Errorf("40 ms of the script took %s", gap)
	}
	if err := d.Stream(0).Script(ctx, []src.ScriptPacket{{Offset: 2}, {Offset: 1}}); err == nil {
		t.Error("a script that goes back in time is no error")
	}

	err = d.Stream(1).Burst(ctx, src.Silence(), 4, src.PlayOptions{Faults: src.Faults{Changes: []src.Change{{At: 2, NewSocket: true}}}})
	if err != nil {
		t.Fatal(err)
	}
	_, from := received(t, server, 1, 4)
	if from[0] != from[1] || from[1] == from[2] || from[2] != from[3] {
		t.Errorf("packets came from %v", from)
	}
}

func TestOneSourceAtATime(t *testing.T) {
	server, client := pair(t, model.Config{Network: "udp"}, src.Config{})
	d := invite(t, client, src.Request{})
	stopped := make(chan error, 1)
	go func() { stopped <- d.Stream(0).Play(t.Context(), src.Silence(), src.PlayOptions{}) }()
	received(t, server, 0, 1)
	if err := d.Stream(0).Play(deadline(t), src.Silence(), src.PlayOptions{Count: 1}); err == nil {
		t.Error("a second source on a stream is no error")
	}
	d.Close() // ends what is playing
	if err := <-stopped; err != src.ErrClosed {
		t.Errorf("error %v", err)
	}
	if _, err := d.Bye(deadline(t), src.Request{}); err != src.ErrClosed {
		t.Errorf("BYE on a closed dialog: %v", err)
	}
}

func TestRTCPOfTheServer(t *testing.T) {
	server, client := pair(t, model.Config{Network: "udp"}, src.Config{})
	d := invite(t, client, src.Request{})
	local := d.Stream(0).Local()
	control := netip.AddrPortFrom(local.Addr(), local.Port()+1)
	if _, err := server.Media(0).WriteToUDPAddrPort([]byte{0x80, 201, 0, 1, 0, 0, 0, 1}, control); err != nil {
		t.Fatal(err)
	}
	got, from, err := d.Stream(0).ReadRTCP(deadline(t))
	if err != nil || len(got) != 8 || from.Port() != d.Stream(0).Remote().Port() {
		t.Errorf("% x from %v, %v", got, from, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := d.Stream(0).ReadRTCP(ended); err == nil {
		t.Error("reading goes on after its context")
	}
}
