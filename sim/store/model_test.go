package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
)

// model is what the contract says, in maps.
type model struct {
	now    int64 // ms
	values map[name]modelValue
	users  map[string]*modelUser
}

type modelValue struct {
	value   string
	expires int64
}

type modelUser struct {
	failures int
	held     []modelLease
}

type modelLease struct {
	r    *Reservation
	ends int64
}

func (m *model) get(n name) (modelValue, bool) {
	v, ok := m.values[n]
	return v, ok && (v.expires == 0 || v.expires > m.now)
}

// do carries out one operation.
func (m *model) do(op Op) Result {
	ends := int64(0)
	if op.ttl != 0 {
		ends = m.now + op.ttl.Milliseconds()
	}
	was, ok := m.get(op.name())
	r := Result{OK: ok}
	switch op.verb {
	case verbPut:
		m.values[op.name()] = modelValue{string(op.value), ends}
		r.OK = true
	case verbCreate:
		if r.OK = !ok; !ok {
			m.values[op.name()] = modelValue{string(op.value), ends}
		}
	case verbDelete:
		delete(m.values, op.name())
	}
	if ok && (op.verb == verbGet || op.verb == verbTake || op.verb == verbMove) {
		r.Value = []byte(was.value)
	}
	if ok && (op.verb == verbTake || op.verb == verbMove) {
		delete(m.values, op.name())
	}
	if ok && op.verb == verbMove {
		m.values[op.target()] = modelValue{was.value + string(op.value), ends}
	}
	return r
}

// The choices are few, so that steps meet.
var (
	modelKeys  = []string{"", "a", "b\x00*"}
	modelKinds = []Kind{Login, Mark, Registration, Account}
	modelTTLs  = []time.Duration{0, time.Hour, 10 * time.Hour}
)

// choices takes a number apart.
type choices uint64

func (c *choices) of(n int) int {
	i := int(*c % choices(n))
	*c /= choices(n)
	return i
}

func (c *choices) op() Op {
	k, key := modelKinds[c.of(4)], modelKeys[c.of(3)]
	value, ttl := bytes.Repeat([]byte{'v', 0, 0xff}, c.of(3)), modelTTLs[c.of(3)]
	switch c.of(6) {
	case 0:
		return Put(k, key, value, ttl)
	case 1:
		return Create(k, key, value, ttl)
	case 2:
		return Get(k, key)
	case 3:
		return Take(k, key)
	case 4:
		return Delete(k, key)
	}
	return Move(k, key, modelKinds[c.of(4)], modelKeys[c.of(3)], value, ttl)
}

// step does the same to a store and to the model and compares.
func (m *model) step(s *subject, c choices) error {
	ctx := context.Background()
	switch c.of(10) {
	case 0:
		d := time.Duration(1+c.of(6)) * 20 * time.Minute
		s.advance(d)
		m.now += d.Milliseconds()
	case 1:
		op, old := c.op(), bytes.Repeat([]byte{'v', 0, 0xff}, c.of(3))
		v, ok := m.get(op.name())
		want := ok && v.value == string(old)
		if want {
			m.values[op.name()] = modelValue{string(op.value), v.expires}
		}
		if got, err := s.Swap(ctx, op.kind, op.key, old, op.value); got != want || err != nil {
			return fmt.Errorf("swap: %v %v, want %v", got, err, want)
		}
	case 2:
		k, got, want := modelKinds[c.of(4)], map[string]string{}, map[string]string{}
		for n := range m.values {
			if v, ok := m.get(n); ok && n.kind == k {
				want[n.key] = v.value
			}
		}
		err := s.Scan(ctx, k, func(key string, value []byte) bool { got[key] = string(value); return true })
		if err != nil || !maps.Equal(got, want) {
			return fmt.Errorf("scan: %q %v, want %q", got, err, want)
		}
	case 3, 4, 5:
		return m.attempt(s, c)
	default:
		ops := make([]Op, 1+c.of(3))
		for i := range ops {
			ops[i] = c.op()
			c = c*31 + 7
		}
		got, err := s.Do(ctx, ops...)
		if err != nil {
			return err
		}
		for i, op := range ops {
			want := m.do(op)
			if got[i].OK != want.OK || !bytes.Equal(got[i].Value, want.Value) || got[i].OK && (got[i].Value == nil) != (want.Value == nil) {
				return fmt.Errorf("operation %d, %s %v %q: %q, want %q", i, verbNames[op.verb], op.kind, op.key, got[i].Value, want.Value)
			}
		}
	}
	return nil
}

func (m *model) attempt(s *subject, c choices) error {
	ctx := context.Background()
	id := modelKeys[c.of(3)]
	u := m.users[id]
	if u == nil {
		u = new(modelUser)
		m.users[id] = u
	}
	live := 0
	for _, l := range u.held {
		if l.ends > m.now {
			live++
		}
	}
	switch c.of(5) {
	case 0, 1:
		p := Policy{1 + c.of(4), modelTTLs[1+c.of(2)]}
		if u.failures < p.Max && u.failures+live >= p.Max {
			return nil // it would wait
		}
		r, err := s.Reserve(ctx, id, p)
		if u.failures >= p.Max {
			if err != ErrBlocked {
				return fmt.Errorf("reserve: %v, want blocked", err)
			}
			return nil
		}
		if err != nil || r.Failures != u.failures {
			return fmt.Errorf("reserve: %+v %v, want %d failures", r, err, u.failures)
		}
		u.held = append(u.held, modelLease{r, m.now + p.Lease.Milliseconds()})
	case 2, 3:
		if len(u.held) == 0 {
			return nil
		}
		i, o := c.of(len(u.held)), Outcome(1+c.of(3))
		l := u.held[i]
		u.held = slices.Delete(u.held, i, i+1)
		n, err := s.Settle(ctx, l.r, o)
		if l.ends <= m.now {
			if err != ErrLeaseEnded {
				return fmt.Errorf("settle: %v after the lease", err)
			}
			return nil
		}
		switch o {
		case Passed:
			u.failures = 0
		case Failed:
			u.failures++
		}
		if n != u.failures || err != nil {
			return fmt.Errorf("settle: %d %v, want %d", n, err, u.failures)
		}
	default:
		if n, err := s.Failures(ctx, id); n != u.failures || err != nil {
			return fmt.Errorf("failures: %d %v, want %d", n, err, u.failures)
		}
		if c.of(4) == 0 {
			u.failures = 0
			return s.Clear(ctx, id)
		}
	}
	return nil
}

// Whatever is done in whatever order, a store does what the model does.
func TestModel(t *testing.T) {
	for kind, start := range starts {
		t.Run(kind, func(t *testing.T) {
			parameters := gopter.DefaultTestParameters()
			parameters.MinSuccessfulTests = 60
			if kind == "memory" {
				parameters.MinSuccessfulTests = 400
			}
			properties := gopter.NewProperties(parameters)
			s := start(t, Options{})
			properties.Property("a store does as the model", prop.ForAll(func(steps []uint64) (bool, error) {
				if err := wipe(s); err != nil {
					return false, err
				}
				m := &model{values: map[name]modelValue{}, users: map[string]*modelUser{}}
				for i, c := range steps {
					if err := m.step(s, choices(c)); err != nil {
						return false, fmt.Errorf("step %d: %w", i, err)
					}
				}
				return true, nil
			}, gen.SliceOfN(60, gen.UInt64())))
			properties.TestingRun(t)
		})
	}
}

// wipe empties a store of what the model knows.
func wipe(s *subject) error {
	s.advance(1000 * time.Hour) // leases end
	var ops []Op
	var errs []error
	for _, key := range modelKeys {
		errs = append(errs, s.Clear(context.Background(), key))
		for _, k := range modelKinds {
			ops = append(ops, Delete(k, key))
		}
	}
	_, err := s.Do(context.Background(), ops...)
	return errors.Join(append(errs, err)...)
}
