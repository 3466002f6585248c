package capacity

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A machine that others share, as virtual machines do, works at half to five sixths of its
// speed whenever somebody works on the other half of a core, for anything from a millisecond
// to minutes, stands still for milliseconds when somebody else has the core, and on some
// hosts falls to a twentieth of its speed for tens of milliseconds. What was
// measured then says something about the service only with the machine's speed beside
// it. A process takes the pulse of the CPUs while anything is measured: 500 times a
// second a thread of real-time priority wakes, tells how late it is, which is how long
// nobody could work, and times a few thousand multiplications, which is how fast work
// goes. That takes 2 % of the CPU, and no more than 30 µs at a time from what is measured.

// pulseEvery is the time between two pulses of a CPU.
const pulseEvery = 2 * time.Millisecond

// beat is one pulse, as its process writes it. Times are in ns, At of the clock that
// counts since the machine began.
type beat struct {
	At   int64
	Late uint32
	Took uint32 // of work that is always the same
	CPU  uint16
	Sure uint16 // 1 where nothing but the machine can have made it late
}

const (
	beatsEach = 16 // of one CPU that are written together
	// warm is what is done before it is timed, twice work.
	warm, work = 1500, 4000
)

// pulsing is the share of its CPU that taking a beat takes until the next one, with 15 µs
// for waking up.
func (b beat) pulsing() float64 {
	return (float64(b.Took)*(warm+2*work)/work + 15_000) / float64(pulseEvery)
}

// pulsing is the mean of that, 0 without beats.
func pulsing(beats []beat) (share float64) {
	for _, b := range beats {
		share += b.pulsing() / float64(len(beats))
	}
	return share
}

// chew multiplies 6·n times, in six chains so that the multiplier is what is waited
// for, as in the arithmetic of a pairing. What comes out means nothing, and goes in the
// next time.
//
//go:noinline
func chew(n int, a uint64) uint64 {
	const k = 0x9e3779b97f4a7c15
	var b, c, d, e, f uint64 = 2, 3, 4, 5, 6
	for range n {
		h0, l0 := bits.Mul64(a, k)
		h1, l1 := bits.Mul64(b, k)
		h2, l2 := bits.Mul64(c, k)
		h3, l3 := bits.Mul64(d, k)
		h4, l4 := bits.Mul64(e, k)
		h5, l5 := bits.Mul64(f, k)
		a, b, c, d, e, f = h0^l0, h1^l1, h2^l2, h3^l3, h4^l4, h5^l5
	}
	return a ^ b ^ c ^ d ^ e ^ f
}

// pulses are those of some CPUs while their process is there.
type pulses struct {
	cmd *exec.Cmd
	in  io.Closer // the process ends when it is closed

	mu    sync.Mutex
	more  *sync.Cond
	beats map[int][]beat // by CPU
	ended error
}

var errPulse = errors.New("the CPUs' pulse is not to be had")

// pulse makes the process that takes the pulse of CPUs: see [Pulse].
func pulse(cpus string) *exec.Cmd { return exec.Command(self(), "capacity", "pulse", "--cpus", cpus) }

// takePulse starts it; end ends it.
func takePulse(command func(cpus string) *exec.Cmd, cpus ...int) (*pulses, error) {
	if command == nil {
		command = pulse
	}
	var names []string
	for _, c := range cpus {
		names = append(names, strconv.Itoa(c))
	}
	p := &pulses{cmd: command(strings.Join(names, ",")), beats: map[int][]beat{}}
	p.more = sync.NewCond(&p.mu)
	if p.cmd.Env == nil {
		p.cmd.Env = os.Environ()
	}
	p.cmd.Env = append(p.cmd.Env, "GODEBUG=asyncpreemptoff=1") // no signals to threads that sleep
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var said strings.Builder
	p.cmd.Stderr = &said
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: %w", errPulse, err)
	}
	p.in = in
	go p.read(out, &said)
	// The first beats, so that what is measured has some before it.
	now := time.Now()
	for _, c := range cpus {
		if _, err := p.of(c, now, now); err != nil {
			p.end()
			return nil, err
		}
	}
	return p, nil
}

func (p *pulses) read(out io.Reader, said *strings.Builder) {
	var err error
	var list [beatsEach]beat
	for err == nil {
		if err = binary.Read(out, binary.LittleEndian, &list); err == nil {
			p.mu.Lock()
			p.beats[int(list[0].CPU)] = append(p.beats[int(list[0].CPU)], list[:]...)
			p.more.Broadcast()
			p.mu.Unlock()
		}
	}
	if e := p.cmd.Wait(); e != nil {
		err = e
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = fmt.Errorf("%w: %w: %s", errPulse, err, strings.TrimSpace(said.String()))
	p.more.Broadcast()
}

// end ends the process, once or more often.
func (p *pulses) end() {
	p.in.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.ended == nil {
		p.more.Wait()
	}
}

// of returns the beats of a CPU from the last one before a time to the first one after
// another, for which it waits.
func (p *pulses) of(cpu int, from, to time.Time) ([]beat, error) {
	since, until := machineClock(from), machineClock(to)
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		list := p.beats[cpu]
		if n := len(list); n > 0 && list[n-1].At >= until {
			at := func(t int64) int {
				i, _ := slices.BinarySearchFunc(list, t, func(b beat, t int64) int { return int(b.At - t) })
				return i
			}
			return list[max(0, at(since)-1) : at(until)+1], nil
		}
		if p.ended != nil {
			return nil, p.ended
		}
		p.more.Wait()
	}
}

// latest returns the beats of a CPU in the last while that there are, one at least,
// and how many there have been in all.
func (p *pulses) latest(cpu int, while time.Duration) (list []beat, all int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list = p.beats[cpu]
	return list[max(0, len(list)-int(while/pulseEvery)):], len(list)
}

// machineClock is a time by the clock of beats.
func machineClock(t time.Time) int64 {
	now := time.Now()
	return monotonic() + int64(t.Sub(now))
}
