package load

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// userTick is the unit of times in /proc/PID/stat (proc(5), USER_HZ).
const userTick = 10 * time.Millisecond

// gauge reads what a process uses (proc(5)).
func gauge(pid int) (Gauge, error) {
	dir := fmt.Sprintf("/proc/%d", pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return Gauge{}, err
	}
	// The name of the program, in brackets, may hold anything.
	f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(f) < 22 {
		return Gauge{}, fmt.Errorf("%s/stat has %d fields behind the name", dir, len(f))
	}
	var g Gauge
	for _, ticks := range f[11:13] {
		n, err := strconv.ParseInt(ticks, 10, 64)
		if err != nil {
			return g, fmt.Errorf("%s/stat: %w", dir, err)
		}
		g.CPU += time.Duration(n) * userTick
	}
	pages, err := strconv.ParseInt(f[21], 10, 64)
	if err != nil {
		return g, fmt.Errorf("%s/stat: %w", dir, err)
	}
	g.RSS = pages * int64(os.Getpagesize())
	list, err := os.ReadDir(dir + "/fd")
	g.Descriptors = len(list)
	return g, err
}

// udpCounters are those of UDP for the whole machine.
func udpCounters() (Kernel, bool) {
	var k Kernel
	for _, version := range []struct{ file, prefix string }{{"/proc/net/snmp", "Udp:"}, {"/proc/net/snmp6", ""}} {
		text, err := os.ReadFile(version.file)
		if err != nil {
			return k, false
		}
		if version.prefix == "" {
			k.snmp6(string(text))
			continue
		}
		k.snmp(string(text), version.prefix)
	}
	return k, true
}

// snmp reads two lines: names and values.
func (k *Kernel) snmp(text, prefix string) {
	var names []string
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] != prefix {
			continue
		}
		if names == nil {
			names = f
			continue
		}
		for i := 1; i < min(len(f), len(names)); i++ {
			k.add(names[i], f[i])
		}
	}
}

// snmp6 reads a name and a value in each line.
func (k *Kernel) snmp6(text string) {
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, " "); ok {
			if name, ok := strings.CutPrefix(name, "Udp6"); ok {
				k.add(name, strings.TrimSpace(value))
			}
		}
	}
}

func (k *Kernel) add(name, value string) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return
	}
	switch name {
	case "RcvbufErrors":
		k.ReceiveBuffer += n
	case "SndbufErrors":
		k.SendBuffer += n
	case "NoPorts":
		k.NoPort += n
	}
}

// socketDrops counts what was dropped at the sockets of some ports, since they are
// open, because their buffers were full.
func socketDrops(ports map[uint16]bool) (int64, bool) {
	total := int64(0)
	for _, file := range []string{"/proc/net/udp", "/proc/net/udp6"} {
		text, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return 0, false
		}
		total += dropsIn(string(text), ports)
	}
	return total, true
}

func dropsIn(text string, ports map[uint16]bool) (total int64) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 13 {
			continue
		}
		_, hex, ok := strings.Cut(f[1], ":")
		port, err := strconv.ParseUint(hex, 16, 16)
		if !ok || err != nil || !ports[uint16(port)] {
			continue
		}
		if n, err := strconv.ParseInt(f[len(f)-1], 10, 64); err == nil {
			total += n
		}
	}
	return total
}
