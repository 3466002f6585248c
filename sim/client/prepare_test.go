package client

import (
	"bytes"
	"slices"
	"sync"
	"testing"
)

// TestPrepare: a login after Prepare does not read token and permit again, sends
// another U every time, and is right or wrong as without; nothing is stored or
// sent by Prepare.
func TestPrepare(t *testing.T) {
	s := newService(t, 0)
	var mu sync.Mutex
	var steps []Step
	var us []string
	c := s.open(t, func(o *Options) {
		o.Trace = func(e Event) {
			mu.Lock()
			defer mu.Unlock()
			steps = append(steps, e.Step)
			if u := e.Public["U"]; u != "" {
				us = append(us, u)
			}
		}
	})
	pending, err := c.Register(t.Context(), Registration{UserID: testUser})
	if err != nil {
		t.Fatal(err)
	}
	want(t, c.Prepare(pending), ErrState)
	id := enrolled(t, c)

	seen := func(f func()) []Step {
		mu.Lock()
		steps = nil
		mu.Unlock()
		f()
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(steps)
	}
	prepare := func() {
		t.Helper()
		if err := c.Prepare(id); err != nil {
			t.Fatal(err)
		}
	}
	record := func() []byte {
		b, err := id.Record()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, step := range seen(prepare) {
		if step != StepPrepare && step != StepComputePermit {
			t.Errorf("Prepare takes the step %s", step)
		}
	}
	login(t, c, id, "1234")

	// What a page does that was loaded anew.
	before := record()
	id, err = ReadRecord(before)
	if err != nil {
		t.Fatal(err)
	}
	prepare()
	prepare()
	if !bytes.Equal(record(), before) {
		t.Error("Prepare changes what is stored")
	}
	if id.token == nil || id.point == nil || id.permit.sum == nil {
		t.Error("Prepare did not keep what it read")
	}
	if got := seen(func() { login(t, c, id, "1234") }); slices.Contains(got, StepComputePermit) || !slices.Contains(got, StepCompute2) {
		t.Errorf("a login after Prepare takes the steps %v", got)
	}
	_, err = c.Login(t.Context(), id, newPIN(t, "4321"), LoginOptions{})
	want(t, err, ErrWrongPIN)
	prepare()
	// After a refusal the permit is asked for again, prepared or not.
	if got := seen(func() { login(t, c, id, "1234") }); !slices.Contains(got, StepComputePermit) {
		t.Errorf("a login after a wrong PIN takes the steps %v", got)
	}
	slices.Sort(us)
	if len(us) != 4 || len(slices.Compact(us)) != 4 {
		t.Errorf("U came again, or not for all of %d logins", len(us))
	}

	// A token that has changed is read again, and one that is none is found out.
	if err := c.ChangePIN(t.Context(), id, newPIN(t, "1234"), newPIN(t, "8642")); err != nil {
		t.Fatal(err)
	}
	login(t, c, id, "8642")
	id.Token = bytes.Repeat([]byte{0x55}, len(id.Token))
	want(t, c.Prepare(id), ErrDamaged)
	id.Suite = "milagro/bn254cx"
	want(t, c.Prepare(id), ErrSuite)
}
