package mpin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/grafana/sobek"

	"go.k6.io/k6/js/common"
	"go.k6.io/k6/lib"
	"go.k6.io/k6/metrics"

	"mpinlab/backends/all"
	"mpinlab/sim/client"
)

// service is a deployment as one VU sees it. A VU does one thing at a time.
type service struct {
	*instance
	url     string
	timeout time.Duration
	options options
	client  *client.Client
	// steps are the times of the operation's steps so far.
	steps map[client.Step]time.Duration
}

// result is what an operation came to.
type result struct {
	OK      bool   `js:"ok"`
	Outcome string `js:"outcome"`
	Detail  string `js:"detail"`
}

// shared is what all VUs of this process share: connections, and identities with
// the permits that they have.
var shared = struct {
	sync.Mutex
	transports map[string]*http.Transport
	identities map[string]*client.Identity
}{transports: map[string]*http.Transport{}, identities: map[string]*client.Identity{}}

func transport(url string) *http.Transport {
	shared.Lock()
	defer shared.Unlock()
	t := shared.transports[url]
	if t == nil {
		t = http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 10_000
		shared.transports[url] = t
	}
	return t
}

// identity reads what register returned, once in this process.
func identity(record string) (*client.Identity, error) {
	shared.Lock()
	defer shared.Unlock()
	if id := shared.identities[record]; id != nil {
		return id, nil
	}
	id, err := client.ReadRecord([]byte(record))
	if err != nil {
		return nil, fmt.Errorf("not an identity that register returned: %w", err)
	}
	shared.identities[record] = id
	return id, nil
}

var errInit = errors.New("only in setup and in VUs: nothing is sent while scripts are read")

// begin makes the client when it is first needed, and starts counting anew.
func (s *service) begin() (*client.Client, *lib.State, error) {
	state := s.vu.State()
	if state == nil {
		return nil, nil, errInit
	}
	if s.client == nil {
		c, err := client.Open(s.vu.Context(), s.url, client.Options{
			Suites: client.SuitesOf(all.Backends()...), Suite: s.options.Suite, Transport: transport(s.url),
			WebSocket: s.options.WebSocket, Timeout: s.timeout, Trace: s.trace,
		})
		if err != nil {
			return nil, state, err
		}
		s.client = c
	}
	s.steps = map[client.Step]time.Duration{}
	return s.client, state, nil
}

func (s *service) trace(e client.Event) {
	if e.Err == nil && s.steps != nil {
		s.steps[e.Step] += e.Duration
	}
}

// throw ends the iteration with the script's mistake.
func (s *service) throw(what string, err error) {
	common.Throw(s.vu.Runtime(), fmt.Errorf("%s: %w", what, err))
}

func (s *service) register(user, pin string) string {
	c, state, err := s.begin()
	if err != nil {
		s.throw("register", err)
	}
	start := time.Now()
	id, err := enrol(s.vu.Context(), c, user, pin)
	took := time.Since(start)
	s.told(state, "register", outcomeOf(err), err == nil)
	if err != nil {
		s.throw("register", err)
	}
	s.push(state, s.metrics.register, took, nil)
	record, err := id.Record()
	if err != nil {
		s.throw("register", err)
	}
	return string(record)
}

func enrol(ctx context.Context, c *client.Client, user, pin string) (*client.Identity, error) {
	p, err := client.NewPIN([]byte(pin))
	if err != nil {
		return nil, err
	}
	defer p.Wipe()
	id, err := c.Register(ctx, client.Registration{UserID: user})
	if err != nil {
		return nil, err
	}
	e, err := c.Enrol(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := e.SetPIN(p); err != nil {
		return nil, err
	}
	return id, c.SetupDone(ctx, id)
}

func (s *service) login(record, pin string, given sobek.Value) *result {
	expect := "accepted"
	if given != nil && !sobek.IsUndefined(given) && !sobek.IsNull(given) {
		var o struct {
			Expect string `js:"expect"`
		}
		if err := s.vu.Runtime().ExportTo(given, &o); err != nil || o.Expect != "" && o.Expect != "accepted" && o.Expect != "refused" {
			s.throw("login", errors.New(`options: expect is "accepted" or "refused"`))
		}
		if o.Expect != "" {
			expect = o.Expect
		}
	}
	p, err := client.NewPIN([]byte(pin))
	if err != nil {
		s.throw("login", err)
	}
	defer p.Wipe()
	return s.operation("login", record, s.metrics.login, expect, func(ctx context.Context, c *client.Client, id *client.Identity) error {
		_, err := c.Login(ctx, id, p, client.LoginOptions{})
		return err
	})
}

func (s *service) permit(record string) *result {
	return s.operation("permit", record, nil, "accepted", func(ctx context.Context, c *client.Client, id *client.Identity) error {
		// An identity that has no permit yet, whatever this one has.
		fresh := &client.Identity{
			MpinID: id.MpinID, UserID: id.UserID, Server: id.Server, Suite: id.Suite, State: id.State, Token: id.Token,
		}
		_, err := c.Permit(ctx, fresh)
		return err
	})
}

// operation does one thing with an identity and tells k6 of it.
func (s *service) operation(name, record string, whole *metrics.Metric, expect string, do func(context.Context, *client.Client, *client.Identity) error) *result {
	id, err := identity(record)
	if err != nil {
		s.throw(name, err)
	}
	c, state, err := s.begin()
	if errors.Is(err, errInit) {
		s.throw(name, err)
	}
	ctx := s.vu.Context()
	// Reading the settings, as each VU does once, is no part of the operation.
	start := time.Now()
	if err == nil {
		err = do(ctx, c, id)
	}
	took := time.Since(start)
	if ctx.Err() != nil {
		return &result{Outcome: "interrupted"} // k6 ends the iteration; that is nobody's failure
	}
	r := &result{Outcome: outcomeOf(err)}
	r.OK = r.Outcome == expect || expect == "refused" && r.Outcome == "blocked"
	if err != nil {
		r.Detail = err.Error()
	}
	if whole != nil && r.OK {
		s.push(state, whole, took, nil)
	}
	s.pushSteps(state)
	s.told(state, name, r.Outcome, r.OK)
	return r
}

// pushSteps pushes the times of the requests.
func (s *service) pushSteps(state *lib.State) {
	for _, p := range []struct {
		metric *metrics.Metric
		steps  []client.Step
	}{
		{s.metrics.permit, []client.Step{client.StepTimePermit, client.StepPermitStorage, client.StepPermitDTA}},
		{s.metrics.pass1, []client.Step{client.StepPass1}},
		{s.metrics.pass2, []client.Step{client.StepPass2}},
		{s.metrics.redeem, []client.Step{client.StepAuthenticate}},
	} {
		sum := time.Duration(0)
		for _, step := range p.steps {
			sum += s.steps[step]
		}
		if sum > 0 {
			s.push(state, p.metric, sum, nil)
		}
	}
}

func (s *service) told(state *lib.State, operation, outcome string, correct bool) {
	s.pushValue(state, s.metrics.outcomes, 1, map[string]string{"operation": operation, "outcome": outcome})
	s.pushValue(state, s.metrics.correct, metrics.B(correct), map[string]string{"operation": operation})
}

func (s *service) push(state *lib.State, m *metrics.Metric, d time.Duration, tags map[string]string) {
	s.pushValue(state, m, metrics.D(d), tags)
}

func (s *service) pushValue(state *lib.State, m *metrics.Metric, value float64, tags map[string]string) {
	now := state.Tags.GetCurrentValues()
	set := now.Tags
	for k, v := range tags {
		set = set.With(k, v)
	}
	metrics.PushIfNotDone(s.vu.Context(), state.Samples, metrics.Sample{
		TimeSeries: metrics.TimeSeries{Metric: m, Tags: set}, Time: time.Now(), Metadata: now.Metadata, Value: value,
	})
}

// outcomeOf names how an operation ended, in the words of our own load
// generator.
func outcomeOf(err error) string {
	switch {
	case err == nil:
		return "accepted"
	case errors.Is(err, client.ErrWrongPIN):
		return "refused"
	case errors.Is(err, client.ErrBlocked):
		return "blocked"
	case errors.Is(err, client.ErrBusy):
		return "busy"
	case errors.Is(err, client.ErrUnreachable):
		if strings.Contains(err.Error(), "no answer in time") { // the client tells it in words only
			return "timeout"
		}
		return "unreachable"
	}
	return "failed"
}
