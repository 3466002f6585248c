package capacity

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Format is the version of a calibration's form.
const Format = "mpin-capacity/9"

// Calibration is what a deployment's work cost on some machine.
type Calibration struct {
	Format string `json:"format"`
	// Command is what recorded it.
	Command     string    `json:"command"`
	Created     time.Time `json:"created"`
	Environment []Setting `json:"environment"`
	Entries     []Entry   `json:"entries"`
}

// Setting is a fact about machine or toolchain.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Entry is the costs with one backend and one store, on an RPS of one core.
type Entry struct {
	Suite   string `json:"suite"`
	Backend string `json:"backend"`
	Store   string `json:"store"`

	// Verify is the time to verify one login whose challenge is decoded, and
	// FindPIN to find out how wrong a PIN was; Batch that of batches from
	// bytes.
	Verify  Dist        `json:"verify"`
	FindPIN Dist        `json:"find_pin"`
	Batch   []BatchCost `json:"batch"`
	// Answer is the time that a client takes between pass 1 and pass 2, if all
	// else is prepared: V, on the calibration's machine.
	Answer Dist `json:"answer"`
	// Issue is the time that a D-TA's process spends on one half of a permit.
	Issue Dist `json:"issue"`

	// Single and Batching are the requests of an RPS that verifies logins one
	// by one and in batches, redeeming without the verification.
	Single   Requests `json:"single"`
	Batching Requests `json:"batching"`
	// Contention is the time that verifying takes while all CPUs verify over that
	// while the others idle: what they share makes it more than 1.
	Contention float64 `json:"contention"`
	// Memory is the RPS's resident memory in bytes after the measurement.
	Memory int64 `json:"memory"`

	// Scale tells how slow the machine is at some time: costs are those of its mean
	// speed while calibrating.
	Scale Scale `json:"scale"`

	// mixing is what requests that come mixed take over those that come by kind,
	// while calibrating.
	mixing float64
}

// Requests are the costs of a login's requests.
type Requests struct {
	Permit RequestCost `json:"permit"`
	Pass1  RequestCost `json:"pass1"`
	Pass2  RequestCost `json:"pass2"`
	Redeem RequestCost `json:"redeem"`
	// Verify is the time of verifying in the server over that alone in
	// calibration's process (Entry.Verify; in batches, what Entry.Batch has beyond
	// its first): caches that others use too, the garbage collector.
	Verify float64 `json:"verify_factor"`
	// After is the share of Redeem's CPU time that comes after the verdict.
	After float64 `json:"after_verdict"`
	// Logins are how many make the garbage that the server collects at once, and Collect
	// the CPU time of that in µs, which is in no other cost.
	Logins  float64 `json:"logins_a_collection"`
	Collect float64 `json:"collect_us"`
	// Monitor is the time in µs on the server's CPU of a look of Go's monitor: see
	// [Model].
	Monitor float64 `json:"monitor_us"`
	// Rest is the CPU time in µs for which the server comes to rest when it has nothing to
	// do: see [Model]. Calibrations before there was one have it in Monitor.
	Rest float64 `json:"rest_us,omitempty"`
	// Shared is how many times as long logins take on a core that is shared, and Mean how
	// many times as long as at the usual speed they took on average while calibrating, if
	// so; 0 where it was not to be told, for what Scale has.
	Shared float64 `json:"shared,omitempty"`
	Mean   float64 `json:"mean,omitempty"`
	// Warm is what the requests take of their costs while fewer logins are under way than
	// were when those were measured.
	Warm Warmth `json:"warm"`
}

// RequestCost is one request's.
type RequestCost struct {
	// CPU is the server's mean time on a CPU in µs under load, and Wake what it takes
	// more where it was idle before. Service is how single requests lie about CPU.
	CPU     float64 `json:"cpu_us"`
	Wake    Wake    `json:"wake"`
	Service Dist    `json:"service"`
	// Client is the CPU time in µs of the client for sending the request and
	// reading its answer. Delay is what it waited besides its own and the
	// server's time, where neither had time to fall asleep: this machine's
	// loopback, the store.
	Client float64 `json:"client_us"`
	Delay  Dist    `json:"delay"`
	// Calls are the RPS's calls to its store.
	Calls float64 `json:"store_calls"`
	// In and Out are the bytes of TCP's payload to and from the server.
	In  float64 `json:"in_bytes"`
	Out float64 `json:"out_bytes"`
}

// cost is the model's form of it.
func (r *RequestCost) cost() Cost {
	return Cost{Service: r.Service, Wake: r.Wake, Delay: r.Delay}
}

func us(x float64) time.Duration { return time.Duration(math.Round(x * 1000)) }

// ErrCalibration: a file that is no calibration, or lacks what is needed.
var ErrCalibration = errors.New("calibration")

// maxCalibration is the greatest file that is read.
const maxCalibration = 8 << 20

// ReadCalibration reads a file of [Calibrate]. Error: ErrCalibration.
func ReadCalibration(path string) (*Calibration, error) {
	return readFile(path, DecodeCalibration)
}

// readFile decodes a file of at most maxCalibration bytes.
func readFile[T any](path string, decode func([]byte) (*T, error)) (*T, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxCalibration+1))
	if err != nil {
		return nil, err
	}
	v, err := decode(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

// DecodeCalibration reads a calibration, which is JSON. Error: ErrCalibration,
// also where a cost is negative or missing.
func DecodeCalibration(b []byte) (*Calibration, error) {
	if len(b) > maxCalibration {
		return nil, fmt.Errorf("%w: over %d bytes", ErrCalibration, maxCalibration)
	}
	// The format first: of another the rest says nothing.
	var form struct {
		Format string `json:"format"`
	}
	if err := json.Unmarshal(b, &form); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCalibration, err)
	}
	if form.Format != Format {
		return nil, fmt.Errorf("%w: format %q, not %q: measure it again (mpin capacity calibrate)", ErrCalibration, form.Format, Format)
	}
	var c Calibration
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCalibration, err)
	}
	if len(c.Entries) == 0 {
		return nil, fmt.Errorf("%w: no entries", ErrCalibration)
	}
	for i := range c.Entries {
		if err := c.Entries[i].check(); err != nil {
			return nil, fmt.Errorf("%w: entry %d: %w", ErrCalibration, i+1, err)
		}
	}
	return &c, nil
}

func (e *Entry) check() error {
	if e.Suite == "" || e.Backend == "" || e.Store == "" {
		return errors.New("suite, backend or store is missing")
	}
	if e.Verify.mean <= 0 || e.Issue.mean <= 0 {
		return errors.New("verify or issue is missing")
	}
	if err := e.Scale.check(); err != nil {
		return err
	}
	if err := (&Batching{Costs: e.Batch}).check(); err != nil {
		return err
	}
	if !(e.Contention >= 0.5 && e.Contention <= 10) {
		return fmt.Errorf("contention of %v", e.Contention)
	}
	for _, rs := range []*Requests{&e.Single, &e.Batching} {
		if !(rs.Verify > 0 && rs.Verify <= 10) || !(rs.After >= 0 && rs.After <= 1) {
			return fmt.Errorf("a factor of verifying of %v, a share of %v after the verdict", rs.Verify, rs.After)
		}
		if !(rs.Logins == 0 || rs.Logins >= 1 && rs.Logins <= 1e9) || !(rs.Collect >= 0 && rs.Collect <= 1e6) {
			return fmt.Errorf("%v µs to collect the garbage of %v logins", rs.Collect, rs.Logins)
		}
		if err := rs.Warm.check(); err != nil {
			return err
		}
		if !(rs.Monitor >= 0 && rs.Monitor <= mostLook) {
			return fmt.Errorf("%v µs for a look of the monitor", rs.Monitor)
		}
		if s := e.scale(rs == &e.Batching); !(rs.Shared == 0 && rs.Mean == 0 || rs.Shared >= leastShared && rs.Shared <= mostShared) || s.check() != nil {
			return fmt.Errorf("work that takes %v times as long on a shared core, %v on average", rs.Shared, rs.Mean)
		}
		if !(rs.Rest >= 0 && rs.Rest <= mostRest) {
			return fmt.Errorf("%v µs to come to rest", rs.Rest)
		}
		for _, r := range []*RequestCost{&rs.Permit, &rs.Pass1, &rs.Pass2, &rs.Redeem} {
			for _, v := range []float64{r.CPU, r.Client, r.Calls, r.In, r.Out} {
				if !(v >= 0) || v > 1e9 {
					return fmt.Errorf("a cost of %v", v)
				}
			}
			if r.CPU == 0 || r.Service.mean <= 0 {
				return errors.New("a request without a cost")
			}
			if err := r.Wake.check(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Encode writes the calibration as JSON.
func (c *Calibration) Encode() ([]byte, error) { return compact(c) }

func compact(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return nil, err
	}
	// A line a distribution, not a line a number.
	var out bytes.Buffer
	depth := 0
	for line := range bytes.Lines(b) {
		trimmed := bytes.TrimSpace(line)
		switch {
		case depth == 0 && bytes.HasSuffix(trimmed, []byte("[")) && numbers(trimmed):
			depth = 1
			out.Write(bytes.TrimRight(line, "\n"))
		case depth == 1:
			out.Write(trimmed)
			if bytes.HasPrefix(trimmed, []byte("]")) {
				depth = 0
				out.WriteByte('\n')
			}
		default:
			out.Write(line)
		}
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// numbers reports whether a line opens a distribution.
func numbers(line []byte) bool {
	for _, name := range []string{`"verify"`, `"find_pin"`, `"issue"`, `"answer"`, `"delay"`, `"service"`} {
		if bytes.HasPrefix(line, []byte(name)) {
			return true
		}
	}
	return false
}

//go:embed calibration.json
var recorded []byte

// Default is the calibration that was recorded for the release: see its
// environment and date.
var Default = sync.OnceValues(func() (*Calibration, error) { return DecodeCalibration(recorded) })

// Find returns the costs with a backend and a store. Where that store was
// measured with another backend only, what it cost there over memory is added to
// this backend's costs. Empty names take the first. Error: ErrCalibration, with
// what there is.
func (c *Calibration) Find(backend, store string) (*Entry, error) {
	if backend == "" {
		backend = c.Entries[0].Backend
	}
	if store == "" {
		store = c.Entries[0].Store
	}
	of := func(backend, store string) *Entry {
		for i := range c.Entries {
			if e := &c.Entries[i]; (backend == "" || e.Backend == backend) && e.Store == store {
				return e
			}
		}
		return nil
	}
	if e := of(backend, store); e != nil {
		return e, nil
	}
	own := of(backend, c.Entries[0].Store)
	with := of("", store)
	if own == nil || with == nil {
		return nil, fmt.Errorf("%w: nothing about backend %q with store %q; there are %s", ErrCalibration, backend, store, strings.Join(c.names(), ", "))
	}
	without := of(with.Backend, own.Store)
	if without == nil {
		return nil, fmt.Errorf("%w: store %q was measured with %s only, and that with no other store", ErrCalibration, store, with.Backend)
	}
	e := *own
	e.Store = store
	for _, mode := range []func(*Entry) *Requests{func(e *Entry) *Requests { return &e.Single }, func(e *Entry) *Requests { return &e.Batching }} {
		for _, of := range []func(*Requests) *RequestCost{
			func(r *Requests) *RequestCost { return &r.Permit }, func(r *Requests) *RequestCost { return &r.Pass1 },
			func(r *Requests) *RequestCost { return &r.Pass2 }, func(r *Requests) *RequestCost { return &r.Redeem },
		} {
			to, more, less := of(mode(&e)), of(mode(with)), of(mode(without))
			cpu := max(1, to.CPU+more.CPU-less.CPU)
			to.Service, to.CPU = to.Service.Scale(cpu/to.CPU), cpu
			to.Calls = more.Calls
			to.Delay = to.Delay.Plus(more.Delay.Mean() - less.Delay.Mean())
		}
	}
	return &e, nil
}

func (c *Calibration) names() []string {
	var list []string
	for _, e := range c.Entries {
		list = append(list, e.Backend+" with "+e.Store)
	}
	return list
}

// Backends lists the backends in the calibration, in its order.
func (c *Calibration) Backends() []string {
	var list []string
	for _, e := range c.Entries {
		if !slices.Contains(list, e.Backend) {
			list = append(list, e.Backend)
		}
	}
	return list
}

// Stores lists the stores.
func (c *Calibration) Stores() []string {
	var list []string
	for _, e := range c.Entries {
		if !slices.Contains(list, e.Store) {
			list = append(list, e.Store)
		}
	}
	return list
}

// at is e on a machine where everything takes f times as long.
func (e *Entry) at(f float64) *Entry { return e.each(f, f, f) }

// each is e on a machine where all takes so many times as long, but for what an RPS does
// one by one and in batches.
func (e *Entry) each(all, single, batching float64) *Entry {
	c := *e
	c.Verify, c.FindPIN, c.Answer, c.Issue = e.Verify.Scale(single), e.FindPIN.Scale(single), e.Answer.Scale(all), e.Issue.Scale(all)
	c.Scale.Mean = e.Scale.Mean * all
	c.Batch = slices.Clone(e.Batch)
	for i := range c.Batch {
		c.Batch[i].Time *= batching
	}
	for mode, f := range map[*Requests]float64{&c.Single: single, &c.Batching: batching} {
		mode.Monitor, mode.Rest, mode.Collect, mode.Mean = f*mode.Monitor, f*mode.Rest, f*mode.Collect, f*mode.Mean
		mode.Warm = slices.Clone(mode.Warm)
		for _, r := range []*RequestCost{&mode.Permit, &mode.Pass1, &mode.Pass2, &mode.Redeem} {
			r.CPU, r.Client, r.Service, r.Delay = f*r.CPU, all*r.Client, r.Service.Scale(f), r.Delay.Scale(f)
			r.Wake = slices.Clone(r.Wake)
			for i := range r.Wake {
				r.Wake[i].Time *= f
			}
		}
	}
	return &c
}

// scale tells how slow the machine is for logins one by one or in batches.
func (e *Entry) scale(batching bool) Scale {
	s := e.Scale
	if r := e.requests(batching); r.Shared > 0 {
		s.Shared, s.Mean = r.Shared, r.Mean
	}
	return s
}

// requests are the costs one by one or in batches.
func (e *Entry) requests(batching bool) *Requests {
	if batching {
		return &e.Batching
	}
	return &e.Single
}

// Model is an RPS with these costs, of one core and without permits or load yet.
func (e *Entry) Model(batching bool) *Model {
	r := e.requests(batching)
	m := &Model{Instances: 1, Cores: 1, Monitor: us(r.Monitor), Rest: us(r.Rest), Collect: us(r.Collect), Logins: r.Logins, Verify: e.Verify.Scale(r.Verify), FindPIN: e.FindPIN, Issue: e.Issue}
	if batching {
		m.Batching = &Batching{Costs: slices.Clone(e.Batch), Back: r.After}
		first := goodOnes(e.Batch)[0].Time
		for i := range m.Batching.Costs {
			if c := &m.Batching.Costs[i].Time; *c > first {
				*c = first + r.Verify*(*c-first)
			}
		}
	}
	m.Costs = [stages]Cost{r.Permit.cost(), r.Pass1.cost(), r.Pass2.cost(), r.Redeem.cost()}
	return m
}

// contended is m on a machine all of whose CPUs work.
func (e *Entry) contended(m *Model) {
	f := max(1, e.Contention)
	for i := range m.Costs {
		m.Costs[i].Service = m.Costs[i].Service.Scale(f)
	}
	m.Verify, m.FindPIN, m.Issue = m.Verify.Scale(f), m.FindPIN.Scale(f), m.Issue.Scale(f)
	m.Collect = time.Duration(f * float64(m.Collect))
	if m.Batching != nil {
		for i := range m.Batching.Costs {
			m.Batching.Costs[i].Time *= f
		}
	}
}
