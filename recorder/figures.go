package recorder

// Figures say how a [Recorder] is doing now.
type Figures struct {
	Interactions int // live ones
	// Finalising is how many recordings have ended and wait for their files, or have
	// them made.
	Finalising  int
	DiskFailing bool // as [Recorder.Failing]
	// PageMemory is what audio that waits to be written takes, in octets, and
	// PageMemoryMost what it may: [Config.PageMemory].
	PageMemory, PageMemoryMost int
	// Dropped are the packets that were permitted and found no room there, since New.
	Dropped uint64
}

// Figures are those of now. They may be asked for at any time.
func (r *Recorder) Figures() Figures {
	f := Figures{
		Interactions: r.live.len(), Finalising: int(r.queue.Load()),
		DiskFailing: r.spool.Failing(), Dropped: r.spool.Dropped(),
	}
	f.PageMemory, f.PageMemoryMost = r.spool.Held()
	return f
}

func (s *liveSet) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.by)
}
