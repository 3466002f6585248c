package capacity

import (
	"os/exec"
	"time"

	"mpinlab/sim/deploy"
)

// machine is the CPUs that this process may use, with the pulse of the two that matter:
// the servers' and one of the clients'. Where there is one only it is both.
type machine struct {
	*pulses
	all            []int
	server, client int
}

func newMachine(command func(cpus string) *exec.Cmd) (*machine, error) {
	all, err := deploy.OwnCPUs()
	if err != nil {
		return nil, err
	}
	m := &machine{all: all, server: all[len(all)-1], client: all[0]}
	pulsing := []int{m.server, m.client}
	if m.server == m.client {
		pulsing = pulsing[:1]
	}
	m.pulses, err = takePulse(command, pulsing...)
	return m, err
}

// span is some work that was done between two times, and the CPU time it took.
type span struct {
	from, to time.Time
	took     time.Duration
}

// worked does something and tells what it took by a clock of CPU time.
func worked(clock func() time.Duration, do func() error) (span, error) {
	s := span{from: time.Now()}
	start := clock()
	err := do()
	s.took, s.to = clock()-start, time.Now()
	return s, err
}

// scaled is the CPU time that a span of work on a CPU takes at speed 1.
func (m *machine) scaled(cpu int, sc Scale, s span) (time.Duration, error) {
	beats, err := m.of(cpu, s.from, s.to)
	if err != nil {
		return 0, err
	}
	list := sc.speeds(beats, s.from)
	return time.Duration(float64(s.took) * meanSpeed(list, 0, s.to.Sub(s.from))), nil
}

// waited is how long a span lasts on the clock at speed 1, without what pulses take of it.
func (m *machine) waited(cpu int, sc Scale, s span) (time.Duration, error) {
	beats, err := m.of(cpu, s.from, s.to)
	if err != nil {
		return 0, err
	}
	lasts := s.to.Sub(s.from)
	return time.Duration(float64(lasts) * meanSpeed(less(sc.speeds(beats, s.from), beats), 0, lasts)), nil
}

// scaledAll is scaled of many, without strays.
func (m *machine) scaledAll(cpu int, sc Scale, list []span) ([]time.Duration, error) {
	var out []time.Duration
	for _, s := range list {
		t, err := m.scaled(cpu, sc, s)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return withoutStrays(out), nil
}

// mean is the mean in µs of what spans take at speed 1, without the strays.
func (m *machine) mean(cpu int, sc Scale, list []span) (float64, error) {
	all, err := m.scaledAll(cpu, sc, list)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	s := time.Duration(0)
	for _, d := range all {
		s += d
	}
	return s.Seconds() * 1e6 / float64(len(all)), nil
}

func sum(list []float64) (s float64) {
	for _, x := range list {
		s += x
	}
	return s
}
